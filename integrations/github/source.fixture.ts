import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RawDelivery } from '../../core/sdk/index.ts'
import { type Sandbox, startSandbox } from './sandbox/sandbox.ts'

/** Signs what the sandbox sends. */
export const secret = 'a secret of this test'

/** Beside its own members, what the conformance suite asks of a source. */
export interface GithubSource {
  fail(how: 'cut' | 'html' | 'exhausted', seconds?: number): Promise<void>
  lose(partition: string): Promise<void>
  heal(): Promise<void>
  calls(): Promise<number>
  unknownKey(kind: string): string
  deliveries(): Promise<{ readonly secret: string; readonly sent: readonly RawDelivery[] }>
  close(): Promise<void>
  readonly sandbox: Sandbox
  /** A change through REST, as a person makes it. */
  change(method: string, path: string, body?: object): Promise<Record<string, unknown>>
  /** What was delivered since the last call, once nothing is on its way. */
  received(): Promise<readonly RawDelivery[]>
}

/** The sandbox over real HTTP with a receiver for the deliveries of both organisations. */
export async function openSource(options: { readonly repos?: number } = {}): Promise<GithubSource> {
  const data = await mkdtemp(join(tmpdir(), 'catchment-github-'))
  // A suite asks in seconds what a scan spreads over minutes; limits have rules of their own.
  const limits = { hourly: 1_000_000, pointsPerMinute: 1_000_000, creationsPerMinute: 1_000_000 }
  const sandbox = await startSandbox({ data, repos: options.repos ?? 40, seed: 7, limits })
  const inbox: RawDelivery[] = []
  const receiver = await receive(inbox)

  const change = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${sandbox.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${sandbox.token}`, 'user-agent': 'test' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    const text = await answer.text()
    // A test reads single fields of it and checks each.
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  }
  const received = async (): Promise<readonly RawDelivery[]> => {
    await sandbox.control.settle()
    return inbox.splice(0)
  }
  const config = { url: receiver.url, content_type: 'json', secret }
  for (const org of ['acme', 'acme-labs']) {
    await change('POST', `/orgs/${org}/hooks`, { name: 'web', active: true, events: ['*'], config })
  }
  await received()

  return {
    sandbox,
    change,
    received,
    async fail(how, seconds = 60) {
      const kind = { cut: 'truncate', html: 'html', exhausted: 'rate-limit-exhausted' } as const
      await sandbox.control.fault({ kind: kind[how], seconds, honest: true })
    },
    async lose(partition) {
      const [org = '', repository] = partition.split('/')
      const match = repository === undefined ? {} : { match: { path: `^/repos/${partition}(/|$)` } }
      await sandbox.control.fault({ kind: 'lose-permission', org, as: 'not-found', ...match })
    },
    heal: () => sandbox.control.heal(),
    calls: async () => (await sandbox.control.requests(Number.MAX_SAFE_INTEGER)).counts.total,
    unknownKey: () => '987654321',
    async deliveries() {
      const name = `conformance-${Date.now()}`
      await change('POST', '/orgs/acme/repos', { name, private: true, description: 'before' })
      await change('PATCH', `/repos/acme/${name}`, { description: 'after', homepage: 'https://example.com' })
      await change('PATCH', `/repos/acme/${name}`, { name: `${name}-new` })
      await change('PUT', `/repos/acme/${name}-new/topics`, { names: ['one', 'two'] })
      await change('PATCH', `/repos/acme/${name}-new`, { archived: true })
      return { secret, sent: await received() }
    },
    async close() {
      receiver.server.closeAllConnections()
      await new Promise((resolve) => receiver.server.close(resolve))
      await sandbox.stop()
      await rm(data, { recursive: true, force: true })
    },
  }
}

async function receive(inbox: RawDelivery[]): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as const)
      inbox.push({ headers: Object.fromEntries(headers), body: Buffer.concat(chunks) })
      response.writeHead(202).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server has an address of this form; only pipes have a string.
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server }
}
