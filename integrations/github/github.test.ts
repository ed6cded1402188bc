import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createHttp } from '../../core/http/index.ts'
import {
  type Connection,
  CredentialRefused,
  type Got,
  type Json,
  type Kind,
  type Known,
  type ListRequest,
  type Page,
  ScopeUnreadable,
} from '../../core/sdk/index.ts'
import { github } from './index.ts'
import { type GithubSource, openSource } from './source.fixture.ts'

let source: GithubSource
const open: { close(): Promise<void> }[] = []
beforeAll(async () => {
  source = await openSource({ repos: 30 })
})
afterEach(async () => {
  await source.sandbox.control.heal()
  await Promise.all(open.splice(0).map((it) => it.close()))
})
afterAll(() => source.close())

const never = new AbortController().signal
const labs = ['acme', 'acme-labs']

function connect(config: Record<string, unknown> = {}): Connection {
  const sleep = async (milliseconds: number): Promise<void> => {
    await pause(Math.min(milliseconds, 5))
  }
  const log = (): void => undefined
  const http = createHttp({ credential: 'x', clock: { now: Date.now, sleep }, random: () => 0.5, log })
  open.push(http)
  const { token, url } = source.sandbox
  const parsed = github.config.parse({ token, baseUrl: url, organizations: labs, ...config })
  return github.connect(parsed, { fetch: http.fetch, log, now: Date.now })
}

const kindOf = (connection: Connection, name: string) => {
  const kind = connection.kinds.find((it) => it.name === name)
  if (kind?.get === undefined) throw new Error(`no kind ${name} with get`)
  return { ...kind, get: kind.get.bind(kind) }
}

async function pagesOf(connection: Connection, name: string, partition: string, more: Partial<ListRequest> = {}) {
  const pages: Page[] = []
  const request = { partition: { name: partition }, signal: never, known: () => undefined, ...more }
  for await (const page of kindOf(connection, name).list(request)) pages.push(page)
  return pages
}

const named = (item: Json | undefined, kind: Kind, field: string): string => {
  const name = kind.locator(item ?? null)[field]
  if (typeof name !== 'string') throw new Error(`no ${field}`)
  return name
}

const remember = (pages: readonly Page[]) => {
  const known = new Map<string, Known>()
  for (const { cursor, validator, next } of pages) {
    if (validator !== undefined) known.set(cursor, { validator, ...(next === undefined ? {} : { next }) })
  }
  return (cursor: string) => known.get(cursor)
}

async function created(
  name: string,
  org = 'acme',
): Promise<{ key: string; get: (partition?: string) => Promise<Got> }> {
  const { id } = await source.change('POST', `/orgs/${org}/repos`, { name, private: true })
  const repository = kindOf(connect(), 'repository')
  return { key: String(id), get: (partition = org) => repository.get(String(id), {}, partition, never) }
}

test('a rename keeps the key, and a new repository under the old name is another one', async () => {
  const { key, get } = await created('basket')
  await source.change('PATCH', '/repos/acme/basket', { name: 'cart' })
  expect(await get()).toMatchObject({ state: 'present', body: { full_name: 'acme/cart' }, partitions: ['acme'] })
  const again = await created('basket')
  expect(again.key).not.toBe(key)
  expect(await get()).toMatchObject({ body: { full_name: 'acme/cart' } })
})

test('a transferred repository is present in its new home only; out of sight it is gone from the old one', async () => {
  const { key, get } = await created('wanderer')
  await source.change('POST', '/repos/acme/wanderer/transfer', { new_owner: 'acme-labs' })
  expect(await get('acme')).toMatchObject({ state: 'present', partitions: ['acme-labs'] })
  const narrow = kindOf(connect({ organizations: ['acme'] }), 'repository')
  expect(await narrow.get(key, {}, 'acme', never)).toEqual({ state: 'gone' })
})

test('a deleted repository is gone while its organisation is readable, and unknown when that is not', async () => {
  const { get } = await created('doomed')
  await source.change('DELETE', '/repos/acme/doomed')
  expect(await get()).toEqual({ state: 'gone' })
  await source.lose('acme')
  expect(await get()).toMatchObject({ state: 'unknown', reason: expect.stringContaining('404') })
})

