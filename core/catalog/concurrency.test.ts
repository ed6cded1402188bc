import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../testkit/database.ts'
import type { Db } from './db.ts'
import { createStore } from './postgres-store.ts'
import { StaleDecision } from './refusals.ts'
import { liveEntities, openWorld, type World } from './store.fixture.ts'
import { doneOrBlocked, gate, withoutLock, wrapped } from './wrapped.fixture.ts'

let database: FreshDatabase
let one: World
let two: World
beforeEach(async () => {
  database = await freshDatabase()
  one = await openWorld(database.db, { name: 'one' })
  two = await openWorld(database.db, { name: 'two', precedence: 1 })
})
afterEach(() => database.drop())

/** Both writers say something about one entity; the first stands before its commit until the second can go no further. */
async function race(before: string, second: Db): Promise<unknown> {
  const stop = gate()
  const slow = createStore(
    wrapped(database.db, { before: (text) => (text.includes(before) ? stop.pass() : Promise.resolve()) }),
  )
  const quick = createStore(second)
  const first = slow.commit(await batchOf(one, 'a', { language: 'go' }))
  await stop.reached
  const next = quick.commit(await batchOf(two, 'b', { note: 'n' }))
  await doneOrBlocked(database.db, next)
  stop.open()
  await Promise.all([first, next])
  return (await liveEntities(database.db)).find(({ name }) => name === 'service:x')?.properties
}

async function batchOf(world: World, key: string, properties: Record<string, string>) {
  const { sourceId, kindId, fence, mappingId } = world
  const write = await world.write(key, [{ identifier: 'x', properties }])
  return {
    sourceId,
    kindId,
    fence,
    mappingId,
    cause: { type: 'get', reason: 'race' } as const,
    now: 0,
    writes: [write],
  }
}

const both = { language: 'go', note: 'n' }

describe('two writers of one entity', () => {
  test('lose nothing when it is there', async () => {
    await one.say('a', [{ identifier: 'x' }])
    await two.say('b', [{ identifier: 'x', title: 'there' }])
    expect(await race('fence', database.db)).toEqual(both)
  })

  test('lose nothing when both make it', async () => {
    expect(await race('fence', database.db)).toEqual(both)
  })

  test('would lose the first without the lock on the entity', async () => {
    await one.say('a', [{ identifier: 'x' }])
    await two.say('b', [{ identifier: 'x', title: 'there' }])
    expect(await race('fence', wrapped(database.db, { rewrite: withoutLock('lock:entities') }))).not.toEqual(both)
  })

  test('and many more, all at once', async () => {
    const keys = Array.from({ length: 6 }, (_, index) => String(index))
    const say = (world: World, key: string) =>
      world
        .commit({})
        .then(async () => world.say(`${key}`, [{ identifier: 'x', properties: { [`${world.sourceId} ${key}`]: key } }]))
    await Promise.all(keys.flatMap((key) => [say(one, key), say(two, key)]))
    const [entity] = await liveEntities(database.db)
    expect(Object.keys(entity?.properties ?? {})).toHaveLength(keys.length * 2)
    const { rows } = await database.db.query<{ revision: string; batch: string }>(
      'SELECT revision, batch FROM changes ORDER BY batch',
    )
    const revisions = rows.map(({ revision }) => Number(revision))
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b))
  })
})

describe('a page and another writer of its records', () => {
  test('what a page saw unchanged cannot be changed or removed behind it', async () => {
    await one.say('a', [{ identifier: 'x' }])
    const scan = await one.store.beginScan(one.fence, { partitionId: one.partitionId, now: 0 })
    const seen = await one.seen(['a'])
    const removal = await one.removal('a')
    const change = await one.write('a', [{ identifier: 'x', title: 'changed' }])
    const page = await one.page(scan.id, 0, seen)
    await one.commit({ page })
    // The page has moved the watermark of record and presence.
    await expect(one.commit({ removals: [removal] })).rejects.toThrow(StaleDecision)
    await expect(one.commit({ writes: [change] })).rejects.toThrow(StaleDecision)
    expect((await one.stored('a')).span.end).toBe(page.span.end)
  })

  test('a page is refused when a record that it saw unchanged was written meanwhile', async () => {
    await one.say('a', [{ identifier: 'x' }])
    await one.say('c', [{ identifier: 'y' }])
    const scan = await one.store.beginScan(one.fence, { partitionId: one.partitionId, now: 0 })
    const seen = await one.seen(['a'])
    await one.say('c', [{ identifier: 'y', title: 'somebody else' }])
    await one.commit({ page: await one.page(scan.id, 0, seen) })
    await one.say('a', [{ identifier: 'x', title: 'changed' }])
    const late = await one.page(scan.id, 1, seen)
    await expect(one.commit({ page: late })).rejects.toThrow(StaleDecision)
    const { asOf: _, ...unsure } = late
    await expect(one.commit({ page: unsure })).rejects.toThrow(StaleDecision)
  })

  test('a page waits for a removal that is under way, and sees it', async () => {
    await one.say('a', [{ identifier: 'x' }])
    const scan = await one.store.beginScan(one.fence, { partitionId: one.partitionId, now: 0 })
    const seen = await one.seen(['a'])
    const stop = gate()
    const slow = createStore(
      wrapped(database.db, { before: (text) => (text.includes('fence') ? stop.pass() : Promise.resolve()) }),
    )
    const { sourceId, kindId, fence, mappingId } = one
    const removing = slow.commit({
      sourceId,
      kindId,
      fence,
      mappingId,
      cause: { type: 'get', reason: '' },
      now: 0,
      removals: [await one.removal('a')],
    })
    await stop.reached
    const paging = one.commit({ page: await one.page(scan.id, 0, seen) })
    const refused = expect(paging).rejects.toThrow(StaleDecision)
    expect(await doneOrBlocked(database.db, paging)).toBe('blocked')
    stop.open()
    await removing
    await refused
  })
})
