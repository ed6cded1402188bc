import { createHmac } from 'node:crypto'
import { createRequire } from 'node:module'
import { emitterEventNames } from '@octokit/webhooks'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { DeliveryRefused, type RawDelivery } from '../../core/sdk/index.ts'
import { handlers } from './events.ts'
import { ignored } from './ignored.ts'
import { signals, verify } from './webhooks.ts'

const scopeOf = (...names: string[]) => ({
  partitionOf: (login: string) => names.find((name) => name.toLowerCase() === login.toLowerCase()),
})
/** Every owner that the examples name. */
const everybody = { partitionOf: (login: string): string | undefined => (login === '' ? undefined : login) }

const delivery = (event: string, payload: unknown, headers: Record<string, string> = {}): RawDelivery => ({
  headers: { 'x-github-event': event, 'x-github-delivery': 'd-1', ...headers },
  body: Buffer.from(JSON.stringify(payload)),
})
const signed = (text: string | Buffer, secret: string): Record<string, string> => ({
  'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`,
})

const example = z.object({ name: z.string(), examples: z.array(z.looseObject({ action: z.string().default('') })) })
const all = z
  .array(example)
  // The package's types describe another shape than its JSON has.
  .parse(createRequire(import.meta.url)('@octokit/webhooks-examples'))
  .flatMap(({ name, examples }) =>
    examples.map((payload, index) => ({ name, payload, title: `${name} ${payload.action} ${index}` })),
  )

test.each(all)('example $title: a signal, or a reason for none', ({ name, payload }) => {
  const given = signals(delivery(name, payload), everybody)
  const reason = ignored[name] ?? ignored[`${name}.${payload.action}`]
  if (reason === undefined) expect(given, 'neither a signal nor a reason').not.toEqual([])
  else expect(given, `ignored, because it ${reason}`).toEqual([])
  for (const signal of given) if (signal.type !== 'resync') expect(signal.key).toMatch(/^\d+(\/.+)?$/)
})

test('every event that GitHub knows is either handled or ignored with a reason', () => {
  const events = new Set(emitterEventNames.map((name) => name.split('.')[0] ?? ''))
  const decided = new Set([...Object.keys(handlers), ...Object.keys(ignored).filter((name) => !name.includes('.'))])
  expect([...events].filter((name) => !decided.has(name))).toEqual([])
  expect([...decided].filter((name) => !events.has(name))).toEqual([])
  expect(Object.keys(handlers).filter((name) => name in ignored)).toEqual([])
})

test('an event that GitHub will add is ignored, also under the name of a member of every object', () => {
  for (const name of ['brand_new', 'constructor', '__proto__', '']) {
    expect(signals(delivery(name, { action: 'created' }), everybody)).toEqual([])
  }
})

const repository = {
  id: 42,
  full_name: 'acme/checkout',
  owner: { login: 'acme' },
  updated_at: '2026-01-01T00:00:00Z',
  pushed_at: '2026-01-02T00:00:00Z',
}
const about = { kind: 'repository', key: '42', locator: { fullName: 'acme/checkout' } }
const owners = { kind: 'codeowners', key: '42' }
const version = '2026-01-02T00:00:00Z 2026-01-01T00:00:00Z'

test('a repository event carries its body and version; one that lacks fields is not whole', () => {
  const [signal] = signals(delivery('repository', { action: 'edited', repository }), scopeOf('Acme'))
  expect(signal).toEqual({ type: 'stale', ...about, partition: 'Acme', body: repository, whole: false, version })
})

test('a push gives seconds where others give text, and means the same', () => {
  const pushed = { ...repository, pushed_at: Date.parse(repository.pushed_at) / 1000 }
  const [signal] = signals(delivery('push', { repository: pushed }), scopeOf('acme'))
  expect(signal).toMatchObject({ type: 'stale', version })
})

test('a deletion is gone, with the version it had, and so is what is said of its owners', () => {
  const given = signals(delivery('repository', { action: 'deleted', repository }), scopeOf('acme'))
  expect(given).toEqual([
    { type: 'gone', ...owners, partition: 'acme' },
    { type: 'gone', ...about, partition: 'acme', version },
  ])
})

test('a transfer is stale in its new home with the body, and in its old one without', () => {
  const changes = { owner: { from: { organization: { login: 'acme-labs' } } } }
  const payload = { action: 'transferred', repository, changes }
  const told = signals(delivery('repository', payload), scopeOf('acme', 'acme-labs'))
  // What is in it carries its name, and is listed again.
  expect(told.filter((it) => it.type === 'resync').map((it) => it.kind)).toContain('pull-request')
  const named = told.filter((it) => it.type !== 'resync')
  expect(named.filter(({ kind }) => kind === 'codeowners')).toEqual([
    { type: 'stale', ...owners, partition: 'acme' },
    { type: 'stale', ...owners, partition: 'acme-labs' },
  ])
  const given = named.filter(({ kind }) => kind !== 'codeowners')
  expect(given).toMatchObject([
    { type: 'stale', partition: 'acme', body: repository },
    { type: 'stale', ...about, partition: 'acme-labs' },
  ])
  expect(given[1]).not.toHaveProperty('body')
  const left = signals(delivery('repository', payload), scopeOf('acme-labs')).filter(
    ({ type, kind }) => type !== 'resync' && kind === 'repository',
  )
  expect(left).toMatchObject([{ partition: 'acme-labs' }])
})

