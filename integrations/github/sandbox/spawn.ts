// The sandbox as a process of its own: for tests that kill one side and look at the other.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { type Control, connectControl } from './control/client.ts'

export interface SpawnOptions {
  data: string
  port?: number
  repos?: number
  seed?: number
  life?: number
  controlToken?: string
}

export interface SpawnedSandbox {
  readonly url: string
  readonly token: string
  readonly control: Control
  readonly pid: number
  /** Resolves when it has ended, asked to or not. */
  readonly exited: Promise<void>
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>
}

const listening = z.object({
  event: z.literal('listening'),
  url: z.string(),
  token: z.string(),
  controlToken: z.string(),
})

const main = fileURLToPath(new URL('./main.ts', import.meta.url))

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

/** Resolves once it answers; rejects with what it wrote if it ends before. */
export async function spawnSandbox(options: SpawnOptions): Promise<SpawnedSandbox> {
  const { controlToken, ...rest } = options
  const named = { ...rest, ...(controlToken === undefined ? {} : { 'control-token': controlToken }) }
  const args = Object.entries(named).flatMap(([name, value]) => [`--${name}`, String(value)])
  const child = spawn(process.execPath, [main, '--json', '--with-parent', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Ctrl-C goes to the whole group: who started it ends it, when nothing needs it any more.
    detached: true,
  })
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let complaints = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-4000)
  })
  const line = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the sandbox ended with ${code ?? 'a signal'}: ${complaints}`)))
    createInterface(child.stdout).once('line', resolve)
  })
  child.removeAllListeners('exit')
  const { url, token, controlToken: key } = listening.parse(JSON.parse(line))
  return {
    url,
    token,
    control: connectControl(url, key),
    pid: child.pid ?? -1,
    exited,
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
  }
}
