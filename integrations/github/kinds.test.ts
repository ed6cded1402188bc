// Every kind of what is in a repository: one table, the same questions of each.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHttp } from '../../core/http/index.ts'
import { type Connection, type Json, type Kind, type Page, ScopeUnreadable } from '../../core/sdk/index.ts'
import { github } from './index.ts'
import { type GithubSource, openSource } from './source.fixture.ts'

let source: GithubSource
let connection: Connection
let close: () => Promise<void>
/** The clock of our side, so that a look at the repositories is not remembered from one test to the next. */
let ahead = 0

const repo = '/repos/acme/checkout'
const never = new AbortController().signal

beforeAll(async () => {
  source = await openSource({ repos: 12 })
  const now = (): number => Date.now() + ahead
  const sleep = (): Promise<void> => Promise.resolve()
  const log = (): void => undefined
  const http = createHttp({ credential: 'kinds', clock: { now, sleep }, random: () => 0.5, log })
  const { token, url } = source.sandbox
  const config = github.config.parse({ token, baseUrl: url, organizations: ['acme', 'acme-labs'], pageSize: 2 })
  const asked = {
    selectors: { folder: [{ folders: [{ path: '**' }] }], file: [{ files: [{ path: '**' }] }] },
    options: {},
  }
  connection = github.connect(config, { fetch: http.fetch, log, now, asked })
  close = () => http.close()
})
afterAll(async () => {
  await close()
  await source.close()
})

const change = (method: string, path: string, body?: object): Promise<Record<string, unknown>> =>
  source.change(method, path, body)
const write = (path: string, text: string): Promise<unknown> =>
  change('PUT', `${repo}/contents/${path}`, { message: 'x', content: Buffer.from(text).toString('base64') })

interface Row {
  readonly kind: string
  /** Makes one more; answers how it is found among the items. */
  make(n: number): Promise<(item: Record<string, unknown>) => boolean>
  /** Gives that one another name, or what comes nearest. Absent: GitHub has none. */
  rename?(item: Record<string, unknown>): Promise<unknown>
  remove(item: Record<string, unknown>): Promise<unknown>
  /** It stays, but nobody wants it any more: a closed pull request where the open ones are wanted. */
  readonly events: readonly string[]
  readonly organization?: true
}

const sha = '1'.repeat(40)
const numbered =
  (number: unknown) =>
  (item: Record<string, unknown>): boolean =>
    item['number'] === number
const withId =
  (id: unknown) =>
  (item: Record<string, unknown>): boolean =>
    item['id'] === id
const called =
  (name: string) =>
  (item: Record<string, unknown>): boolean =>
    item['name'] === name
const finding = (kind: string, type: 'dependabot' | 'code' | 'secret', path: string, closed: object): Row => ({
  kind,
  make: async () => {
    const number = await source.sandbox.control.find('acme/checkout', { type })
    return (item) => item['number'] === number && item['__repository'] === 'checkout'
  },
  rename: (item) => change('PATCH', `${repo}/${path}/alerts/${String(item['number'])}`, closed),
  // An alert is never deleted; it goes with its repository, which the last test of the table does.
  remove: () => Promise.resolve(undefined),
  events: [`${path.replace('-', '_')}_alert`],
  organization: true,
})

