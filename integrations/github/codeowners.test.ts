import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHttp, type Http } from '../../core/http/index.ts'
import { BadAnswer, type Json, type Kind, type Page, RateLimited } from '../../core/sdk/index.ts'
import { type Codeowners, codeownersOf, itemOf } from './codeowners.ts'
import { homeOf } from './directory.ts'
import { github } from './index.ts'
import { type GithubSource, openSource } from './source.fixture.ts'

let source: GithubSource
let http: Http
let ahead = 0
const now = (): number => Date.now() + ahead
const never = new AbortController().signal

beforeAll(async () => {
  source = await openSource({ repos: 8 })
  const sleep = (): Promise<void> => Promise.resolve()
  http = createHttp({ credential: 'codeowners', clock: { now, sleep }, random: () => 0.5, log: () => undefined })
})
afterAll(async () => {
  await http.close()
  await source.close()
})

function kind(token = source.sandbox.token, settings: object = {}): Kind {
  const config = { token, baseUrl: source.sandbox.url, organizations: ['acme'], pageSize: 4, ...settings }
  const connection = github.connect(github.config.parse(config), { fetch: http.fetch, log: () => undefined, now })
  const found = connection.kinds.find(({ name }) => name === 'codeowners')
  if (found === undefined) throw new Error('no kind')
  return found
}

async function listed(of: Kind, before: readonly Page[] = []): Promise<Page[]> {
  const known = (cursor: string) => {
    const { validator, next } = before.find((page) => page.cursor === cursor) ?? {}
    return validator === undefined ? undefined : { validator, ...(next === undefined ? {} : { next }) }
  }
  const pages: Page[] = []
  for await (const page of of.list({ partition: { name: 'acme' }, signal: never, known })) pages.push(page)
  return pages
}

const queries = async (): Promise<number> =>
  (await source.sandbox.control.requests()).requests.filter(({ path }) => path === '/graphql').length
const put = (repository: string, path: string, text: string): Promise<unknown> =>
  source.change('PUT', `/repos/acme/${repository}/contents/${path}`, {
    message: 'x',
    content: Buffer.from(text).toString('base64'),
  })

test('a query for a page of repositories, none for a page without a push, and one for the page with one', async () => {
  ahead += 600_000
  const it = kind()
  const first = await listed(it)
  expect(first.length).toBeGreaterThan(1)
  expect(await queries()).toBe(first.length)
  ahead += 60_000
  const second = await listed(it, first)
  expect(second.map(({ notModified }) => notModified)).toEqual(first.map(() => true))
  expect(await queries()).toBe(first.length)
  await put('checkout', 'CODEOWNERS', '* @acme/web\n')
  ahead += 600_000
  const third = await listed(it, second)
  expect(third.filter(({ notModified }) => notModified !== true)).toHaveLength(1)
  expect(await queries()).toBe(first.length + 1)
  // A push within the last minutes is not the last one perhaps: nothing is taken for unchanged.
  await put('checkout', 'CODEOWNERS', '* @acme/payments\n')
  ahead = 0
  const fourth = await listed(kind())
  expect(fourth.some(({ validator }) => validator === undefined)).toBe(true)
})

test('the first of the three places counts, in a listing and in `get`', async () => {
  await put('refunds', 'docs/CODEOWNERS', '* @acme/docs\n')
  await put('refunds', '.github/CODEOWNERS', '# who\n* @acme/first mei@acme.example\n/web @mei-tanaka\n')
  ahead += 60_000
  const it = kind()
  const items = (await listed(it)).flatMap((page) => page.items)
  const mine = items.find((item) => JSON.stringify(item).includes('"acme/refunds"'))
  expect(it.canonical(mine ?? null)).toMatchObject({
    path: '.github/CODEOWNERS',
    owners: ['@acme/first', 'mei@acme.example', '@mei-tanaka'],
    default_owners: ['@acme/first', 'mei@acme.example'],
    teams: ['acme/first'],
    owning_teams: ['acme/first'],
  })
  const got = await it.get?.(it.key(mine ?? null), {}, 'acme', never)
  if (got?.state !== 'present') throw new Error(`it is ${got?.state}`)
  expect(it.canonical(got.body)).toEqual(it.canonical(mine ?? null))
})

test('a token that may not read contents makes the listing incomplete, and says why', async () => {
  const { token } = await source.sandbox.control.makeToken({
    name: 'no contents',
    kind: 'fine-grained',
    grants: { acme: { metadata: 'read', members: 'read' } },
  })
  const pages = await listed(kind(token))
  expect(pages.map(({ incomplete }) => incomplete)).toContainEqual(expect.stringContaining('Resource not accessible'))
})

const home = homeOf({ id: 7, node_id: 'R_7', name: 'a', full_name: 'acme/a', owner: { login: 'acme', id: 1 } })
const answering = (data: Json, headers: Readonly<Record<string, string>> = {}) => ({
  ask: () => Promise.reject(new Error('nothing else is asked')),
  recall: () => Promise.reject(new Error('nothing else is asked')),
  query: () => Promise.resolve({ state: 'ok', data, header: (name: string) => headers[name] } as const),
})
const asked = (data: Json, headers?: Readonly<Record<string, string>>) =>
  codeownersOf(answering(data, headers), 'acme', [home], { now: 1000, signal: never, priority: 'scan' })

test('what GitHub answers instead of the files is no absence of them', async () => {
  const limited = { data: null, errors: [{ type: 'RATE_LIMITED', message: 'API rate limit exceeded' }] }
  const error: unknown = await asked(limited, { 'x-ratelimit-reset': '90' }).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(RateLimited)
  expect(error).toMatchObject({ retryAt: 90_000 })
  await expect(asked({ errors: [{ message: 'Something went wrong' }] })).rejects.toThrow(BadAnswer)
  await expect(asked({ data: { nodes: 'x' } })).rejects.toThrow(BadAnswer)
  const hidden = { data: { nodes: [null] }, errors: [{ type: 'NOT_FOUND', message: 'Could not resolve' }] }
  expect(await asked(hidden)).toMatchObject({ incomplete: expect.stringContaining('acme/a first): Could not resolve') })
  const none = { data: { nodes: [{ databaseId: 7, p0: null, p1: {}, p2: null }] } }
  expect(await asked(none)).toEqual({ files: new Map() })
})

const file = (text: string): Codeowners => ({ path: 'CODEOWNERS', sha: 'x', text })

test.each([
  ['* @acme/a\n* @acme/b\n/docs @acme/c', ['@acme/b'], ['acme/b']],
  ['/docs @acme/c\n/web @mei @acme/d', [], ['acme/c', 'acme/d']],
  ['** @mei\n/docs @acme/c', ['@mei'], []],
  ['* @acme/a\n*', [], ['acme/a']],
])('who owns the rest: %j', (text, owners, teams) => {
  expect(itemOf(file(text), home)).toMatchObject({ default_owners: owners, owning_teams: teams })
})