test.each(['forbidden', 'saml'] as const)('%s: a listing is refused with a hint, and get is unknown', async (as) => {
  const { get } = await created(`locked-${as}`)
  await source.sandbox.control.fault({ kind: 'lose-permission', org: 'acme', as })
  expect(await get()).toMatchObject({ state: 'unknown', reason: expect.stringContaining('403') })
  const error: unknown = await pagesOf(connect(), 'repository', 'acme').catch((e: unknown) => e)
  expect(error).toBeInstanceOf(ScopeUnreadable)
  expect(error).toMatchObject({ hint: expect.stringContaining('token'), message: expect.stringContaining('acme') })
  expect(await pagesOf(connect(), 'repository', 'acme-labs')).not.toEqual([])
})

test('fields that a lost permission hides are null, not made up', async () => {
  const repository = kindOf(connect(), 'repository')
  const fields = ['topics', 'archived', 'stargazers_count', 'description']
  await source.sandbox.control.fault({ kind: 'lose-permission', org: 'acme', as: 'fields', fields })
  const [page] = await pagesOf(connect(), 'repository', 'acme')
  const hidden = { topics: null, archived: null, stargazers_count: null, description: null }
  expect(repository.canonical(page?.items[0] ?? null)).toMatchObject(hidden)
})

test('a person is in each organisation on its own: leaving one says nothing about the other', async () => {
  const connection = connect()
  const user = kindOf(connection, 'user')
  const people = async (org: string) => (await pagesOf(connection, 'user', org)).flatMap((page) => page.items)
  const inLabs = new Set((await people('acme-labs')).map((item) => user.key(item)))
  const item = (await people('acme')).find(
    (it) => inLabs.has(user.key(it)) && !JSON.stringify(it).includes('operations'),
  )
  if (item === undefined) throw new Error('nobody is in both')
  const login = named(item, user, 'login')
  await source.change('DELETE', `/orgs/acme/memberships/${login}`)
  const get = (partition: string, locator = {}) => user.get(user.key(item), locator, partition, never)
  expect(await get('acme', { login })).toEqual({ state: 'gone' })
  expect(await get('acme-labs')).toMatchObject({ state: 'present', body: { login } })
  // Under a login that is somebody else's, it is still the id that is asked for.
  expect(await get('acme-labs', { login: 'amara-okafor' })).toMatchObject({ state: 'present', body: { login } })
})

test('to a token whose owner is no member, nobody is gone', async () => {
  const stranger = await source.sandbox.control.makeToken({ name: 'stranger', user: 'eilidh-fraser', scopes: ['repo'] })
  const user = kindOf(connect({ token: stranger.token }), 'user')
  const got = await user.get('987654321', {}, 'acme', never)
  expect(got.state).toBe('unknown')
})

test('a full last page is asked again without its validator, so that a page that begins after it is seen', async () => {
  const connection = connect({ organizations: ['acme-labs'] })
  const first = await pagesOf(connection, 'repository', 'acme-labs')
  const count = first.flatMap((page) => page.items).length
  const exact = connect({ organizations: ['acme-labs'], pageSize: count })
  const full = await pagesOf(exact, 'repository', 'acme-labs')
  expect(full).toHaveLength(1)
  expect((await pagesOf(exact, 'repository', 'acme-labs', { known: remember(full) }))[0]).not.toHaveProperty(
    'notModified',
  )
  await created('one-more', 'acme-labs')
  expect(await pagesOf(exact, 'repository', 'acme-labs', { known: remember(full) })).toHaveLength(2)
})

test('an unchanged listing costs 304s; a changed item brings its page back', async () => {
  const connection = connect({ pageSize: 5 })
  const first = await pagesOf(connection, 'repository', 'acme')
  const known = remember(first)
  await source.sandbox.control.clearRequests()
  const second = await pagesOf(connection, 'repository', 'acme', { known })
  const { counts } = await source.sandbox.control.requests()
  expect(second.slice(0, -1).every((page) => page.notModified === true)).toBe(true)
  expect(counts.notModifiedListings).toBeGreaterThanOrEqual(first.length - 1)
  const item = first[1]?.items[2]
  const name = named(item, kindOf(connection, 'repository'), 'fullName')
  await source.change('PATCH', `/repos/${name}`, { description: 'changed' })
  const third = await pagesOf(connection, 'repository', 'acme', { known })
  expect(third.map((page) => page.notModified ?? false).slice(0, 3)).toEqual([true, false, true])
})

