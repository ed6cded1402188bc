// The same integration against an emulator of GitHub that others made: what the sandbox and we might have misread in the same
// way shows here. It has not everything; what it lacks is listed, and checked to be lacking still.
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHttp } from '../../core/http/index.ts'
import type { Connection, Json, Kind, Page } from '../../core/sdk/index.ts'
import { github } from './index.ts'

const never = new AbortController().signal
const token = 'token-of-the-emulator'
const full = 'acme/checkout'

/** What we use of the package; its types are wider. */
interface Emulator {
  readonly url: string
  close(): Promise<void>
}
interface Emulate {
  readonly createEmulator: (options: object) => Promise<Emulator>
}

let emulator: Emulator
let connection: Connection
let close: () => Promise<void>
const ran: string[] = []

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

beforeAll(async () => {
  const users = [{ login: 'admin', site_admin: true }, { login: 'mei' }]
  const repos = [{ owner: 'acme', name: 'checkout', auto_init: true }]
  const seed = {
    tokens: { [token]: { login: 'admin', scopes: ['repo', 'read:org', 'admin:org'] } },
    github: {
      users,
      orgs: [{ login: 'acme', name: 'Acme', members: [{ login: 'admin', role: 'admin' }, { login: 'mei' }] }],
      repos,
    },
  }
  const { createEmulator } = (await import(import.meta.resolve('emulate'))) as Emulate
  emulator = await createEmulator({ service: 'github', port: await freePort(), seed })
  const clock = { now: Date.now, sleep: (): Promise<void> => Promise.resolve() }
  const log = (): void => undefined
  const http = createHttp({ credential: 'emulate', clock, random: () => 0.5, log })
  // It knows a repository by its number, but nothing that is in it: GitHub leads from one address to the other.
  const id = String((await call('GET', `/repos/${full}`))['id'])
  const fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init)
    const url = request.url.replace(new RegExp(`/repositories/${id}/`), `/repos/${full}/`)
    return http.fetch(new Request(url, request))
  }
  const config = { token, baseUrl: emulator.url, organizations: ['acme'], only: [full], pageSize: 2 }
  connection = github.connect(github.config.parse(config), { fetch, log, now: Date.now })
  close = () => http.close()
}, 60_000)
afterAll(async () => {
  console.info(`against the emulator: ${ran.length} ran (${ran.join(', ')}), ${lacks.length} kinds it has not`)
  await close?.()
  await emulator?.close()
})

