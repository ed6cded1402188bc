import { afterEach, beforeEach, expect, test } from 'vitest'
import type { World } from '../core/catalog/query/world.fixture.ts'
import type { JsonObject } from '../core/model/json.ts'
import { freshServer } from './server.fixture.ts'

let fresh: Awaited<ReturnType<typeof freshServer>>
let world: World

beforeEach(async () => {
  fresh = await freshServer()
  world = fresh.world
  // The rules come from a source of their own, and before anything else is written.
  const { id } = await world.store.saveSource({ name: 'rules', integration: 'test', precedence: -1 })
  const blueprint = (identifier: string, more: JsonObject) => ({
    identifier,
    schema: { properties: { tags: { type: 'array', merge: 'union' }, tier: {}, note: {} } },
    relations: { uses: { target: 'service', many: true, merge: 'union' } },
    ...more,
  })
  const blueprints = [blueprint('thing', {}), blueprint('machine', { identity: 'conflict' })]
  await world.store.activateMapping(id, { hash: 'rules', content: {}, blueprints })
  await world.source('first')
  await world.source('second')
})
afterEach(() => fresh.close())

async function see(
  source: string,
  key: string,
  name: string,
  properties: JsonObject,
  uses?: readonly string[],
): Promise<void> {
  const [blueprint = '', identifier = ''] = name.split(':')
  const relations = uses === undefined ? {} : { uses }
  await world.see(source, 'repository', [{ key, entities: [{ blueprint, identifier, properties, relations }] }])
}

const get = (path: string): Promise<unknown> => fresh.get(path)

test('lists are put together where the blueprint says so, and each field tells whose it is', async () => {
  await see('second', '1', 'thing:a', { tags: ['y', 'x'], tier: 'low', note: 'n' }, ['s2'])
  await see('first', '2', 'thing:a', { tags: ['x'], tier: 'high' }, ['s1', 's2'])
  const of = (source: string, key: string) => ({ source, kind: 'repository', key, mapping: 'repository[0]' })
  expect(await get('/entities/thing/a?provenance=true')).toMatchObject({
    properties: { tags: ['x', 'y'], tier: 'high', note: 'n' },
    relations: { uses: ['service:s1', 'service:s2'] },
    sources: {
      'properties.tags': [of('first', '2'), of('second', '1')],
      'properties.tier': [of('first', '2')],
      'properties.note': [of('second', '1')],
    },
  })
  await world.remove('first', 'repository', '2')
  expect(await get('/entities/thing/a')).toMatchObject({
    properties: { tags: ['y', 'x'], tier: 'low' },
    relations: { uses: ['service:s2'] },
  })
})

test('two records that claim one name are in conflict where the blueprint says so; the winner is not the one that came first', async () => {
  await see('second', '1', 'machine:m', { tier: 'low', note: 'n' })
  expect(await get('/conflicts')).toEqual({ items: [] })
  await see('first', '2', 'machine:m', { tier: 'high' })
  const claims = [
    { source: 'first', kind: 'repository', key: '2', wins: true },
    { source: 'second', kind: 'repository', key: '1', wins: false },
  ]
  expect(await get('/entities/machine/m')).toMatchObject({ properties: { tier: 'high' }, conflict: claims })
  expect(await get('/conflicts')).toEqual({ items: [{ reference: 'machine:m', claims }] })
  expect(await get('/explain?reference=machine:m')).toMatchObject({
    notes: expect.arrayContaining([expect.stringContaining('record:second/repository/1 claims this name')]),
  })
  expect(await get('/entities/machine/m')).not.toHaveProperty('properties.note')
  await world.remove('first', 'repository', '2')
  expect(await get('/entities/machine/m')).toMatchObject({ properties: { tier: 'low', note: 'n' } })
  expect(await get('/conflicts')).toEqual({ items: [] })
})

test('the same of two things without that policy makes one entity', async () => {
  await see('second', '1', 'thing:m', { note: 'n' })
  await see('first', '2', 'thing:m', { tier: 'high' })
  expect(await get('/entities/thing/m')).toMatchObject({ properties: { tier: 'high', note: 'n' } })
  expect(await get('/conflicts')).toEqual({ items: [] })
})

test('a renamed entity keeps its id, history and what points at it; one under its old name is another', async () => {
  await see('first', '1', 'thing:a', { tier: 'low' })
  await see('first', '2', 'thing:b', { note: 'n' })
  await see('first', '1', 'thing:c', { tier: 'low' })
  expect(await get('/entities/thing/a')).toMatchObject({ reference: 'thing:c', askedAs: 'thing:a' })
  const history = async (name: string) =>
    ((await get(`/entities/thing/${name}/history`)) as { items: { operation: string }[] }).items.map(
      ({ operation }) => operation,
    )
  expect(await history('c')).toEqual(['renamed', 'created'])
  await see('first', '3', 'thing:a', {})
  expect(await history('a')).toEqual(['created'])
  expect(await history('c')).toEqual(['renamed', 'created'])
})