test('team access: who joined and which repository was given is seen, and 304 needs both to be as they were', async () => {
  const connection = connect()
  const access = kindOf(connection, 'team-access')
  const first = await pagesOf(connection, 'team-access', 'acme')
  const team = first[0]?.items[0] ?? null
  const slug = named(team, access, 'slug')
  const again = await pagesOf(connection, 'team-access', 'acme', { known: remember(first) })
  expect(again.filter((page) => page.notModified === true).length).toBe(first.length)
  await created('given')
  await source.change('PUT', `/orgs/acme/teams/${slug}/repos/acme/given`, { permission: 'push' })
  const after = await pagesOf(connection, 'team-access', 'acme', { known: remember(first) })
  expect(after[0]?.notModified).toBeUndefined()
  const got = await access.get(access.key(team), {}, 'acme', never)
  if (got.state !== 'present') throw new Error(got.state)
  expect(JSON.stringify(access.canonical(got.body))).toBe(JSON.stringify(access.canonical(after[0]?.items[0] ?? null)))
  expect(access.canonical(got.body)).toMatchObject({
    repositories: expect.arrayContaining([expect.objectContaining({ full_name: 'acme/given' })]),
  })
})

test('team access: a renamed team is not answered by 304, though its members and repositories are as they were', async () => {
  const connection = connect({ organizations: ['acme-labs'] })
  const first = await pagesOf(connection, 'team-access', 'acme-labs')
  const slug = named(first[0]?.items[0], kindOf(connection, 'team-access'), 'slug')
  await source.change('PATCH', `/orgs/acme-labs/teams/${slug}`, { name: 'Aardvarks' })
  const after = await pagesOf(connection, 'team-access', 'acme-labs', { known: remember(first) })
  expect(after.flatMap((page) => page.items)).toMatchObject([{ name: 'Aardvarks' }])
})

test('`only` reads those repositories alone; one that cannot be found is said, not absent', async () => {
  const { key } = await created('first')
  await created('second')
  const connection = connect({ only: ['acme/first', 'ACME/second'] })
  const pages = await pagesOf(connection, 'repository', 'acme')
  expect(pages.map((page) => [page.cursor, page.next, page.items.length])).toEqual([
    ['1', '2', 1],
    ['2', undefined, 1],
  ])
  expect(kindOf(connection, 'repository').key(pages[0]?.items[0] ?? null)).toBe(key)
  expect(await pagesOf(connection, 'repository', 'acme-labs')).toMatchObject([{ items: [] }])
  const known = remember(pages)
  expect((await pagesOf(connection, 'repository', 'acme', { known })).map((page) => page.notModified)).toEqual([
    true,
    true,
  ])
  await expect(pagesOf(connect({ only: ['acme/nowhere'] }), 'repository', 'acme')).rejects.toBeInstanceOf(
    ScopeUnreadable,
  )
})

test('check names missing permissions, and its fingerprint changes with what may be seen', async () => {
  const token = async (input: { scopes?: string[]; user?: string }) =>
    (await source.sandbox.control.makeToken({ name: 'checked', ...input })).token
  const checked = async (input: { scopes?: string[]; user?: string }) =>
    connect({ token: await token(input) }).check(never)
  const everything = await checked({ scopes: ['repo', 'read:org'] })
  expect(everything.missing).toEqual([])
  expect(everything.identity).toMatch(/classic token/)
  expect(everything.forecast?.calls).toBeGreaterThan(0)
  const lesser = await checked({ scopes: ['public_repo'] })
  expect(lesser.missing.map((it) => it.kind)).toEqual(expect.arrayContaining(['repository', 'team', 'user']))
  expect(lesser.fingerprint).not.toBe(everything.fingerprint)
  const stays = connect()
  const before = await stays.check(never)
  await source.sandbox.control.fault({ kind: 'lose-permission', org: 'acme-labs', as: 'forbidden' })
  expect((await stays.check(never)).fingerprint).not.toBe(before.fingerprint)
  await source.sandbox.control.heal()
  expect(await stays.check(never)).toEqual(before)
})

test('a refused token is CredentialRefused with what to do, and is in no message', async () => {
  const token = 'ghp_wrong_0123456789'
  const error: unknown = await connect({ token })
    .check(never)
    .catch((e: unknown) => e)
  if (!(error instanceof CredentialRefused)) throw new Error(String(error))
  expect(error.hint).toMatch(/token/)
  expect(JSON.stringify([error.message, error.hint, error.details])).not.toContain(token)
  await expect(pagesOf(connect({ token }), 'repository', 'acme')).rejects.toThrow(/401/)
})

test('Enterprise: another base address, with or without a slash at its end', async () => {
  for (const suffix of ['/api/v3', '/api/v3/']) {
    const connection = connect({ baseUrl: `${source.sandbox.url}${suffix}` })
    expect((await connection.check(never)).identity).not.toBe('')
    expect(await pagesOf(connection, 'team', 'acme')).not.toEqual([])
  }
})
