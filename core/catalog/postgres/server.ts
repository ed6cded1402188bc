import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, rename } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Binaries } from './binaries.ts'
import { fromServerOutput } from './errors.ts'
import { environment } from './initialise.ts'
import type { Place } from './place.ts'
import { hasCode } from './process.ts'

/** Marks a server as ours, in its command line as well. */
export const clusterName = 'catchment'

const ownSettings = {
  cluster_name: clusterName,
  // Errors of statements reach the client, who knows what they mean; here they would fill the disk and leak values.
  log_min_messages: 'log',
  log_checkpoints: 'off',
  log_timezone: 'UTC',
  // A crash ends the server, which its owner hears of. Left to itself on a full disk, PostgreSQL 18 now and then goes on
  // without the process that recovers, and refuses every connection even when there is room again.
  restart_after_crash: 'off',
}

export interface ServerExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** What it wrote in this run. */
  readonly output: string
}

export interface Server {
  readonly pid: number
  readonly exited: Promise<ServerExit>
}

export interface LaunchOptions {
  readonly binaries: Binaries
  readonly place: Place
  readonly port: number
  readonly settings: Readonly<Record<string, string>>
  /** Called every ten seconds while it is not ready, as after a crash, with the last line it wrote. */
  readonly onWait: (line: string) => void
}

/** Starts postgres and waits until it takes connections; throws what it said if it ends before. */
export async function launch(options: LaunchOptions): Promise<Server> {
  const { home, account } = options.place
  const data = join(home, 'data')
  const logFile = join(home, 'server.log')
  const settings = Object.entries({ ...ownSettings, ...options.settings }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  const flags = ['-D', data, '-p', String(options.port), '-k', '', '-c', 'listen_addresses=127.0.0.1', ...settings]
  await rename(logFile, `${logFile}.1`).catch(() => undefined)
  const log = await open(logFile, 'wx', 0o600)
  try {
    // A session of its own: Ctrl-C in a terminal must reach Catchment alone, which then stops its server last. Output goes
    // to a file, as a pipe would end with us and take the words of an orphan with it.
    const stdio: ['ignore', number, number] = ['ignore', log.fd, log.fd]
    const child = spawn(join(options.binaries.bin, 'postgres'), flags, {
      cwd: home,
      env: environment,
      detached: true,
      stdio,
      ...account,
    })
    const exited = new Promise<ServerExit>((resolve) => {
      child.once('exit', (code, signal) => {
        const output = readFile(logFile, 'utf8').catch(() => '')
        void output.then((text) => resolve({ code, signal, output: text }))
      })
    })
    // Rejects when it could not be spawned at all.
    await once(child, 'spawn')
    await ready(join(data, 'postmaster.pid'), child.pid ?? 0, exited, async () => {
      options.onWait((await readFile(logFile, 'utf8')).trimEnd().split('\n').at(-1) ?? '')
    })
    return { pid: child.pid ?? 0, exited }
  } catch (error) {
    throw error instanceof Error && hasCode(error, 'ENOENT', 'EACCES', 'EPERM', 'ENOEXEC')
      ? fromServerOutput(error.message, error)
      : error
  } finally {
    await log.close()
  }
}

async function ready(
  pidFile: string,
  pid: number,
  exited: Promise<ServerExit>,
  onWait: () => Promise<void>,
): Promise<void> {
  const end = exited.then(({ output }) => {
    throw fromServerOutput(output)
  })
  for (let waited = 1; ; waited++) {
    await Promise.race([pause(10), end])
    const file = await readPidFile(pidFile)
    if (file?.pid === pid && file.status === 'ready') return
    if (waited % 1000 === 0) await onWait()
  }
}

/** The lines of postmaster.pid we use. */
export interface PidFile {
  readonly pid: number
  readonly data: string
  readonly status: string
}

export async function readPidFile(path: string): Promise<PidFile | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return ''
    throw error
  })
  const lines = text.split('\n').map((line) => line.trim())
  const pid = Number(lines[0])
  return Number.isInteger(pid) && pid > 0 ? { pid, data: lines[1] ?? '', status: lines[7] ?? '' } : undefined
}

/** A port nobody listens on just now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
