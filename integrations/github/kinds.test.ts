// One table with a row for every kind, and the same questions of each. What becomes of their events is in events.test.ts.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHttp } from '../../core/http/index.ts'
import { compileMappings } from '../../core/mapping/index.ts'
import { type Connection, type Json, type Kind, type Page, ScopeUnreadable } from '../../core/sdk/index.ts'
import { github } from './index.ts'
import { type GithubSource, openSource } from './source.fixture.ts'
import { applies, type Item, type Row, repo } from './table/row.fixture.ts'
import { tableOf } from './table/table.fixture.ts'

let source: GithubSource
let connection: Connection
let close: () => Promise<void>
/** The clock of our side, so that a look at the repositories is not remembered from one test to the next. */
let ahead = 0

const never = new AbortController().signal
const table = tableOf(() => source)

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

const kindOf = (name: string): Kind => {
  const kind = connection.kinds.find((it) => it.name === name)
  if (kind === undefined) throw new Error(`no kind ${name}`)
  return kind
}

async function listed(row: Row): Promise<{ pages: Page[]; items: Item[] }> {
  ahead += 60_000
  const kind = kindOf(row.kind)
  const partition = (await kind.partitions(never)).find((it) => it.name === row.partition)
  if (partition === undefined) throw new Error(`no partition ${row.partition}`)
  const pages: Page[] = []
  for await (const page of kind.list({ partition, signal: never, known: () => undefined })) pages.push(page)
  // `canonical` gives an object.
  return { pages, items: pages.flatMap((page) => page.items.map((item) => kind.canonical(item) as Item)) }
}

const got = (row: Row, item: Item) => {
  const kind = kindOf(row.kind)
  // `canonical` gives JSON.
  const json = item as Record<string, Json>
  return kind.get?.(kind.key(json), kind.locator(json), row.partition, never)
}

test('the integration, the shipped mapping and the table have the same kinds', () => {
  const text = readFileSync(new URL('../../mappings/github/mapping.yaml', import.meta.url), 'utf8')
  const mapped = new Set(compileMappings({ file: 'mapping.yaml', text }).resources.map(({ kind }) => kind))
  const names = connection.kinds.map(({ name }) => name).sort()
  expect(table.map(({ kind }) => kind).sort()).toEqual(names)
  expect([...mapped].sort()).toEqual(names)
})

describe.each(table)('$kind', (row) => {
  let mine: Item

  test('what was made is listed, over two pages', async () => {
    let is: (item: Item) => boolean = () => false
    for (const n of [1, 2, 3]) is = await row.make(n)
    const { pages, items } = await listed(row)
    if (applies(row.pages)) expect(pages.length).toBeGreaterThanOrEqual(row.pages.atLeast)
    const found = items.find(is)
    if (found === undefined) throw new Error('what was made is not listed')
    mine = found
  })

  test('a new name keeps the key, moves the version, and is what `get` says', async () => {
    if (!applies(row.rename)) return
    const kind = kindOf(row.kind)
    const before = mine as Json
    await row.rename.by(mine)
    const answer = await got(row, mine)
    if (answer?.state !== 'present') throw new Error(`it is ${answer?.state}`)
    expect(kind.key(answer.body)).toBe(kind.key(before))
    const after = kind.canonical(answer.body)
    expect(JSON.stringify(after)).not.toBe(JSON.stringify(before))
    if (kind.version !== undefined) {
      expect((kind.version(after) ?? '') >= (kind.version(before) ?? '')).toBe(true)
    }
    const there = (await listed(row)).items.find((item) => kind.key(item as Json) === kind.key(before))
    expect(JSON.stringify(there)).toBe(JSON.stringify(after))
    mine = after as Item
  })

  test('what is deleted, or wanted by nobody any more, is gone', async () => {
    if (!applies(row.remove)) return
    const kind = kindOf(row.kind)
    const key = kind.key(mine as Json)
    await row.remove.by(mine)
    expect(await got(row, mine)).toEqual({ state: 'gone' })
    const { items } = await listed(row)
    expect(items.map((item) => kind.key(item as Json))).not.toContain(key)
  })

  test('a scope that answers 404 is unreadable, and what is in it unknown', async () => {
    const [other] = (await listed(row)).items
    await source.lose(row.partition)
    try {
      const kind = kindOf(row.kind)
      const pages = kind.list({ partition: { name: row.partition }, signal: never, known: () => undefined })
      await expect(pages[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(ScopeUnreadable)
      if (other !== undefined) expect((await got(row, other))?.state).toBe('unknown')
    } finally {
      await source.heal()
    }
  })
})

test('alerts of a repository that is deleted are gone', async () => {
  const rows = table.filter(({ kind }) => kind.endsWith('-alert'))
  expect(rows.length).toBe(3)
  const mine = await Promise.all(
    rows.map(async (row) => ({ row, item: (await listed(row)).items.find((it) => it['__repository'] === 'checkout') })),
  )
  await source.change('DELETE', repo)
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
  await source.change('PUT', `/repos/acme/${repository}/contents/gate-${name}/x.md`, push)
  ahead += 600_000
  await kind.partitions(never)
  const third = await list(new Map(second.map((page) => [page.cursor, page])))
  expect(await source.calls()).toBeGreaterThan(before)
  if (name !== 'tag') expect(third.some((page) => page.notModified !== true)).toBe(true)
})
