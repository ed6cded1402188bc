import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { CatchmentError } from '../../../core/sdk/index.ts'

/** The sandbox organisation as a process of its own, so that what is scanned is reached over real HTTP. */
export interface SandboxProcess {
  readonly url: string
  readonly token: string
  readonly controlToken: string
  readonly pid: number
  /** Resolves when the process has ended, asked to or not. */
  readonly exited: Promise<void>
  stop(): Promise<void>
}

interface Listening {
  readonly event: 'listening'
  readonly url: string
  readonly token: string
  readonly controlToken: string
}

const entry = fileURLToPath(new URL('../../../integrations/github/sandbox/main.ts', import.meta.url))

export async function startSandboxProcess(options: {
  readonly data: string
  /** Seconds between two small changes; 0: nothing happens by itself. */
  readonly life: number
  readonly repos?: number
}): Promise<SandboxProcess> {
  const args = [entry, '--data', options.data, '--json', '--with-parent', '--life', String(options.life)]
  if (options.repos !== undefined) args.push('--repos', String(options.repos))
  // Its standard input is a pipe of ours: it closes when we are gone, however we went, and the sandbox goes with it.
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const listening = await firstLine(child)
  return {
    ...listening,
    pid: child.pid ?? 0,
    exited,
    stop: async () => {
      child.kill('SIGTERM')
      await exited
    },
  }
}

function firstLine(child: ChildProcess): Promise<Listening> {
  return new Promise((resolve, reject) => {
    let errors = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2000)
    })
    if (child.stdout === null) throw new TypeError('the sandbox is spawned with a pipe as standard output')
    createInterface({ input: child.stdout }).once('line', (line) => {
      // Written by our own sandbox a moment ago; anything else is a failed start.
      const parsed = JSON.parse(line) as Listening
      resolve(parsed)
    })
    child.once('error', reject)
    child.once('exit', (code) =>
      reject(
        new CatchmentError(
          `The sandbox organisation did not start (exit ${code}): ${errors.trim().split('\n').at(-1) ?? ''}`,
          {
            code: 'sandbox_failed',
            hint: 'Use your own organisation with: npm start -- --config catchment.yaml',
          },
        ),
      ),
    )
  })
}

/**
 * Registers our webhook in the sandbox, the way a person would in GitHub's settings, and keeps exactly one: the address
 * may have changed since the last start.
 */
export async function registerHooks(
  sandbox: Pick<SandboxProcess, 'url' | 'token'>,
  organizations: readonly string[],
  hook: { readonly url: string; readonly secret: string },
): Promise<void> {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${sandbox.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${sandbox.token}`,
        accept: 'application/vnd.github+json',
        'user-agent': 'catchment',
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok)
      throw new CatchmentError(`The sandbox refused ${method} ${path}: ${response.status}`, { code: 'sandbox_failed' })
    return text === '' ? undefined : (JSON.parse(text) as unknown)
  }
  for (const organization of organizations) {
    // The shape is our own sandbox's, held to GitHub's schema by its tests.
    const hooks = (await call('GET', `/orgs/${organization}/hooks`)) as readonly {
      id: number
      config: { url?: string }
    }[]
    const config = { url: hook.url, secret: hook.secret, content_type: 'json', insecure_ssl: '0' }
    const ours = hooks.filter((existing) => existing.config.url?.endsWith(new URL(hook.url).pathname))
    const [first, ...others] = ours
    for (const other of others) await call('DELETE', `/orgs/${organization}/hooks/${other.id}`)
    if (first === undefined)
      await call('POST', `/orgs/${organization}/hooks`, { name: 'web', active: true, events: ['*'], config })
    else await call('PATCH', `/orgs/${organization}/hooks/${first.id}`, { active: true, events: ['*'], config })
  }
}
