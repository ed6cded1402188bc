import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../testkit/database.ts'
import { patience } from '../../testkit/patience.ts'
import { Replay, replayFeed } from '../../testkit/replay.ts'
import { openWorld, type Said, now as start, type World } from '../store.fixture.ts'
import { entityDiff, entityHistory } from './history.ts'
import { catalog, look, lookBack, names, readInto } from './looks.fixture.ts'
import { getEntityAsOf } from './then.ts'

let database: FreshDatabase
let worlds: readonly World[]
beforeAll(async () => {
  database = await freshDatabase()
  worlds = [await openWorld(database.db, { name: 'one', precedence: 1 }), await openWorld(database.db, { name: 'two' })]
})
afterAll(() => database.drop())

const empty = `DELETE FROM bodies; DELETE FROM records; DELETE FROM presences; DELETE FROM contributions; DELETE FROM entities; DELETE FROM refs;
  DELETE FROM aliases; DELETE FROM former_aliases; DELETE FROM changes; DELETE FROM change_batches;
  UPDATE kinds SET live = 0; UPDATE feed SET moment = NULL`

const said: fc.Arbitrary<Said> = fc.record({
  identifier: fc.constantFrom(...names),
  owning: fc.boolean().chain((weak) => (weak ? fc.boolean() : fc.constant(true))),
  title: fc.constantFrom(null, 'Red thing', 'blue thing'),
  team: fc.constantFrom([], ['t']),
  properties: fc.dictionary(
    fc.constantFrom('language', 'note', '__proto__'),
    fc.constantFrom(null, 1, 'needle', ['l']),
    {
      maxKeys: 2,
    },
  ),
  relations: fc.dictionary(fc.constantFrom('owner', 'uses'), fc.constantFrom(null, ...names, ['a', 'b']), {
    maxKeys: 2,
  }),
})
const keys = ['k1', 'k2', 'k3', 'k4', 'k5']
const step = fc.record({
  world: fc.constantFrom(0, 1),
  /** Milliseconds until the next commit; a clock may step back. */
  pause: fc.constantFrom(0, 1, 1000, -500),
  sequenced: fc.boolean(),
  writes: fc.dictionary(fc.constantFrom(...keys), fc.array(said, { maxLength: 2 }), { maxKeys: 4 }),
  removals: fc.uniqueArray(fc.constantFrom(...keys), { maxLength: 2 }),
})

describe('whatever happens', () => {
  test('the catalog as of a moment is what was read then: entities, lists and searches', {
    timeout: 180_000,
  }, async () => {
    let seen = 0
    const time = patience(10_000)
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 6 }),
        time.for(async (steps) => {
          await database.db.query(empty)
          const live = new Set<string>()
          const looks: Awaited<ReturnType<typeof look>>[] = [await look(database.db)]
          /** The last look at a time: what is committed later at the same time is what that time means. */
          const times = new Map<number, number>()
          let [clock, latest] = [start, 0]
          for (const { world: index, writes, removals, pause, sequenced } of steps) {
            const world = worlds[index]
            if (world === undefined) continue
            clock += pause
            const gone = removals.filter((key) => live.has(`${index} ${key}`) && !Object.hasOwn(writes, key))
            await world.commit({
              now: clock,
              writes: await Promise.all(Object.entries(writes).map(([key, drafts]) => world.write(key, drafts))),
              removals: await Promise.all(gone.map((key) => world.removal(key))),
            })
            for (const key of Object.keys(writes)) live.add(`${index} ${key}`)
            for (const key of gone) live.delete(`${index} ${key}`)
            if (!sequenced) continue
            await world.store.sequence()
            const now = await look(database.db)
            // What changed nothing has no place, and its clock says nothing.
            if (now.position !== looks.at(-1)?.position) latest = Math.max(latest, clock)
            looks.push(now)
            times.set(latest, looks.length - 1)
          }
          for (const { position, references: _, ...kept } of looks)
            expect(await lookBack(database.db, position), position).toEqual(kept)
          if (steps.every(({ sequenced }) => sequenced)) {
            for (const [time, index] of times) {
              const {
                position: _,
                references: __,
                ...kept
              } = looks[index] ?? looks[0] ?? { position: '', references: [] }
              expect(await lookBack(database.db, new Date(time).toISOString()), new Date(time).toISOString()).toEqual(
                kept,
              )
            }
          }
          seen += looks.length
          // What is committed and has no place yet is in neither, and then comes with the feed.
          const snapshot = await readInto(database.db, new Replay())
          await worlds[0]?.store.sequence()
          await replayFeed(database.db, snapshot.into, { after: snapshot.position, limit: 3 })
          const replayed = new Replay()
          await replayFeed(database.db, replayed, { limit: 3 })
          expect(replayed.entities).toEqual(await catalog(database.db))
          expect(snapshot.into.entities).toEqual(await catalog(database.db))
          for (const { position, references } of looks) {
            const then = await readInto(database.db, new Replay(), position)
            expect([...then.into.entities.keys()].toSorted(), position).toEqual(references)
          }
          await expectHistories()
        }),
      ),
      { numRuns: 10 },
    )
    if (!time.over) expect(seen).toBeGreaterThan(5)
  })
})

/** Every version of the history is the entity as of its revision, and differs from the one before by what it says. */
async function expectHistories(): Promise<void> {
  await worlds[0]?.store.sequence()
  for (const identifier of names) {
    const name = { blueprint: 'service', identifier }
    const history = await entityHistory(database.db, name, { limit: 3 })
    if (history === undefined) continue
    const items = [...history.items]
    for (let { next } = history; next !== undefined; ) {
      const page = await entityHistory(database.db, name, { limit: 3, cursor: next })
      items.push(...(page?.items ?? []))
      next = page?.next
    }
    expect(items.at(-1)?.operation).toBe('created')
    expect(items.map((item) => item.revision)).toEqual(items.map((item) => item.revision).toSorted((a, b) => b - a))
    for (const [index, item] of items.entries()) {
      const at = String(item.revision)
      const then = await getEntityAsOf(
        database.db,
        { blueprint: 'service', identifier: item.reference.slice('service:'.length) },
        at,
      )
      expect(then?.revision, at).toBe(item.operation === 'deleted' ? undefined : item.revision)
      const before = items[index + 1]
      const diff = await entityDiff(database.db, name, {
        ...(before === undefined ? {} : { from: String(before.revision) }),
        to: at,
      })
      const byField = (a: { field: string }, b: { field: string }): number => (a.field < b.field ? -1 : 1)
      expect(diff?.changes.toSorted(byField), at).toEqual(item.changes?.toSorted(byField))
    }
  }
}