test('owners that are not ours, and repositories that `only` leaves out, give no signal', () => {
  const edited = delivery('repository', { action: 'edited', repository })
  expect(signals(edited, scopeOf('other'))).toEqual([])
  expect(signals(edited, scopeOf('acme'), ['acme/other'])).toEqual([])
  expect(signals(edited, scopeOf('acme'), ['ACME/checkout'])).toHaveLength(1)
  const changes = { repository: { name: { from: 'basket' } } }
  const renamed = delivery('repository', { action: 'renamed', repository, changes })
  expect(signals(renamed, scopeOf('acme'), ['acme/basket'])).toContainEqual(
    expect.objectContaining({ type: 'stale', kind: 'repository' }),
  )
})

test('teams, their members and repositories', () => {
  const payload = { organization: { login: 'acme' }, team: { id: 7, slug: 'payments' } }
  const kinds = (event: string, action: string) =>
    signals(delivery(event, { ...payload, action }), scopeOf('acme')).map((it) => `${it.type} ${it.kind}`)
  expect(kinds('team', 'created')).toEqual(['stale team', 'stale team-access'])
  expect(kinds('team', 'deleted')).toEqual(['gone team', 'gone team-access'])
  expect(kinds('team', 'added_to_repository')).toEqual(['stale team-access'])
  expect(kinds('membership', 'removed')).toEqual(['stale team-access'])
})

test('people and the organisation itself', () => {
  const organization = { id: 9, login: 'acme' }
  const membership = { user: { id: 3, login: 'mei' } }
  const given = (payload: object) => signals(delivery('organization', payload), scopeOf('acme'))
  const user = { kind: 'user', key: '3', partition: 'acme', locator: { login: 'mei' } }
  expect(given({ action: 'member_added', organization, membership })).toEqual([{ type: 'stale', ...user }])
  expect(given({ action: 'member_removed', organization, membership })).toEqual([{ type: 'gone', ...user }])
  expect(given({ action: 'member_removed', organization })).toEqual([
    { type: 'resync', kind: 'user', partition: 'acme' },
  ])
  const renamed = { action: 'renamed', organization: { id: 9, login: 'new' }, changes: { login: { from: 'acme' } } }
  expect(given(renamed)).toEqual([{ type: 'stale', kind: 'organization', key: '9', partition: 'acme' }])
})

test('a payload of another shape is an error that says where', () => {
  expect(() => signals(delivery('repository', { repository: { id: 'x' } }), everybody)).toThrow(/\$\.repository\.id/)
  expect(() => signals({ headers: { 'x-github-event': 'push' }, body: Buffer.from('{') }, everybody)).toThrow(
    /expected an object/,
  )
})

const code = async (attempt: Promise<unknown>): Promise<string> => {
  const error: unknown = await attempt.then(
    () => 'accepted',
    (e: unknown) => e,
  )
  return error instanceof DeliveryRefused ? error.code : String(error)
}

test('a signature counts over the bytes as they came', async () => {
  const body = '{"action":"edited", "name":"Chloé \\u0000 \u{1F600}"}'
  const good = delivery('repository', {}, signed(body, 's'))
  expect(await verify({ ...good, body: Buffer.from(body) }, 's')).toEqual({ id: 'd-1', event: 'repository.edited' })
  expect(await code(verify({ ...good, body: Buffer.from(JSON.stringify(JSON.parse(body))) }, 's'))).toBe(
    'delivery_signature',
  )
  expect(await code(verify({ ...good, body: Buffer.from(body) }, 'other'))).toBe('delivery_signature')
  expect(await code(verify({ ...good, body: Buffer.from(body) }, ''))).toBe('delivery_signature')
  expect(await code(verify({ ...good, body: Buffer.alloc(0) }, 's'))).toBe('delivery_signature')
})

test('bytes that are no UTF-8 are refused, though the text they turn into is signed', async () => {
  const text = '{"name":"\uFFFD"}'
  const bytes = Buffer.from(text.replace('\uFFFD', '\u00FF'), 'latin1')
  expect(bytes.toString('utf8')).toBe(text)
  const headers = { ...delivery('push', {}).headers, ...signed(text, 's') }
  expect(await code(verify({ headers, body: bytes }, 's'))).toBe('delivery_signature')
})

test('unsigned, SHA-1 only, nameless and form-encoded deliveries are refused with what to do', async () => {
  const body = Buffer.from('{}')
  expect(await code(verify({ headers: {}, body }, 's'))).toBe('delivery_unsigned')
  const old = { ...delivery('push', {}).headers, 'x-hub-signature': 'sha1=00' }
  expect(await code(verify({ headers: old, body }, 's'))).toBe('delivery_unsigned')
  expect(await code(verify({ headers: signed(body, 's'), body }, 's'))).toBe('delivery_malformed')
  const form = Buffer.from('payload=%7B%7D')
  const headers = { ...delivery('push', {}).headers, ...signed(form, 's') }
  await expect(verify({ headers, body: form }, 's')).rejects.toMatchObject({
    hint: expect.stringContaining('application/json'),
  })
})
