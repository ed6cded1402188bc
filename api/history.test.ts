import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { World } from '../core/catalog/query/world.fixture.ts'
import { type FreshDatabase, freshDatabase } from '../core/testkit/database.ts'
import { authorization, FakeEngine, server } from './server.fixture.ts'

let database: FreshDatabase
let world: World
let app: FastifyInstance

/** `minutes` after the world's noon. */
async function see(minutes: number, key: string, identifier: string, language: string, more = {}): Promise<void> {
  world.now = Date.parse('2026-11-28T12:00:00Z') + minutes * 60_000
  const entity = { blueprint: 'service', identifier, title: identifier, properties: { language }, ...more }
  await world.see('github', 'repository', [{ key, version: String(1000 + minutes), entities: [entity] }], {
    type: 'scan',
    scan: String(minutes),
    partition: 'acme',
  })
}

beforeAll(async () => {
  database = await freshDatabase()
  world = new World(database.db)
  await see(0, '1', 'acme/checkout', 'Go')
  await see(1, '2', 'acme/web', 'TypeScript', { relations: { uses: ['acme/checkout'] } })
  await see(2, '1', 'acme/checkout', 'Rust')
  await see(3, '1', 'acme/till', 'Rust')
  world.now += 60_000
  await world.remove('github', 'repository', '1')
  await see(5, '3', 'acme/checkout', 'Zig')
  app = await server(database.db, new FakeEngine())
})

afterAll(async () => {
  await app.close()
  await database.drop()
})

async function get(path: string): Promise<{ status: number; body: Record<string, never> }> {
  const answer = await app.inject({ url: `/api/v1${path}`, headers: authorization })
  return { status: answer.statusCode, body: answer.json() }
}

const checkout = '/entities/service/acme%2Fcheckout'
const at = (minutes: number, seconds = 0): string =>
  new Date(Date.UTC(2026, 10, 28, 12, minutes, seconds)).toISOString()

test('the history of a deleted entity, by its last name: newest first, with causes and what changed', async () => {
  const { body } = await get('/entities/service/acme%2Ftill/history')
  expect(body).toMatchObject({
    reference: 'service:acme/till',
    state: 'deleted',
    items: [
      { operation: 'deleted', cause: { type: 'delivery', event: 'repository.deleted' } },
      {
        operation: 'renamed',
        at: at(3),
        changes: expect.arrayContaining([{ field: 'identifier', before: 'acme/checkout', after: 'acme/till' }]),
      },
      {
        operation: 'updated',
        at: at(2),
        cause: { type: 'scan', scan: '2' },
        changes: [{ field: 'properties.language', before: 'Go', after: 'Rust' }],
      },
      {
        operation: 'created',
        at: at(0),
        reference: 'service:acme/checkout',
        changes: [
          { field: 'title', before: null, after: 'acme/checkout' },
          { field: 'properties.language', before: null, after: 'Go' },
        ],
      },
    ],
    others: [],
  })
  expect(body).not.toHaveProperty('next')
})

test('a name that two entities had: the one of now, and the way to the other', async () => {
  const { body } = await get(`${checkout}/history`)
  expect(body).toMatchObject({
    items: [{ operation: 'created', at: at(5) }],
    others: [{ reference: 'service:acme/till' }],
  })
  const [other] = body['others'] as unknown as [{ revision: number }]
  const former = await get(`/entities/service/acme%2Ftill/history?asOf=${other.revision}`)
  expect(former.body).toMatchObject({ items: [{ operation: 'deleted' }, {}, {}, {}] })
})

test('pages of a history', async () => {
  const first = await get('/entities/service/acme%2Ftill/history?limit=3')
  const second = await get(`/entities/service/acme%2Ftill/history?limit=3&cursor=${first.body['next']}`)
  expect(second.body).toMatchObject({ items: [{ operation: 'created' }] })
  expect(second.body).not.toHaveProperty('next')
})

