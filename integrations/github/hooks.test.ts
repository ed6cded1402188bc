import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHttp } from '../../core/http/index.ts'
import type { Connection, Hooks, HooksKept } from '../../core/sdk/index.ts'
import { github } from './index.ts'
import { missedIn } from './redeliver.ts'
import { type GithubSource, openSource } from './source.fixture.ts'

let source: GithubSource
const closing: (() => Promise<void>)[] = []
let ahead = 0
const never = new AbortController().signal
const target = { url: 'http://127.0.0.1:9/webhooks/github', secret: 'one' }

beforeAll(async () => {
  source = await openSource({ repos: 6 })
})
afterAll(async () => {
  for (const close of closing) await close()
  await source.close()
})

function connect(token: string, settings: object = {}): NonNullable<NonNullable<Connection['webhook']>['hooks']> {
  const now = (): number => Date.now() + ahead
  const sleep = (): Promise<void> => Promise.resolve()
  const log = (): void => undefined
  const http = createHttp({ credential: token, clock: { now, sleep }, random: () => 0.5, log })
  closing.push(() => http.close())
  const config = github.config.parse({ token, baseUrl: source.sandbox.url, organizations: ['acme'], ...settings })
  const keeper = github.connect(config, { fetch: http.fetch, log, now }).webhook?.hooks
  if (keeper === undefined) throw new Error('no keeper')
  return keeper
}

interface Listed {
  readonly id: number
  readonly active: boolean
  readonly config: { readonly url: string }
}

async function hooksAt(path: string, url = target.url): Promise<readonly Listed[]> {
  const { token, url: api } = source.sandbox
  const answer = await fetch(`${api}${path}/hooks`, {
    headers: { authorization: `Bearer ${token}`, 'user-agent': 'test' },
  })
  // The sandbox's tests hold it to GitHub's shape.
  return ((await answer.json()) as Listed[]).filter(({ config }) => config.url === url)
}

const what = ({ done }: HooksKept): string[] => done.map((one) => `${one.scope} ${one.what}`)

test('one webhook for an organisation: made, left alone, mended, moved, and only ours', async () => {
  const keeper = connect(source.sandbox.token)
  const made = await keeper.keep(target, {}, never)
  expect(what(made)).toEqual(['acme created'])
  const [hook] = await hooksAt('/orgs/acme')
  expect(hook).toMatchObject({ active: true, config: { content_type: 'json' } })
  expect(what(await keeper.keep(target, made.hooks, never))).toEqual([])
  // Somebody switched it off.
  await source.change('PATCH', `/orgs/acme/hooks/${String(hook?.id)}`, { active: false })
  expect(what(await keeper.keep(target, made.hooks, never))).toEqual(['acme repaired'])
  // A new secret cannot be seen at GitHub; it is written all the same.
  const renewed = await keeper.keep({ ...target, secret: 'two' }, made.hooks, never)
  expect(what(renewed)).toEqual(['acme repaired'])
  // Another address: the same webhook leads there.
  const moved = { url: 'http://127.0.0.1:9/elsewhere/webhooks/github', secret: 'two' }
  expect(what(await keeper.keep(moved, renewed.hooks, never))).toEqual(['acme repaired'])
  expect(await hooksAt('/orgs/acme')).toEqual([])
  expect(await hooksAt('/orgs/acme', moved.url)).toMatchObject([{ id: hook?.id }])
  // What was forgotten is found by its address, and is not made twice.
  const forgotten = await keeper.keep(moved, {}, never)
  expect(Object.keys(forgotten.hooks)).toEqual(['acme'])
  expect(await hooksAt('/orgs/acme', moved.url)).toHaveLength(1)
  // An organisation that is not configured any more.
  const labs = await connect(source.sandbox.token, { organizations: ['acme-labs'] }).keep(moved, renewed.hooks, never)
  expect(what(labs)).toEqual(['acme-labs created', 'acme removed'])
  // Everybody else's is there still.
  const all = (await source.change('GET', '/orgs/acme/hooks')) as unknown as readonly unknown[]
  expect(all).toHaveLength(1)
})

