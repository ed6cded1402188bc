import { randomUUID } from 'node:crypto'
import { link, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { fileTrouble, PostgresError } from './errors.ts'
import { hasCode, identify, type ProcessIdentity, sameProcess, world } from './process.ts'

/** What a lock file says: which process holds it, in which world its number counts, and since when (for people). */
interface Owner extends ProcessIdentity {
  readonly world: string
  readonly since: string
  readonly token: string
}

export interface Lock {
  /** Removes the file, if it is still ours. */
  release(): Promise<void>
}

export interface LockOptions {
  /** A lock of another world is there; it is watched for a sign of life for this many milliseconds. */
  readonly onWatch?: (milliseconds: number) => void
  /** The lock there belongs to a dead process, whose number this is, and is about to be replaced. */
  readonly onDead?: (pid: number) => void | Promise<void>
  readonly heartbeat?: number
}

/** Milliseconds between two signs of life, and how many of them must be missing before a lock of another world is dead. */
const defaultHeartbeat = 2_000
const missedBeats = 5

/**
 * Takes the lock file at `path` or throws `data_directory_locked`. A lock whose process is dead is replaced; one of
 * another container or machine (or from before a reboot) only if nobody renews it while we look. What cannot be read as
 * a lock is never touched.
 */
export async function acquireLock(path: string, options: LockOptions = {}): Promise<Lock> {
  const heartbeat = options.heartbeat ?? defaultHeartbeat
  const self = identify(process.pid) ?? { pid: process.pid, started: '' }
  const owner: Owner = { ...self, world: world(), since: new Date().toISOString(), token: randomUUID() }
  const draft = `${path}.${owner.token}`
  const file = await open(draft, 'wx', 0o644).catch((error: unknown) => {
    throw fileTrouble(path, error)
  })
  try {
    await file.writeFile(`${JSON.stringify(owner)}\n`)
    await file.sync()
    await place(path, draft, options)
  } catch (error) {
    await file.close()
    throw fileTrouble(path, error)
  } finally {
    await rm(draft, { force: true })
  }
  // Through the open file, so that it never renews a lock that has replaced ours.
  const beat = setInterval(() => {
    const now = new Date()
    file.utimes(now, now).catch(() => undefined)
  }, heartbeat)
  beat.unref()
  return {
    async release() {
      clearInterval(beat)
      if ((await read(path).catch(() => undefined))?.token === owner.token) await rm(path, { force: true })
      await file.close().catch(() => undefined)
    },
  }
}

/**
 * Puts `draft` at `path`. Linking fails when something is there. A dead lock is replaced only by who holds the guard named
 * after that very lock, so of two that see the same dead owner one waits for its turn and then finds the other's lock.
 */
async function place(path: string, draft: string, options: LockOptions): Promise<void> {
  for (;;) {
    try {
      await link(draft, path)
      return
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error
    }
    const holder = await read(path)
    if (!holder) continue
    if (await alive(path, holder, options)) throw locked(path, holder)
    await options.onDead?.(holder.pid)
    const guard = await acquireLock(`${path}.${holder.token}.dead`, options)
    try {
      if ((await read(path))?.token !== holder.token) continue
      await rename(draft, path)
      return
    } finally {
      await guard.release()
    }
  }
}

async function read(path: string): Promise<Owner | undefined> {
  try {
    const owner: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (isOwner(owner)) return owner
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new PostgresError(`${path} is not a lock Catchment wrote`, {
    code: 'data_directory_locked',
    hint: 'If no Catchment runs on this directory, delete that file by hand.',
  })
}

async function alive(path: string, holder: Owner, options: LockOptions): Promise<boolean> {
  if (holder.world === world()) return sameProcess(holder)
  const watch = (options.heartbeat ?? defaultHeartbeat) * missedBeats
  options.onWatch?.(watch)
  const before = await modified(path)
  const step = watch / 20
  for (let waited = 0; waited < watch; waited += step) {
    await pause(step)
    if ((await modified(path)) !== before) return (await read(path)) !== undefined
  }
  return false
}

/** Undefined when it is gone. */
async function modified(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs
  } catch {
    return undefined
  }
}

function isOwner(value: unknown): value is Owner {
  if (typeof value !== 'object' || value === null) return false
  const { pid, ...texts }: Partial<Record<keyof Owner, unknown>> = value
  return (
    typeof pid === 'number' &&
    [texts.started, texts.world, texts.since, texts.token].every((each) => typeof each === 'string')
  )
}

function locked(path: string, { pid, since, world: itsWorld }: Owner): PostgresError {
  const here = itsWorld === world()
  const who = here ? `process ${pid}` : `process ${pid} of another container or machine`
  return new PostgresError(`the data directory is in use by ${who} since ${since} (${path})`, {
    code: 'data_directory_locked',
    hint: here
      ? `Use the Catchment that runs, or stop it (kill ${pid}), or give this one a directory of its own (CATCHMENT_DATA).`
      : 'Stop the other one, or give this one a directory of its own (CATCHMENT_DATA).',
    details: { pid, since },
  })
}
