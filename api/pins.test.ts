import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { World } from '../core/catalog/query/world.fixture.ts'
import { removeSource } from '../core/catalog/remove-source.ts'
import { type FreshDatabase, freshDatabase } from '../core/testkit/database.ts'
import { authorization, FakeEngine, server } from './server.fixture.ts'

let database: FreshDatabase
let world: World
let app: FastifyInstance

beforeAll(async () => {
  database = await freshDatabase()
  world = new World(database.db)
  const entities = (name: string) => [
    {
      blueprint: 'service',
      identifier: name,
      title: name,
      properties: { language: 'Go' },
      relations: { owner: 'pay' },
    },
  ]
  await world.see('github', 'repository', [
    { key: '1', entities: entities('acme/checkout') },
    { key: '2', entities: entities('acme/web') },
  ])
  world.now += 60_000
  await world.remove('github', 'repository', '1')
  app = await server(database.db, new FakeEngine(), { now: () => world.now + 60_000 })
})
afterAll(async () => {
  await app.close()
  await database.drop()
})

async function call(method: 'GET' | 'POST' | 'DELETE', path: string, payload?: object) {
  const answer = await app.inject({
    method,
    url: `/api/v1${path}`,
    headers: authorization,
    ...(payload === undefined ? {} : { payload }),
  })
  return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() }
}

const checkout = '/entities/service/acme%2Fcheckout'
const explained = async () => (await call('GET', '/explain?reference=service:acme/checkout')).body

test('a deletion is undone over HTTP, shown as a deviation everywhere, and the pin ended', async () => {
  expect((await explained())['next']).toContain('catchment undo service:acme/checkout')
  expect((await call('POST', '/entities/service/nothing/undo')).body).toMatchObject({ code: 'entity_unknown' })
  expect((await call('POST', '/entities/service/acme%2Fweb/undo')).body).toMatchObject({ code: 'not_deleted' })
  expect((await call('DELETE', '/entities/service/acme%2Fweb/pin')).body).toMatchObject({ code: 'not_pinned' })

  const undone = await call('POST', `${checkout}/undo`, { reason: 'deleted by mistake' })
  expect(undone).toMatchObject({
    status: 200,
    body: {
      reference: 'service:acme/checkout',
      who: 'admin key',
      reason: 'deleted by mistake',
      source: 'github',
      key: '1',
    },
  })
  const { body } = await call('GET', checkout)
  expect(body).toMatchObject({
    title: 'acme/checkout',
    properties: { language: 'Go' },
    relations: { owner: 'team:pay' },
    pinned: { who: 'admin key', reason: 'deleted by mistake' },
    freshness: 'unknown',
    freshnessReason: 'a person pinned it: github does not show it.',
  })
  expect(await explained()).toMatchObject({
    state: 'present',
    summary: expect.stringContaining('because admin key undid its deletion at'),
    next: expect.arrayContaining(['catchment unpin service:acme/checkout']),
  })
  expect((await call('GET', '/sources')).body).toMatchObject({ items: [{ kinds: [{ pinned: 1 }] }] })
  expect((await call('GET', '/pins')).body).toMatchObject({ items: [{ reference: 'service:acme/checkout' }] })
  await world.store.sequence()
  expect((await call('GET', `${checkout}/history`)).body).toMatchObject({
    state: 'present',
    items: [
      { operation: 'restored', cause: { type: 'person', who: 'admin key', what: 'undid its deletion' } },
      { operation: 'deleted' },
      { operation: 'created' },
    ],
  })
  expect((await call('GET', '/entities?q=checkout')).body).toMatchObject({ items: [{ freshness: 'unknown' }] })
  const page = await app.inject({ url: '/entities/service/acme%2Fcheckout', headers: authorization })
  expect(page.body).toContain('End the pin')

  expect((await call('DELETE', `${checkout}/pin`)).body).toEqual({ reference: 'service:acme/checkout', exists: false })
  expect((await call('GET', checkout)).status).toBe(404)
  expect((await call('GET', '/pins')).body).toEqual({ items: [] })
})

test('what was pinned of a source goes with the source', async () => {
  await call('POST', `${checkout}/undo`)
  await world.store.freezeSourcesExcept([])
  const { fence } = await world.source('github')
  await world.store.releaseLease(fence)
  await removeSource(database.db, 'github', { who: 'ada', now: world.now })
  expect((await call('GET', checkout)).status).toBe(404)
  expect((await database.db.query('SELECT FROM pins')).rowCount).toBe(0)
  expect((await database.db.query('SELECT FROM contributions')).rowCount).toBe(0)
  expect((await call('POST', `${checkout}/undo`)).body).toMatchObject({ code: 'undo_impossible' })
})
