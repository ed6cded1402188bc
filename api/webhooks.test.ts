import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { PostgresError } from '../core/catalog/postgres/errors.ts'
import { CatchmentError, DeliveryRefused } from '../core/sdk/index.ts'
import { type FreshDatabase, freshDatabase } from '../core/testkit/database.ts'
import { FakeEngine, server } from './server.fixture.ts'

let database: FreshDatabase
let app: FastifyInstance
let engine: FakeEngine

beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())

beforeEach(async () => {
  engine = new FakeEngine()
  app = await server(database.db, engine)
  return () => app.close()
})

async function deliver(payload: string | Buffer, headers: Record<string, string> = {}) {
  return app.inject({ method: 'POST', url: '/webhooks/github', payload, headers, remoteAddress: '192.0.2.7' })
}

test('202 with the delivery, from anywhere, without a key', async () => {
  const answer = await deliver('{}', { 'content-type': 'application/json' })
  expect(answer.statusCode).toBe(202)
  expect(answer.json()).toEqual({ outcome: 'accepted', id: 'd1', event: 'push' })
})

test.each([
  ['application/json', '{"a": 1.0, "a": 2, "__proto__": {}}\n'],
  ['application/x-www-form-urlencoded', 'payload=%7B%7D'],
  ['text/plain; charset=latin1', 'x'],
  ['application/octet-stream', 'not json'],
  [undefined, 'no type'],
])('the raw bytes reach the engine: %s', async (type, text) => {
  const bytes = Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0x00, 0xfe])])
  await deliver(bytes, { ...(type === undefined ? {} : { 'content-type': type }), 'X-Hub-Signature-256': 'sha256=1' })
  expect(engine.delivered[0]?.delivery.body.equals(bytes)).toBe(true)
  expect(engine.delivered[0]?.delivery.headers['x-hub-signature-256']).toBe('sha256=1')
})

test('an empty body is empty bytes', async () => {
  await app.inject({ method: 'POST', url: '/webhooks/github' })
  expect(engine.delivered[0]?.delivery.body.length).toBe(0)
})

test('25 MB are taken, more is not', async () => {
  expect((await deliver(Buffer.alloc(25 * 1024 * 1024, 'x'), { 'content-type': 'application/json' })).statusCode).toBe(
    202,
  )
  const large = await deliver(Buffer.alloc(25 * 1024 * 1024 + 1, 'x'), { 'content-type': 'application/json' })
  expect(large.statusCode).toBe(413)
  expect(large.json()).toMatchObject({ code: 'body_too_large' })
  expect(engine.delivered).toHaveLength(1)
})

test.each<[string, Error, number, string, string | undefined]>([
  ['no signature', new DeliveryRefused('unsigned', { code: 'delivery_unsigned' }), 401, 'delivery_unsigned', undefined],
  ['a wrong one', new DeliveryRefused('wrong', { code: 'delivery_signature' }), 401, 'delivery_signature', undefined],
  [
    'no delivery id',
    new DeliveryRefused('no id', { code: 'delivery_malformed' }),
    400,
    'delivery_malformed',
    undefined,
  ],
  [
    'no such source',
    new CatchmentError('?', { code: 'source_unknown', status: 404 }),
    404,
    'source_unknown',
    undefined,
  ],
  [
    'a backlog',
    new CatchmentError('full', { code: 'backlogged', status: 503, details: { retryAfterSeconds: 30 } }),
    503,
    'backlogged',
    '30',
  ],
  ['a full disk', new PostgresError('full', { code: 'disk_full', status: 503 }), 503, 'disk_full', '5'],
  [
    'no database',
    new PostgresError('gone', { code: 'database_unreachable', status: 503 }),
    503,
    'database_unreachable',
    '5',
  ],
  ['anything else', new Error('secret detail'), 500, 'internal_error', undefined],
])('%s is no 2xx', async (_name, error, status, code, retryAfter) => {
  engine.answer = () => Promise.reject(error)
  const answer = await deliver('{}')
  expect(answer.statusCode).toBe(status)
  expect(answer.json()).toMatchObject({ code, status })
  expect(answer.headers['retry-after']).toBe(retryAfter)
  expect(answer.body).not.toContain('secret detail')
})

test('nothing is acknowledged before the engine has it', async () => {
  let commit: (() => void) | undefined
  engine.answer = () =>
    new Promise((resolve) => {
      commit = () => resolve({ outcome: 'duplicate', id: 'd2', event: 'push' })
    })
  let answered = false
  const answer = deliver('{}').then((response) => {
    answered = true
    return response
  })
  await expect.poll(() => commit, { timeout: 20_000 }).toBeDefined()
  expect(answered).toBe(false)
  commit?.()
  expect((await answer).json()).toMatchObject({ outcome: 'duplicate' })
})

test('only POST', async () => {
  expect((await app.inject('/webhooks/github')).json()).toMatchObject({ code: 'route_unknown' })
})