const table: readonly Row[] = [
  {
    kind: 'pull-request',
    make: async (n) => {
      await change('POST', `${repo}/git/refs`, { ref: `refs/heads/p${n}`, sha })
      const made = await change('POST', `${repo}/pulls`, { title: `P${n}`, head: `p${n}`, base: 'main' })
      return numbered(made['number'])
    },
    rename: (item) => change('PATCH', `${repo}/pulls/${String(item['number'])}`, { title: 'renamed' }),
    remove: (item) => change('PATCH', `${repo}/pulls/${String(item['number'])}`, { state: 'closed' }),
    events: ['pull_request'],
  },
  {
    kind: 'issue',
    make: async (n) => numbered((await change('POST', `${repo}/issues`, { title: `I${n}` }))['number']),
    rename: (item) => change('PATCH', `${repo}/issues/${String(item['number'])}`, { title: 'renamed' }),
    remove: (item) => source.sandbox.control.deleteIssue('acme/checkout', Number(item['number'])),
    events: ['issues'],
  },
  {
    kind: 'release',
    make: async (n) => withId((await change('POST', `${repo}/releases`, { tag_name: `r${n}` }))['id']),
    rename: (item) => change('PATCH', `${repo}/releases/${String(item['id'])}`, { name: 'renamed' }),
    remove: (item) => change('DELETE', `${repo}/releases/${String(item['id'])}`),
    events: ['release'],
  },
  {
    kind: 'branch',
    make: async (n) => {
      await change('POST', `${repo}/git/refs`, { ref: `refs/heads/b${n}`, sha })
      return called(`b${n}`)
    },
    remove: (item) => change('DELETE', `${repo}/git/refs/heads/${String(item['name'])}`),
    events: ['create', 'delete', 'push'],
  },
  {
    kind: 'tag',
    make: async (n) => {
      await change('POST', `${repo}/git/refs`, { ref: `refs/tags/t${n}`, sha })
      return called(`t${n}`)
    },
    remove: (item) => change('DELETE', `${repo}/git/refs/tags/${String(item['name'])}`),
    events: ['create', 'delete', 'push'],
  },
  {
    kind: 'workflow',
    make: async (n) => {
      await write(`.github/workflows/w${n}.yaml`, `name: W${n}\n`)
      return called(`W${n}`)
    },
    rename: (item) => write(String(item['path']), 'name: renamed\n'),
    remove: (item) => change('DELETE', `${repo}/contents/${String(item['path'])}`, { message: 'x' }),
    events: ['push'],
  },
  {
    kind: 'workflow-run',
    make: async () => {
      await change('POST', `${repo}/actions/workflows/ci.yaml/dispatches`, { ref: 'main' })
      return (item) => item['event'] === 'workflow_dispatch'
    },
    remove: (item) => change('DELETE', `${repo}/actions/runs/${String(item['id'])}`),
    events: ['workflow_run'],
  },
  {
    kind: 'environment',
    make: async (n) => withId((await change('PUT', `${repo}/environments/e${n}`, {}))['id']),
    rename: (item) => change('PUT', `${repo}/environments/${String(item['name'])}`, { wait_timer: 5 }),
    remove: (item) => change('DELETE', `${repo}/environments/${String(item['name'])}`),
    events: [],
  },
  {
    kind: 'deployment',
    make: async () => withId((await change('POST', `${repo}/deployments`, { ref: 'main' }))['id']),
    remove: (item) => change('DELETE', `${repo}/deployments/${String(item['id'])}`),
    events: ['deployment', 'deployment_status'],
  },
  {
    kind: 'collaborator',
    make: async () => {
      await change('PUT', '/orgs/acme/teams/checkout/memberships/mei-tanaka', {})
      await change('PUT', `/orgs/acme/teams/checkout${repo}`, { permission: 'push' })
      return (item) => item['login'] === 'mei-tanaka'
    },
    remove: () => change('DELETE', '/orgs/acme/memberships/mei-tanaka'),
    events: ['member'],
  },
  {
    kind: 'file',
    make: async (n) => {
      await write(`made-${n}.json`, '{"a":1}')
      return (item) => item['path'] === `made-${n}.json`
    },
    rename: (item) => write(String(item['path']), '{"a":2}'),
    remove: (item) => change('DELETE', `${repo}/contents/${String(item['path'])}`, { message: 'x' }),
    events: ['push'],
  },
  {
    kind: 'folder',
    make: async (n) => {
      await write(`folder-${n}/a.md`, 'a')
      return (item) => JSON.stringify(item['folder']).includes(`"folder-${n}"`)
    },
    remove: (item) => {
      const folder = item['folder'] as { path: string }
      return change('DELETE', `${repo}/contents/${folder.path}/a.md`, { message: 'x' })
    },
    events: ['push'],
  },
  finding('dependabot-alert', 'dependabot', 'dependabot', { state: 'dismissed', dismissed_reason: 'not_used' }),
  finding('code-scanning-alert', 'code', 'code-scanning', { state: 'dismissed' }),
  finding('secret-scanning-alert', 'secret', 'secret-scanning', { state: 'resolved', resolution: 'revoked' }),
]

const kindOf = (name: string): Kind => {
  const kind = connection.kinds.find((it) => it.name === name)
  if (kind === undefined) throw new Error(`no kind ${name}`)
  return kind
}

async function listed(row: Row): Promise<{ pages: Page[]; items: Record<string, unknown>[]; partition: string }> {
  ahead += 60_000
  const kind = kindOf(row.kind)
  const name = row.organization ? 'acme' : 'acme/checkout'
  const partition = (await kind.partitions(never)).find((it) => it.name === name)
  if (partition === undefined) throw new Error(`no partition ${name}`)
  const pages: Page[] = []
  for await (const page of kind.list({ partition, signal: never, known: () => undefined })) pages.push(page)
  const items = pages.flatMap((page) => page.items.map((item) => kind.canonical(item) as Record<string, unknown>))
  return { pages, items, partition: name }
}

const got = (row: Row, item: Record<string, unknown>) => {
  const kind = kindOf(row.kind)
  // `canonical` gives JSON.
  const json = item as Record<string, Json>
  const partition = row.organization ? 'acme' : 'acme/checkout'
  return kind.get?.(kind.key(json), kind.locator(json), partition, never)
}

test('the table has every kind that is not among the first five', () => {
  const first = ['organization', 'repository', 'team', 'user', 'team-access']
  expect(table.map(({ kind }) => kind).sort()).toEqual(
    connection.kinds
      .map(({ name }) => name)
      .filter((name) => !first.includes(name))
      .sort(),
  )
})

