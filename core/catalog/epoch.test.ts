import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDatabase, dropDatabase, type FreshDatabase, freshDatabase, withDatabase } from '../testkit/database.ts'
import { beginEpoch } from './epoch.ts'
import { openDatabase } from './postgres/connect.ts'
import { feedBounds, formatPosition, readChanges, resolvePosition } from './query/changes.ts'
import { openWorld } from './store.fixture.ts'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())

test('a restored database begins a new epoch once: positions from before are replaced, its own are read', async () => {
  const world = await openWorld(database.db)
  expect(await beginEpoch(database.db)).toBe(false)
  await world.say('k', [{ identifier: 'a' }])
  await world.store.sequence()
  const before = formatPosition((await feedBounds(database.db)).end)
  expect(await beginEpoch(database.db)).toBe(false)
  expect(formatPosition((await feedBounds(database.db)).end)).toBe(before)
  await database.db.close()

  const name = `${new URL(database.url).pathname.slice(1)}_restored`
  await createDatabase(database.url, name, { template: new URL(database.url).pathname.slice(1) })
  const restored = await openDatabase(withDatabase(database.url, name))
  try {
    expect(await beginEpoch(restored)).toBe(true)
    expect(await beginEpoch(restored)).toBe(false)
    await expect(resolvePosition(restored, before)).rejects.toMatchObject({ code: 'feed_replaced', status: 410 })
    const { items } = await readChanges(restored, await resolvePosition(restored, 'start'), {}, 10)
    expect(items.map(({ identifier }) => identifier)).toEqual(['a'])
  } finally {
    await restored.close()
    await dropDatabase(database.url, name)
  }
})
