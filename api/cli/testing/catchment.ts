// Catchment as a user runs it: the real program in a process of its own, for tests that look at it from outside.
import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Control, connectControl } from '../../../integrations/github/sandbox/control/client.ts'

export const bin = fileURLToPath(new URL('../bin.js', import.meta.url))

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A directory that goes with the test; others may pass through it, as the database's user must. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'catchment-e2e-'))
  await chmod(path, 0o755)
  return {
    path,
    remove: async () => {
      const elsewhere = await realpath(join(path, 'data', 'postgres')).catch(() => undefined)
      if (elsewhere !== undefined) await rm(elsewhere, { recursive: true, force: true })
      await rm(path, { recursive: true, force: true })
    },
  }
}

/** The environment of a test's Catchment: nothing of the machine's own configuration reaches it. */
export function environment(folder: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    CATCHMENT_DATA: join(folder, 'data'),
    CATCHMENT_PORT: '0',
    ...more,
  }
}

/** Runs one command of the CLI to its end. */
export async function cli(
  args: readonly string[],
  options: { readonly folder: string; readonly env?: Readonly<Record<string, string>>; readonly input?: string },
): Promise<Finished> {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: options.folder,
    env: environment(options.folder, options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const output = collect(child)
  child.stdin.end(options.input ?? '')
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { code, ...output() }
}

export interface Running {
  readonly url: string
  readonly pid: number
  readonly child: ChildProcess
  readonly sandbox: { readonly url: string; readonly token: string; readonly control: Control }
  stderr(): string
  /** Resolves when it has ended, asked to or not. */
  readonly ended: Promise<Finished>
  /** GET below the address, with the admin key; answers parsed JSON. */
  get(path: string): Promise<{ status: number; body: unknown }>
  post(path: string, body?: unknown): Promise<{ status: number; body: unknown }>
  /** A call to the sandbox as a person would make it. */
  github(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>
  /** SIGTERM, and waits for the end. */
  stop(): Promise<Finished>
  /** SIGKILL of Node alone: the database stays behind as an orphan. */
  kill(): Promise<void>
}

/** Starts Catchment in `folder` and waits until the scanned catalog can be served (or, with `ready: false`, until it listens). */
export async function startCatchment(options: {
  readonly folder: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly ready?: boolean
}): Promise<Running> {
  const child = spawn(process.execPath, [bin, 'start', '--life', '0', ...(options.args ?? [])], {
    cwd: options.folder,
    env: environment(options.folder, options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = collect(child)
  let ended = false
  const closed = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      ended = true
      resolve(code)
    })
  })
  const data = options.env?.['CATCHMENT_DATA'] ?? join(options.folder, 'data')
  const until = async <T>(what: string, probe: () => Promise<T | undefined>): Promise<T> => {
    const deadline = Date.now() + 60_000
    for (;;) {
      const found = await probe().catch(() => undefined)
      if (found !== undefined) return found
      if (ended || Date.now() > deadline)
        throw new Error(
          `Catchment ${ended ? 'ended' : 'was too slow'} before ${what}:\n${output().stderr}${output().stdout}`,
        )
      await pause(25)
    }
  }
  try {
    const url = await until('it listened', async () => /Catchment on (http\S+),/.exec(output().stderr)?.[1])
    const key = (await readFile(join(data, 'admin-key'), 'utf8')).trim()
    const access = await readFile(join(data, 'sandbox-access.json'), 'utf8').then(
      (text) => JSON.parse(text) as { url: string; token: string; controlToken: string },
      () => ({ url: '', token: '', controlToken: '' }),
    )
    const call = async (method: string, address: string, token: string, body?: unknown) => {
      const answer = await fetch(address, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          'user-agent': 'catchment-test',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await answer.text()
      const isJson = answer.headers.get('content-type')?.includes('json') === true
      return { status: answer.status, body: text !== '' && isJson ? (JSON.parse(text) as unknown) : text }
    }
    if (options.ready !== false)
      await until('the catalog was ready', async () =>
        (await fetch(`${url}/readyz`)).status === 200 ? true : undefined,
      )
    return {
      url,
      pid: child.pid ?? -1,
      child,
      sandbox: { url: access.url, token: access.token, control: connectControl(access.url, access.controlToken) },
      stderr: () => output().stderr,
      ended: closed.then((code) => ({ code, ...output() })),
      get: (path) => call('GET', url + path, key),
      post: (path, body = {}) => call('POST', url + path, key, body),
      github: (method, path, body) => call(method, access.url + path, access.token, body),
      stop: async () => {
        child.kill('SIGTERM')
        return { code: await closed, ...output() }
      },
      kill: async () => {
        child.kill('SIGKILL')
        await closed
      },
    }
  } catch (error) {
    child.kill('SIGTERM')
    await closed
    throw error
  }
}

/** Polls until `probe` answers something else than undefined. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  milliseconds = 30_000,
): Promise<T> {
  const deadline = Date.now() + milliseconds
  for (;;) {
    const found = await probe()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`not in ${milliseconds} ms: ${what}`)
    await pause(20)
  }
}

function collect(child: ChildProcess): () => { stdout: string; stderr: string } {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  return () => ({ stdout, stderr })
}