describe.each(table)('$kind', (row) => {
  let mine: Record<string, unknown>

  test('is listed over two pages, and each event that tells of it is a signal about its key', async () => {
    await source.received()
    let is: (item: Record<string, unknown>) => boolean = () => false
    for (const n of [1, 2, 3]) is = await row.make(n)
    const { pages, items, partition } = await listed(row)
    const singlePage = ['file', 'folder'].includes(row.kind)
    expect(pages.length).toBeGreaterThanOrEqual(singlePage ? 1 : 2)
    const found = items.find(is)
    if (found === undefined) throw new Error('what was made is not listed')
    mine = found
    const kind = kindOf(row.kind)
    const key = kind.key(mine as Json)
    const signals = (await source.received()).flatMap((delivery) => connection.webhook?.signals(delivery) ?? [])
    const about = signals.filter((signal) => signal.kind === row.kind)
    const named = about.some((it) => it.type === 'resync' || (it.key === key && it.partition === partition))
    expect(named).toBe(row.events.length > 0 && row.kind !== 'collaborator')
  })

  test('a new name keeps the key, moves the version, and is what `get` says', async () => {
    if (row.rename === undefined) return
    const kind = kindOf(row.kind)
    const before = mine as Json
    await row.rename(mine)
    const answer = await got(row, mine)
    if (answer?.state !== 'present') throw new Error(`it is ${answer?.state}`)
    expect(kind.key(answer.body)).toBe(kind.key(before))
    const after = kind.canonical(answer.body)
    expect(JSON.stringify(after)).not.toBe(JSON.stringify(before))
    if (kind.version !== undefined) {
      expect((kind.version(after) ?? '') >= (kind.version(before) ?? '')).toBe(true)
    }
    mine = after as Record<string, unknown>
  })

  test('what is deleted, or wanted by nobody any more, is gone', async () => {
    const kind = kindOf(row.kind)
    const key = kind.key(mine as Json)
    if (row.organization) return
    await row.remove(mine)
    expect(await got(row, mine)).toEqual({ state: 'gone' })
    const { items } = await listed(row)
    expect(items.map((item) => kind.key(item as Json))).not.toContain(key)
  })

  test('a scope that answers 404 is unreadable, and what is in it unknown', async () => {
    const partition = row.organization ? 'acme' : 'acme/checkout'
    const [other] = (await listed(row)).items
    await source.lose(partition)
    try {
      const kind = kindOf(row.kind)
      const pages = kind.list({ partition: { name: partition }, signal: never, known: () => undefined })
      await expect(pages[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(ScopeUnreadable)
      if (other !== undefined) expect((await got(row, other))?.state).toBe('unknown')
    } finally {
      await source.heal()
    }
  })
})

test('alerts of a repository that is deleted are gone', async () => {
  const rows = table.filter(({ organization }) => organization)
  const mine = await Promise.all(
    rows.map(async (row) => ({ row, item: (await listed(row)).items.find((it) => it['__repository'] === 'checkout') })),
  )
  await change('DELETE', repo)
  for (const { row, item } of mine) {
    if (item === undefined) throw new Error(`no ${row.kind}`)
    expect(await got(row, item)).toEqual({ state: 'gone' })
  }
})

// A repository each: within a second of the sandbox's own clock two pushes have one time.
test.each([
  ['branch', 'payments-api'],
  ['tag', 'refunds'],
  ['file', 'invoices'],
  ['folder', 'tax-rates'],
])('%s: where nothing was pushed, nothing is asked', async (name, repository) => {
  const kind = kindOf(name)
  ahead += 600_000
  const partition = (await kind.partitions(never)).find((it) => it.name === `acme/${repository}`)
  if (partition === undefined) throw new Error('no partition')
  const list = async (known: ReadonlyMap<string, Page>): Promise<Page[]> => {
    const pages: Page[] = []
    const remembered = (cursor: string) => {
      const { validator, next } = known.get(cursor) ?? {}
      return validator === undefined ? undefined : { validator, ...(next === undefined ? {} : { next }) }
    }
    for await (const page of kind.list({ partition, signal: never, known: remembered })) pages.push(page)
    return pages
  }
  const first = await list(new Map())
  const before = await source.calls()
  const second = await list(new Map(first.map((page) => [page.cursor, page])))
  expect(await source.calls()).toBe(before)
  expect(second.map((page) => [page.cursor, page.notModified])).toEqual(first.map((page) => [page.cursor, true]))
  const push = { message: 'x', content: Buffer.from('new').toString('base64') }
  await change('PUT', `/repos/acme/${repository}/contents/gate-${name}/x.md`, push)
  ahead += 600_000
  await kind.partitions(never)
  const third = await list(new Map(second.map((page) => [page.cursor, page])))
  expect(await source.calls()).toBeGreaterThan(before)
  if (name !== 'tag') expect(third.some((page) => page.notModified !== true)).toBe(true)
})
