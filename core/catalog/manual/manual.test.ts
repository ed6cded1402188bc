import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../testkit/database.ts'
import { getEntity } from '../query/entity.ts'
import { World } from '../query/world.fixture.ts'
import { createManual, type Manual } from './manual.ts'

let database: FreshDatabase
let world: World
let manual: Manual

beforeEach(async () => {
  database = await freshDatabase()
  world = new World(database.db)
  manual = createManual({ db: database.db, store: world.store, precedence: -1, now: () => world.now })
  await world.source('github')
})
afterEach(() => database.drop())

const see = (key: string, identifier: string, more: object = {}) =>
  world.see('github', 'repository', [{ key, entities: [{ blueprint: 'service', identifier, ...more }] }])
const put = (item: object, replace = false) =>
  manual.put([{ blueprint: 'service', identifier: 'a', ...item }], { who: 'ada', replace })
const entity = (identifier: string) => getEntity(database.db, 'service', identifier)

test('what is written wins by its place, shows only on what a source has, and goes without a trace', async () => {
  expect(await put({ properties: { language: 'rust', stars: 3 } })).toMatchObject([{ state: 'written', exists: false }])
  expect(await entity('a')).toBeUndefined()
  await see('1', 'a', { properties: { language: 'go', topics: ['x'] } })
  expect((await entity('a'))?.properties).toEqual({ language: 'rust', stars: 3, topics: ['x'] })
  expect(await put({ properties: { language: 'rust' } })).toMatchObject([{ state: 'unchanged', exists: true }])
  expect(await put({ properties: { language: null } })).toMatchObject([{ state: 'written', exists: true }])
  expect((await entity('a'))?.properties).toEqual({ language: 'go', stars: 3, topics: ['x'] })
  await put({ title: 'A' }, true)
  expect(await entity('a')).toMatchObject({ title: 'A', properties: { language: 'go', topics: ['x'] } })
  expect(await manual.remove({ blueprint: 'service', identifier: 'a' }, 'ada')).toMatchObject({ exists: true })
  expect((await entity('a'))?.title).toBeNull()
  await expect(manual.remove({ blueprint: 'service', identifier: 'a' }, 'ada')).rejects.toMatchObject({
    code: 'nothing_written',
  })
  await put({ properties: { stars: 1 } })
  expect((await entity('a'))?.properties).toEqual({ language: 'go', stars: 1, topics: ['x'] })
})

test('it follows a renamed entity, is found by the former name, and is not of the next one that takes that name', async () => {
  await see('1', 'a')
  await put({ properties: { stars: 1 } })
  await see('1', 'b')
  expect((await entity('b'))?.properties).toEqual({ stars: 1 })
  expect(await put({ properties: { language: 'go' } })).toMatchObject([{ reference: 'service:b', state: 'written' }])
  await see('2', 'a')
  expect((await entity('a'))?.properties).toEqual({})
  await put({ properties: { stars: 2 } })
  expect((await entity('a'))?.properties).toEqual({ stars: 2 })
  expect((await entity('b'))?.properties).toEqual({ stars: 1, language: 'go' })
})

test('each item is judged by itself against its blueprint', async () => {
  await see('1', 'a')
  const results = await manual.put(
    [
      { blueprint: 'service', identifier: 'a', properties: { stars: 'many' } },
      { blueprint: 'service', identifier: 'a', properties: { stars: 4 }, relations: { owner: ['t'] } },
      { blueprint: 'services', identifier: 'a' },
      { blueprint: 'service', identifier: 'a', properties: { stars: 5 } },
      { blueprint: 'service', identifier: 'a', properties: { star: 5 }, relations: { owns: 'x' } },
    ],
    { who: 'ada' },
  )
  expect(results.map(({ state, errors }) => [state, ...errors.map(({ code }) => code)])).toEqual([
    ['refused', 'type_mismatch'],
    ['refused', 'type_mismatch'],
    ['refused', 'blueprint_unknown'],
    ['written'],
    ['refused', 'property_unknown', 'relation_unknown'],
  ])
  expect((await entity('a'))?.properties).toEqual({ stars: 5 })
})

test('a blueprint may let what is written own its entities; when it no longer does, they go', async () => {
  await put({ properties: { stars: 1 } })
  const { id } = await world.source('github')
  const activate = async (hash: string, manualRule: 'own' | undefined) => {
    const document = {
      identifier: 'service',
      schema: { properties: { stars: { type: 'number' } }, required: ['stars'] },
      relations: {},
      ...(manualRule && { manual: manualRule }),
    }
    await world.store.activateMapping(id, { hash, content: {}, blueprints: [document] })
  }
  await activate('2', 'own')
  await manual.refresh()
  expect((await entity('a'))?.properties).toEqual({ stars: 1 })
  const results = await manual.put([{ blueprint: 'service', identifier: 'c' }], { who: 'ada' })
  expect(results[0]?.errors).toMatchObject([{ code: 'field_required', field: 'properties.stars' }])
  await activate('3', undefined)
  await manual.refresh()
  expect(await entity('a')).toBeUndefined()
})

test('the source is not frozen with those that left the configuration', async () => {
  await put({ title: 'A' })
  expect(await world.store.freezeSourcesExcept(['github'])).toEqual([])
})

test('writers at the same time lose nothing of each other', async () => {
  await see('1', 'a')
  const writers = ['language', 'stars', 'topics'].map((name) =>
    put({ properties: { [name]: name === 'stars' ? 1 : name === 'topics' ? [] : 'go' } }),
  )
  await Promise.all(writers)
  expect((await entity('a'))?.properties).toEqual({ language: 'go', stars: 1, topics: [] })
})