test('where the organisation is not ours to change, each repository has one; once it is, they go', async () => {
  const { token } = await source.sandbox.control.makeToken({ name: 'no org hooks', scopes: ['repo', 'read:org'] })
  const settings = { only: ['acme/checkout', 'acme/payments-api'] }
  const keeper = connect(token, settings)
  const kept = await keeper.keep(target, {}, never)
  expect(what(kept)).toEqual(['acme/checkout created', 'acme/payments-api created'])
  expect(kept.refused).toEqual([])
  expect(await hooksAt('/repos/acme/checkout')).toHaveLength(1)
  expect(what(await keeper.keep(target, kept.hooks, never))).toEqual([])
  const whole = await connect(source.sandbox.token, settings).keep(target, kept.hooks, never)
  expect(what(whole)).toEqual(['acme created', 'acme/checkout removed', 'acme/payments-api removed'])
  expect(await hooksAt('/repos/acme/checkout')).toEqual([])
})

test('a token that may make none says which permission would do, and nothing is forgotten', async () => {
  const { token } = await source.sandbox.control.makeToken({ name: 'reader', user: 'mei-tanaka', scopes: ['read:org'] })
  const known: Hooks = { acme: '7 x' }
  const kept = await connect(token, { only: ['acme/checkout'] }).keep(target, known, never)
  expect(kept).toMatchObject({ done: [], hooks: known })
  expect(kept.refused).toMatchObject([{ scope: 'acme', reason: expect.stringContaining('admin:org_hook') }])
})

test('an address that GitHub cannot reach is not told to it', async () => {
  const config = github.config.parse({ token: 'x', organizations: ['acme'] })
  const fetch = (): Promise<Response> => Promise.reject(new Error('nothing is called'))
  const { webhook } = github.connect(config, { fetch, log: () => undefined, now: () => 0 })
  const kept = await webhook?.hooks?.keep(target, {}, never)
  expect(kept?.refused).toMatchObject([{ scope: 'acme', reason: expect.stringContaining('webhooks.url') }])
  expect(webhook?.instructions?.(target.url).join('\n')).toContain(
    `gh webhook forward --org=acme --events='*' --secret="$WEBHOOK_SECRET" --url=${target.url}`,
  )
})

test('what could not be delivered is sent again, once', async () => {
  const keeper = connect(source.sandbox.token)
  const { hooks } = await keeper.keep({ ...target, url: 'http://127.0.0.1:9/webhooks/again' }, {}, never)
  await source.received()
  const lost = await source.sandbox.control.fault({ kind: 'drop-delivery', match: {} })
  for (const name of ['lost-a', 'lost-b']) await source.change('POST', '/orgs/acme/repos', { name })
  await source.received()
  await source.sandbox.control.heal(lost.id)
  const count = await keeper.redeliver(hooks, never)
  expect(count).toBeGreaterThanOrEqual(2)
  expect(await keeper.redeliver(hooks, never)).toBe(0)
})

const attempt = fc.record({
  id: fc.integer({ min: 1, max: 1000 }),
  guid: fc.constantFrom('a', 'b', 'c', 'd'),
  delivered_at: fc.constant('2026-01-01T00:00:00Z'),
  status_code: fc.constantFrom(0, 200, 202, 302, 401, 502, 504),
  event: fc.constantFrom('push', 'repository', 'ping'),
})

test('missed is what no attempt delivered, that was not tried too often, each once, oldest first', () => {
  fc.assert(
    fc.property(fc.array(attempt), fc.subarray(['a', 'b', 'c']), (attempts, asked) => {
      const missed = missedIn(attempts, (guid) => asked.includes(guid))
      const guids = missed.map(({ guid }) => guid)
      expect(new Set(guids).size).toBe(guids.length)
      expect(missed.map(({ id }) => id)).toEqual(missed.map(({ id }) => id).sort((one, other) => one - other))
      for (const guid of ['a', 'b', 'c', 'd']) {
        const own = attempts.filter((one) => one.guid === guid)
        const delivered = own.some(({ status_code: status }) => status >= 200 && status < 300)
        const out = delivered || asked.includes(guid) || own.length === 0 || own.length >= 3
        if (out) expect(guids).not.toContain(guid)
        else if (own[0]?.event !== 'ping') expect(guids).toContain(guid)
      }
    }),
  )
})
