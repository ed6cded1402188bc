import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../testkit/database.ts'
import { draft, liveEntities, openWorld, type World } from './store.fixture.ts'
import type { OutdatedRecord } from './stored.ts'

let database: FreshDatabase
let one: World
let two: World
beforeEach(async () => {
  database = await freshDatabase()
  one = await openWorld(database.db, { name: 'one' })
  two = await openWorld(database.db, { name: 'two', precedence: 1 })
})
afterEach(() => database.drop())

async function outdated(): Promise<{ readonly version: number; readonly record: OutdatedRecord }> {
  const version = await one.store.activateMapping(one.sourceId, { hash: 'one 2', content: {}, blueprints: [] })
  const [record] = await one.store.outdated(one.sourceId, version, 0n, 10)
  if (record === undefined) throw new Error('nothing is outdated')
  return { version, record }
}

/** The record says that `x` is written in Rust, whatever it said. */
function rust(version: number, { id, key, hash, mappingId, entities }: OutdatedRecord): ReturnType<World['commit']> {
  const said = { mapping: 'repository', item: '0', owning: true }
  const drafts = [{ ...said, draft: draft({ identifier: 'x', properties: { language: 'rust' } }) }]
  const expected = { id, hash, mappingId }
  return one.commit({
    mappingId: version,
    remaps: [{ key, version: undefined, drafts, quarantined: [], expected, same: false, entities }],
  })
}

async function patches(): Promise<readonly unknown[]> {
  const { rows } = await database.db.query<{ patch: unknown }>('SELECT patch FROM changes ORDER BY batch, position')
  return rows.map(({ patch }) => patch)
}

test('an entity is taken as it was read with the record while its row is the same', async () => {
  await one.say('a', [{ identifier: 'x', properties: { language: 'go' } }])
  const { version, record } = await outdated()
  expect(record.entities.map(({ document }) => document.properties)).toEqual([{ language: 'go' }])
  await rust(version, record)
  expect((await liveEntities(database.db)).map(({ properties }) => properties)).toEqual([{ language: 'rust' }])
  expect(await patches()).toEqual([null, { 'properties.language': ['go', 'rust'] }])
  expect(await one.store.outdated(one.sourceId, version, 0n, 10)).toEqual([])
})

test('and read again when another source wrote it meanwhile, whose contribution stands in it', async () => {
  await one.say('a', [{ identifier: 'x', properties: { language: 'go' } }])
  const { version, record } = await outdated()
  await two.say('b', [{ identifier: 'x', properties: { language: 'go', note: 'n' } }])
  await rust(version, record)
  expect((await liveEntities(database.db)).map(({ properties }) => properties)).toEqual([
    { language: 'rust', note: 'n' },
  ])
  expect((await patches()).at(-1)).toEqual({ 'properties.language': ['go', 'rust'] })
})

test('of a record whose body is not kept nothing can be mapped again', async () => {
  await one.say('a', [{ identifier: 'x' }])
  await one.say('b', [{ identifier: 'y' }], { body: undefined })
  await one.say('a', [{ identifier: 'x', title: 'again' }], { body: undefined })
  const version = await one.store.activateMapping(one.sourceId, { hash: 'one 2', content: {}, blueprints: [] })
  expect(await one.store.outdated(one.sourceId, version, 0n, 10)).toEqual([])
})