test('one entity as it was: by time, revision and position, under the names of then', async () => {
  const then = await get(`${checkout}?asOf=${at(1, 30)}`)
  expect(then.body).toMatchObject({
    reference: 'service:acme/checkout',
    properties: { language: 'Go' },
    updatedAt: at(0),
    asOf: { at: at(1) },
  })
  const { revision, asOf } = then.body as unknown as { revision: number; asOf: { position: string } }
  expect((await get(`${checkout}?asOf=${revision}`)).body).toMatchObject({ revision, properties: { language: 'Go' } })
  expect((await get(`${checkout}?asOf=${asOf.position}`)).body).toEqual(then.body)
  // A former name leads to what it was called at that time.
  expect((await get(`${checkout}?asOf=${at(3)}`)).body).toMatchObject({
    reference: 'service:acme/till',
    askedAs: 'service:acme/checkout',
  })
  const pointing = await get(`/entities/service/acme%2Fweb?asOf=${at(3)}`)
  expect(pointing.body).toMatchObject({
    relations: { uses: ['service:acme/till'] },
    links: { out: [{ reference: 'service:acme/till', title: 'acme/till', state: 'present' }] },
  })
})

test('what was not there then is not there, and the answer says when', async () => {
  const { status, body } = await get(`/entities/service/acme%2Fweb?asOf=${at(0)}`)
  expect(status).toBe(404)
  expect(body).toMatchObject({ code: 'entity_unknown', detail: expect.stringContaining(at(0)) })
  expect((await get(`/entities/service/acme%2Ftill?asOf=${at(4)}`)).status).toBe(404)
  expect((await get(`${checkout}?asOf=2020-01-01`)).status).toBe(404)
})

test('lists and searches as they were', async () => {
  const names = async (query: string): Promise<unknown> => {
    const { body } = await get(`/entities?${query}`)
    return (body['items'] as unknown as { reference: string }[]).map((item) => item.reference)
  }
  expect(await names(`asOf=${at(2)}`)).toEqual(['service:acme/checkout', 'service:acme/web'])
  expect(await names(`asOf=${at(2)}&q=rust`)).toEqual(['service:acme/checkout'])
  expect(await names(`asOf=${at(3)}&where=language=Rust`)).toEqual(['service:acme/till'])
  expect(await names(`asOf=${at(3)}&q=checkout`)).toEqual([])
  const { body } = await get(`/entities?asOf=${at(2)}`)
  expect(body).toMatchObject({ asOf: { at: at(2), position: expect.stringMatching(/^\d+:3$/) } })
  const search = await app.inject({
    method: 'POST',
    url: '/api/v1/search',
    headers: authorization,
    payload: {
      asOf: at(2),
      query: { combinator: 'and', rules: [{ property: 'language', operator: '=', value: 'Rust' }] },
    },
  })
  expect(search.json()).toMatchObject({ items: [{ reference: 'service:acme/checkout' }], asOf: { at: at(2) } })
})

test('differences between two moments; by default what the last change changed', async () => {
  const { body } = await get(`/entities/service/acme%2Ftill/diff?from=${at(1)}&to=${at(3)}`)
  expect(body).toMatchObject({
    reference: 'service:acme/till',
    from: { version: { reference: 'service:acme/checkout', at: at(0) } },
    to: { version: { reference: 'service:acme/till', at: at(3) } },
    changes: expect.arrayContaining([
      { field: 'identifier', before: 'acme/checkout', after: 'acme/till' },
      { field: 'properties.language', before: 'Go', after: 'Rust' },
    ]),
  })
  expect((await get('/entities/service/acme%2Ftill/diff')).body).toMatchObject({
    to: { version: null },
    changes: expect.arrayContaining([{ field: 'properties.language', before: 'Rust', after: null }]),
  })
})

test.each([
  ['yesterday', 400, 'as_of_invalid'],
  ['2026-13-45', 400, 'as_of_invalid'],
  ['999999', 400, 'as_of_invalid'],
  ['other:3', 410, 'feed_replaced'],
])('asOf=%s is refused', async (asOf, status, code) => {
  const answer = await get(`/entities?asOf=${asOf}`)
  expect([answer.status, answer.body['code']]).toEqual([status, code])
})

test('a name that never was', async () => {
  expect(await get('/entities/service/never/history')).toMatchObject({ status: 404, body: { code: 'entity_unknown' } })
})
