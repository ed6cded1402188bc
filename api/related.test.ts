import { afterEach, beforeEach, expect, test } from 'vitest'
import type { World } from '../core/catalog/query/world.fixture.ts'
import { forgetSearches } from '../core/catalog/settling.ts'
import type { Relation, SearchQuery } from '../core/model/entity.ts'
import type { JsonObject } from '../core/model/json.ts'
import { freshServer } from './server.fixture.ts'

let fresh: Awaited<ReturnType<typeof freshServer>>
let world: World

beforeEach(async () => {
  fresh = await freshServer()
  world = fresh.world
  await world.source('github')
  const { id } = await world.store.saveSource({ name: 'more', integration: 'test', precedence: 9 })
  const document = {
    identifier: 'workload',
    schema: { properties: {} },
    relations: { service: { target: 'service', required: true }, near: { target: 'service' } },
  }
  await world.store.activateMapping(id, { hash: 'more', content: {}, blueprints: [document] })
})
afterEach(() => fresh.close())

async function see(
  key: string,
  blueprint: string,
  identifier: string,
  more: { properties?: JsonObject; relations?: Record<string, Relation>; team?: string[] } = {},
): Promise<void> {
  await world.see('github', 'repository', [{ key, entities: [{ blueprint, identifier, ...more }] }])
}

async function get(path: string): Promise<Record<string, never>> {
  while ((await world.store.settleRelations()) > 0);
  // What it is, the test says.
  return (await fresh.get(path)) as Record<string, never>
}

const items = async (path: string): Promise<unknown> => (await get(path))['items']

const by = (property: string, value: string | null, operator = '='): SearchQuery => ({
  combinator: 'and',
  rules: [{ property, operator, value }],
})

test('a relation by search follows its targets, whichever side changes', async () => {
  await see('1', 'service', 'shop', { relations: { uses: by('language', 'go'), owner: by('$title', 'Store') } })
  expect(await get('/entities/service/shop')).toMatchObject({ relations: { uses: [], owner: null } })
  await see('2', 'service', 'till', { properties: { language: 'go' } })
  await see('3', 'service', 'web', { properties: { language: 'go' } })
  await world.see('github', 'team', [
    { key: 't', entities: [{ blueprint: 'team', identifier: 'red', title: 'Store' }] },
  ])
  expect(await get('/entities/service/shop')).toMatchObject({
    relations: { uses: ['service:till', 'service:web'], owner: 'team:red' },
    dangling: [],
  })
  expect(await get('/entities/team/red')).toMatchObject({ links: { in: [{ reference: 'service:shop' }], inTotal: 1 } })
  await see('2', 'service', 'tills', { properties: { language: 'go' } })
  await see('3', 'service', 'web', { properties: { language: 'rust' } })
  expect(await get('/entities/service/shop')).toMatchObject({ relations: { uses: ['service:tills'] } })
  await see('1', 'service', 'shop', { relations: { uses: by('language', 'rust') } })
  expect(await get('/entities/service/shop')).toMatchObject({ relations: { uses: ['service:web'] } })
  await forgetSearches(fresh.database.db)
  expect((await fresh.database.db.query('SELECT query FROM searches')).rows).toHaveLength(1)
})

test('a search for one that finds none or several says so and leads nowhere', async () => {
  await see('1', 'service', 'shop', { relations: { owner: by('$title', 'Store') } })
  expect(await get('/dangling')).toMatchObject({
    items: [{ reference: 'service:shop', relation: 'owner', required: false, problem: 'none' }],
    total: { required: 0, other: 1 },
    settled: true,
  })
  for (const name of ['red', 'blue'])
    await world.see('github', 'team', [
      { key: name, entities: [{ blueprint: 'team', identifier: name, title: 'Store' }] },
    ])
  expect(await get('/entities/service/shop')).toMatchObject({
    relations: { owner: null },
    dangling: [{ problem: 'many' }],
  })
  expect(await get('/entities/team/red')).toMatchObject({ links: { in: [] } })
  await world.remove('github', 'team', 'blue')
  expect(await get('/entities/service/shop')).toMatchObject({ relations: { owner: 'team:red' }, dangling: [] })
  await see('1', 'service', 'shop', { relations: { owner: by('tier', null), uses: by('$title', 'x', 'relatedTo') } })
  expect(await get('/entities/service/shop')).toMatchObject({
    dangling: [
      { problem: 'none' },
      { relation: 'uses', problem: 'refused', detail: expect.stringContaining('relatedTo') },
    ],
  })
})

test('a required relation that leads nowhere is told of until it leads somewhere', async () => {
  await see('1', 'workload', 'w1', { relations: { service: 'shop' } })
  await see('2', 'workload', 'w2')
  expect(await get('/dangling?required=true')).toMatchObject({
    items: [
      { reference: 'workload:w1', problem: 'missing', detail: expect.stringContaining('service:shop') },
      { reference: 'workload:w2', problem: 'empty' },
    ],
  })
  await see('3', 'service', 'shop')
  expect(await items('/dangling')).toMatchObject([{ reference: 'workload:w2' }])
  await see('3', 'service', 'till')
  expect(await items('/dangling')).toMatchObject([{ reference: 'workload:w2' }])
  await world.remove('github', 'repository', '3')
  expect(await items('/dangling')).toMatchObject([{ reference: 'workload:w1' }, { reference: 'workload:w2' }])
  await world.remove('github', 'repository', '1')
  await world.remove('github', 'repository', '2')
  expect(await items('/dangling')).toEqual([])
})

test('what is related is found in both directions and to a depth, by former names as well', async () => {
  await see('1', 'service', 'a', { relations: { uses: ['b'] } })
  await see('2', 'service', 'b', { relations: { uses: ['c'] } })
  await see('3', 'service', 'c', { properties: { language: 'go' } })
  await see('4', 'service', 'd', { relations: { uses: by('language', 'go') } })
  await see('3', 'service', 'cc', { properties: { language: 'go' } })
  const list = async (path: string) =>
    ((await items(path)) as { reference: string; depth: number }[]).map(
      ({ reference, depth }) => `${depth} ${reference}`,
    )
  expect(await list('/entities/service/a/related?direction=out')).toEqual(['1 service:b'])
  expect(await list('/entities/service/a/related?direction=out&depth=3')).toEqual(['1 service:b', '2 service:cc'])
  expect(await list('/entities/service/c/related?direction=in&depth=2')).toEqual([
    '1 service:b',
    '1 service:d',
    '2 service:a',
  ])
  expect(await list('/entities/service/a/related?depth=3')).toEqual(['1 service:b', '2 service:cc', '3 service:d'])
  expect(await get('/entities/service/a/related?depth=3&limit=1')).toMatchObject({ truncated: true })
})

test('a team by search is one of the entity, beside those that are named', async () => {
  await world.see('github', 'team', [
    { key: 't', entities: [{ blueprint: 'team', identifier: 'red', title: 'Store' }] },
  ])
  await world.see('github', 'repository', [
    {
      key: '1',
      entities: [
        { blueprint: 'service', identifier: 'shop', team: ['blue'], relations: { $team: by('$title', 'Store') } },
      ],
    },
  ])
  expect(await get('/entities/service/shop')).toMatchObject({ team: ['blue', 'red'], relations: {} })
  expect(await get('/entities/team/red/related?direction=in')).toMatchObject({
    items: [{ by: [{ relation: '$team' }] }],
  })
})
