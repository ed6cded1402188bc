// A sandbox, a client and a receiver of webhooks for one test; all gone when it ends.
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Octokit } from '@octokit/rest'
import { onTestFinished } from 'vitest'
import { type Sandbox, type SandboxOptions, startSandbox } from '../sandbox.ts'

export async function temporaryDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'sandbox-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

export async function freshSandbox(options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ data: options.data ?? (await temporaryDir()), repos: 30, ...options })
  onTestFinished(() => sandbox.stop())
  return sandbox
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

export const clientOf = (sandbox: { url: string; token: string }, token = sandbox.token): Octokit =>
  new Octokit({ baseUrl: sandbox.url, auth: token, log: silent })

interface Received {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly event: string
  readonly action: string | undefined
}

export interface Receiver {
  readonly url: string
  readonly received: Received[]
  /** Answers with this from now on. */
  status: number
}

export async function webhookReceiver(): Promise<Receiver> {
  const received: Received[] = []
  const state = { url: '', received, status: 202 }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const payload: unknown = JSON.parse(body)
      const action =
        typeof payload === 'object' && payload !== null && 'action' in payload ? String(payload.action) : undefined
      received.push({ headers: request.headers, body, event: String(request.headers['x-github-event']), action })
      response.writeHead(state.status).end('thanks')
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  // An address of a listening TCP server is always an object.
  const { port } = server.address() as AddressInfo
  state.url = `http://127.0.0.1:${port}/`
  return state
}

export async function hookInto(
  client: Octokit,
  url: string,
  events = ['*'],
  org = 'acme',
  secret = 'a secret',
): Promise<number> {
  const config = { url, content_type: 'json', secret }
  return (await client.rest.orgs.createWebhook({ org, name: 'web', events, config })).data.id
}

/** Runs what must be refused and hands over how. */
export async function refusal(
  attempt: Promise<unknown>,
): Promise<{ status: number; headers: Record<string, string>; message: string }> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Error) || !('status' in error)) throw new Error(`not refused: ${String(error)}`)
  const headers = 'response' in error ? Reflect.get(Object(error.response), 'headers') : {}
  return { status: Number(error.status), headers: { ...headers }, message: error.message }
}
