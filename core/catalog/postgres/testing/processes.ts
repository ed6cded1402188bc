import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { endServer } from '../orphan.ts'
import { commandLine, identify } from '../process.ts'
import { readPidFile } from '../server.ts'

export interface Program {
  readonly node: string
  readonly script: string
  readonly uid?: number
  readonly gid?: number
}

const owner: Program = { node: process.execPath, script: fileURLToPath(new URL('./owner.ts', import.meta.url)) }

export interface Line {
  readonly event: string
  readonly url?: string
  readonly pid?: number
  readonly directory?: string
  readonly code?: string
  readonly message?: string
  readonly hint?: string
}

/** A running owner.ts and what it has said. */
export class Owner {
  readonly lines: Line[] = []
  readonly child: ChildProcess
  /** Resolves with the exit status or the signal, after its last line. */
  readonly exited: Promise<number | string | null>
  #errors = ''

  constructor(
    dataDir: string,
    settings: readonly string[] = ['fsync=off'],
    { node, script, ...account }: Program = owner,
  ) {
    this.child = spawn(node, [script, dataDir, ...settings], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: '/',
      ...account,
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text
    })
    const { stdout } = this.child
    if (stdout) createInterface(stdout).on('line', (line) => this.lines.push(JSON.parse(line)))
    this.exited = once(this.child, 'close').then(([code, signal]) => signal ?? code)
  }

  /** The line of this event, once it is there. Throws if the process ends without it. */
  async said(event: string): Promise<Line> {
    const found = () => this.lines.find((line) => line.event === event)
    const ended = this.exited.then((how) => {
      const line = found()
      if (line) return line
      throw new Error(`ended (${how}) without ${event}: ${JSON.stringify(this.lines)} ${this.#errors}`)
    })
    for (;;) {
      const line = found() ?? (await Promise.race([pause(10), ended]))
      if (line) return line
    }
  }

  async kill(signal: NodeJS.Signals): Promise<number | string | null> {
    this.child.kill(signal)
    return this.exited
  }
}

/** A directory another user may pass through; `remove` ends what still runs on it and deletes it, wherever it lives. */
export async function temporaryDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'catchment-embedded-')))
  await chmod(path, 0o755)
  return { path, remove: () => removeDataDirectory(path) }
}

export async function removeDataDirectory(path: string): Promise<void> {
  const home = await realpath(join(path, 'postgres')).catch(() => undefined)
  if (home !== undefined) {
    const file = await readPidFile(join(home, 'data/postmaster.pid')).catch(() => undefined)
    if (file && identify(file.pid) && commandLine(file.pid).includes(` ${home}/data `)) await endServer(file.pid)
    await rm(home, { recursive: true, force: true })
  }
  await rm(path, { recursive: true, force: true })
}

export async function until(condition: () => boolean | Promise<boolean>, what: string, seconds = 30): Promise<void> {
  for (const deadline = performance.now() + seconds * 1000; !(await condition()); await pause(20)) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${seconds} s`)
  }
}
