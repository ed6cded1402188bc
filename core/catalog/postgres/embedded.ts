import { chmod, mkdir, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Binaries, findBinaries } from './binaries.ts'
import { fileTrouble, fromServerExit, fromServerOutput, type PostgresError } from './errors.ts'
import { initialise, readPassword, superuser } from './initialise.ts'
import { acquireLock, type Lock } from './lock.ts'
import { endOrphan, endServer, send } from './orphan.ts'
import { findPlace, type Place } from './place.ts'
import { hasCode } from './process.ts'
import { freePort, launch, type Server } from './server.ts'

export type EmbeddedEvent =
  /** Another container or machine may hold the directory; its lock is watched. */
  | { readonly event: 'lock_watched'; readonly milliseconds: number }
  /** The Catchment that had the directory last was killed. */
  | { readonly event: 'lock_taken_over'; readonly pid: number }
  /** Data lives outside the data directory, which the server's user cannot reach. */
  | { readonly event: 'relocated'; readonly directory: string }
  /** The programs were copied, as they could not be used where npm put them. */
  | { readonly event: 'binaries_copied'; readonly directory: string }
  | { readonly event: 'initialised'; readonly directory: string }
  /** The server of a killed Catchment was still running and has been stopped. */
  | { readonly event: 'orphan_ended'; readonly pid: number }
  /** Not ready yet; `line` is the last the server wrote. */
  | { readonly event: 'waiting'; readonly line: string }
  | { readonly event: 'started'; readonly pid: number; readonly port: number; readonly directory: string }

export interface EmbeddedOptions {
  /** Catchment's own directory (`.catchment`); made if missing. */
  readonly dataDir: string
  /** Default: one that is free. */
  readonly port?: number
  readonly log: (event: EmbeddedEvent) => void
  /** Server settings beyond the defaults. `fsync: off` is for tests alone. */
  readonly settings?: Readonly<Record<string, string>>
  /** Other binaries than those of the npm package. */
  readonly binaries?: Binaries
}

export interface EmbeddedPostgres {
  /** Holds the password: never log it. */
  readonly url: string
  readonly pid: number
  readonly port: number
  /** Where the server's files really are: `data`, `password`, `server.log`. */
  readonly directory: string
  /** Fast shutdown: running transactions are rolled back. Then gives up the directory. May be called again. */
  stop(): Promise<void>
  /** Resolves when the server has ended: with undefined after `stop`, else with what happened. Never rejects. */
  readonly exited: Promise<PostgresError | undefined>
}

/** Starts PostgreSQL on the data directory, which is ours alone until `stop`. Rejects with a PostgresError. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir)
  try {
    await makeDirectory(dataDir)
    const lock = await acquireLock(join(dataDir, 'lock'), {
      onWatch: (milliseconds) => options.log({ event: 'lock_watched', milliseconds }),
      onDead: (pid) => options.log({ event: 'lock_taken_over', pid }),
    })
    try {
      const place = await findPlace(dataDir)
      if (place.relocated) options.log({ event: 'relocated', directory: place.home })
      const server = await start(place, options)
      options.log({ event: 'started', pid: server.pid, port: server.port, directory: place.home })
      return handle(server, place, lock)
    } catch (error) {
      await lock.release()
      throw error
    }
  } catch (error) {
    throw fileTrouble(dataDir, error)
  }
}

interface Started extends Server {
  readonly port: number
  readonly password: string
}

async function start(place: Place, options: EmbeddedOptions): Promise<Started> {
  const { log, settings = {} } = options
  const data = join(place.home, 'data')
  const binaries =
    options.binaries ?? (await findBinaries(place, (directory) => log({ event: 'binaries_copied', directory })))
  const orphan = await endOrphan(data)
  if (orphan !== undefined) log({ event: 'orphan_ended', pid: orphan })
  if (!(await exists(data))) {
    await initialise(binaries, place, { sync: settings['fsync'] !== 'off' })
    log({ event: 'initialised', directory: place.home })
  }
  await checkVersion(data, binaries.major)
  const password = await readPassword(place.home)
  const onWait = (line: string) => log({ event: 'waiting', line })
  const attempt = async () => {
    const port = options.port ?? (await freePort())
    return { ...(await launch({ binaries, place, port, settings, onWait })), port, password }
  }
  return withRetries(attempt, options.port === undefined)
}

/** A killed server is still "there" to its successor for a moment, and a free port may be taken before we have it. */
async function withRetries<T>(attempt: () => Promise<T>, otherPort: boolean): Promise<T> {
  const deadline = performance.now() + 10_000
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const again = hasCode(error, 'data_directory_locked') || (otherPort && hasCode(error, 'postgres_port_in_use'))
      if (!again || performance.now() > deadline) throw error
      await pause(100)
    }
  }
}

function handle(server: Started, place: Place, lock: Lock): EmbeddedPostgres {
  const { pid, port, password } = server
  let stopping: Promise<void> | undefined
  let ended = false
  // For an end without stop(), as by process.exit: the signal is sent, the server finishes on its own.
  const onExit = () => send(pid, 'SIGINT')
  process.once('exit', onExit)
  const exited = server.exited.then(({ code, signal, output }) => {
    ended = true
    process.off('exit', onExit)
    if (stopping) return undefined
    return fromServerExit(output, signal ?? `exit status ${code}`)
  })
  const stop = async () => {
    // Once it has ended its number may belong to anybody.
    if (!ended) await endServer(pid)
    await exited
    await lock.release()
  }
  return {
    url: `postgresql://${superuser}:${password}@127.0.0.1:${port}/postgres`,
    pid,
    port,
    directory: place.home,
    exited,
    stop() {
      stopping ??= stop()
      return stopping
    },
  }
}

/** Open enough to pass through: the server may run as another user. What is secret in there has a mode of its own. */
async function makeDirectory(path: string): Promise<void> {
  if ((await mkdir(path, { recursive: true })) !== undefined) await chmod(path, 0o755)
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (hasCode(error, 'ENOENT')) return false
      throw error
    },
  )
}

async function checkVersion(data: string, major: number): Promise<void> {
  const text = await readFile(join(data, 'PG_VERSION'), 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return ''
    throw error
  })
  if (text.trim() === String(major)) return
  const version = /^\d+$/.test(text.trim()) ? text.trim() : undefined
  // In the server's own words, so that one place says what they mean.
  const found = version
    ? `was initialized by PostgreSQL version ${version}`
    : `"${data}" is not a valid data directory: PG_VERSION`
  throw fromServerOutput(
    version ? `${data} ${found}, which is not compatible with version ${major}` : `${found} is missing or unreadable`,
  )
}