async function call(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const answer = await fetch(emulator.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'user-agent': 'test', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`)
  const text = await answer.text()
  // A test reads single fields of it.
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
}

const kindOf = (name: string): Kind => {
  const kind = connection.kinds.find((it) => it.name === name)
  if (kind === undefined) throw new Error(`no kind ${name}`)
  return kind
}

async function listed(name: string): Promise<{ pages: Page[]; items: Json[]; partition: string }> {
  const kind = kindOf(name)
  const [partition] = await kind.partitions(never)
  if (partition?.unknown !== undefined || partition === undefined) throw new Error(`unknown: ${partition?.unknown}`)
  const pages: Page[] = []
  for await (const page of kind.list({ partition, signal: never, known: () => undefined })) pages.push(page)
  return {
    pages,
    items: pages.flatMap((page) => page.items.map((item) => kind.canonical(item))),
    partition: partition.name,
  }
}

interface Row {
  readonly kind: string
  make?(n: number): Promise<unknown>
  /** Is it one that `make` made? */
  readonly made?: (item: Record<string, unknown>) => boolean
  /** Takes one away that was made. */
  remove?(item: Record<string, unknown>): Promise<unknown>
  /** It does not know the address by which we ask for one. */
  readonly withoutGet?: true
  /** The emulator hands out everything as one page. */
  readonly onePage?: true
  /** There is one of it, however often it is made. */
  readonly single?: true
}

const repo = `/repos/${full}`
const content = Buffer.from('x').toString('base64')
const table: readonly Row[] = [
  { kind: 'organization', onePage: true },
  { kind: 'repository', onePage: true },
  { kind: 'team', onePage: true, withoutGet: true },
  { kind: 'user', onePage: true },
  {
    kind: 'codeowners',
    make: () => call('PUT', `${repo}/contents/CODEOWNERS`, { message: 'x', content }).catch(() => undefined),
    remove: async () => {
      const { sha } = await call('GET', `${repo}/contents/CODEOWNERS`)
      return call('DELETE', `${repo}/contents/CODEOWNERS`, { message: 'x', sha })
    },
    onePage: true,
    single: true,
  },
  {
    kind: 'issue',
    make: (n) => call('POST', `${repo}/issues`, { title: `I${n}` }),
    remove: (item) => call('PATCH', `${repo}/issues/${String(item['number'])}`, { state: 'closed' }),
  },
  {
    kind: 'release',
    make: (n) => call('POST', `${repo}/releases`, { tag_name: `v${n}` }),
    remove: (item) => call('DELETE', `${repo}/releases/${String(item['id'])}`),
  },
  {
    kind: 'branch',
    make: async (n) => {
      const main = await call('GET', `${repo}/branches/main`)
      const { sha } = main['commit'] as { sha: string }
      return call('POST', `${repo}/git/refs`, { ref: `refs/heads/b${n}`, sha })
    },
    made: (item) => item['name'] !== 'main',
    remove: (item) => call('DELETE', `${repo}/git/refs/heads/${String(item['name'])}`),
  },
  {
    kind: 'pull-request',
    make: (n) => call('POST', `${repo}/pulls`, { title: `P${n}`, head: `b${n}`, base: 'main' }),
    remove: (item) => call('PATCH', `${repo}/pulls/${String(item['number'])}`, { state: 'closed' }),
  },
  { kind: 'tag' },
  { kind: 'workflow' },
  { kind: 'workflow-run' },
  { kind: 'collaborator' },
  {
    kind: 'file',
    make: (n) => call('PUT', `${repo}/contents/${n === 1 ? 'package.json' : `${n}.txt`}`, { message: 'x', content }),
    made: (item) => item['path'] === 'package.json',
    remove: async () => {
      const { sha } = await call('GET', `${repo}/contents/package.json`)
      return call('DELETE', `${repo}/contents/package.json`, { message: 'x', sha })
    },
    onePage: true,
    single: true,
  },
]

/** It answers 404 to their listings. */
const lacks = [
  'environment',
  'deployment',
  'deployment-status',
  'dependabot-alert',
  'code-scanning-alert',
  'secret-scanning-alert',
] as const
/** They are made of what other rows ask already. */
const alike = ['team-access', 'folder']

test('every kind is in the table, or lacking', () => {
  const all = [...table.map(({ kind }) => kind), ...lacks, ...alike]
  expect(all.sort()).toEqual(connection.kinds.map(({ name }) => name).sort())
})

describe.each(table)('$kind', (row) => {
  test('is listed page by page, and `get` says the same of each', async () => {
    for (const n of [1, 2, 3]) await row.make?.(n)
    const kind = kindOf(row.kind)
    const { pages, items, partition } = await listed(row.kind)
    if (row.make !== undefined) expect(pages.length).toBeGreaterThanOrEqual(row.onePage ? 1 : 2)
    const keys = items.map((item) => kind.key(item))
    expect(new Set(keys).size).toBe(keys.length)
    if (row.make !== undefined) expect(keys.length).toBeGreaterThanOrEqual(row.single ? 1 : 3)
    for (const item of row.withoutGet ? [] : items) {
      const answer = await kind.get?.(kind.key(item), kind.locator(item), partition, never)
      expect(answer?.state, JSON.stringify(item).slice(0, 200)).toBe('present')
      if (answer?.state === 'present') expect(kind.key(answer.body)).toBe(kind.key(item))
    }
    ran.push(`${row.kind}: list${items.length > 0 && !row.withoutGet ? ', get' : ''}`)
  })
})

describe.each(table.filter((row) => 'remove' in row))('$kind', (row) => {
  test('what is taken away is gone', async () => {
    const kind = kindOf(row.kind)
    const { items, partition } = await listed(row.kind)
    // `canonical` gives an object.
    const last = items.findLast((item) => row.made?.(item as Record<string, unknown>) ?? true)
    if (last === undefined || row.remove === undefined) throw new Error('nothing to take away')
    // `canonical` gives an object.
    await row.remove(last as Record<string, unknown>)
    const answer = await kind.get?.(kind.key(last), kind.locator(last), partition, never)
    expect(answer?.state).toBe('gone')
    expect((await listed(row.kind)).items.map((item) => kind.key(item))).not.toContain(kind.key(last))
    ran.push(`${row.kind}: delete`)
  })
})

test.each(lacks)('%s is lacking still', async (name) => {
  await expect(listed(name)).rejects.toThrow(/404|unknown/)
})
