import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { World } from '../core/catalog/query/world.fixture.ts'
import { type FreshDatabase, freshDatabase } from '../core/testkit/database.ts'
import { authorization, FakeEngine, server } from './server.fixture.ts'

let database: FreshDatabase
let app: FastifyInstance
let world: World

beforeAll(async () => {
  database = await freshDatabase()
  world = new World(database.db)
  app = await server(database.db, new FakeEngine(), { now: () => world.now })
  await app.ready()
  await world.see('github', 'repository', [
    { key: '1', entities: [{ blueprint: 'service', identifier: 'acme/a', properties: { language: 'go' } }] },
  ])
})
afterAll(async () => {
  await app.close()
  await database.drop()
})

const put = (payload: object, query = '') =>
  app.inject({ method: 'POST', url: `/api/v1/entities${query}`, payload, headers: authorization })
const get = (url: string) => app.inject({ url: `/api/v1/${url}`, headers: authorization })
const a = { blueprint: 'service', identifier: 'acme/a' }

test('fields written over HTTP are one entity with what the source says, and explained as manual', async () => {
  const answer = await put({ items: [{ ...a, properties: { stars: 3 }, relations: { owner: 'team:payments' } }] })
  expect(answer.statusCode).toBe(200)
  expect(answer.json()).toMatchObject({ written: 1, items: [{ index: 0, state: 'written', exists: true, errors: [] }] })
  expect((await get('entities/service/acme%2Fa')).json()).toMatchObject({
    properties: { language: 'go', stars: 3 },
    relations: { owner: 'team:payments' },
  })
  const explained = (await get('explain?reference=service:acme/a')).json()
  expect(explained.contributions).toMatchObject([
    { source: 'github', owning: true },
    { source: 'manual', kind: 'entity', key: 'service:acme/a', owning: false },
  ])
  const { items } = (await get('sources')).json()
  expect(items).toMatchObject([{ name: 'github' }, { name: 'manual', freshness: 'fresh', state: 'active' }])
})

test('a bad body is refused as a whole, a bad item by itself', async () => {
  for (const body of [
    {},
    { items: [] },
    { items: 3 },
    { items: Array.from({ length: 1001 }, () => a) },
    { items: [a], more: 1 },
  ]) {
    const answer = await put(body)
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'parameter_invalid'])
    expect(answer.headers['content-type']).toContain('application/problem+json')
  }
  const answer = await put([7, { blueprint: 'service' }, { ...a, icon: 'x' }, { ...a, title: 'A' }, { ...a, team: 5 }])
  expect(answer.statusCode).toBe(207)
  expect(answer.json()).toMatchObject({ written: 1, refused: 4 })
  expect(answer.json().items.map((each: { state: string }) => each.state)).toEqual([
    'refused',
    'refused',
    'refused',
    'written',
    'refused',
  ])
  expect(answer.json().items[1].errors).toMatchObject([
    { code: 'item_malformed', field: 'identifier', detail: '"identifier" is missing.' },
  ])
  expect(answer.json().items[2].errors).toMatchObject([{ field: 'icon', detail: 'An item has no "icon".' }])
  const slips = await put({ ...a, propertis: {} })
  expect(slips.json().items[0].errors).toMatchObject([{ field: 'propertis', hint: 'did you mean "properties"?' }])
  expect((await put({ identifier: 'x' })).json().items[0].errors).toMatchObject([{ detail: '"blueprint" is missing.' }])
})

test('taking away leaves what the source says; a second time there is nothing', async () => {
  await put({ ...a, properties: { stars: 9 } })
  const remove = () =>
    app.inject({ method: 'DELETE', url: '/api/v1/entities/service/acme%2Fa', headers: authorization })
  expect((await remove()).json()).toEqual({ reference: 'service:acme/a', exists: true })
  expect((await get('entities/service/acme%2Fa')).json().properties).toEqual({ language: 'go' })
  const again = await remove()
  expect([again.statusCode, again.json().code]).toEqual([404, 'nothing_written'])
})

test('writing needs the key', async () => {
  expect((await app.inject({ method: 'POST', url: '/api/v1/entities', payload: a })).statusCode).toBe(401)
})
