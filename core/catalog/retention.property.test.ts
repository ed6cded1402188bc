import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../testkit/database.ts'
import { patience } from '../testkit/patience.ts'
import { Replay, replayFeed } from '../testkit/replay.ts'
import { ensureChangePartitions } from './feed.ts'
import { feedBounds } from './query/changes.ts'
import { entityHistory } from './query/history.ts'
import { catalog, look, lookBack, names, readInto } from './query/looks.fixture.ts'
import { expireHistory } from './retention.ts'
import { openWorld, type Said, now as start, type World } from './store.fixture.ts'

let database: FreshDatabase
let world: World
beforeAll(async () => {
  database = await freshDatabase()
  world = await openWorld(database.db)
})
afterAll(() => database.drop())

const empty = `DELETE FROM bodies; DELETE FROM records; DELETE FROM presences; DELETE FROM contributions; DELETE FROM entities; DELETE FROM refs;
  DELETE FROM aliases; DELETE FROM former_aliases; DELETE FROM changes; DELETE FROM change_batches; DELETE FROM keyframes;
  UPDATE kinds SET live = 0; UPDATE feed SET moment = NULL, expired = NULL`

const day = 86_400_000
const said: fc.Arbitrary<Said> = fc.record({
  identifier: fc.constantFrom(...names.slice(0, 3)),
  title: fc.constantFrom(null, 'Red thing', 'blue thing'),
  properties: fc.dictionary(fc.constantFrom('language', 'note'), fc.constantFrom(1, 'needle', 'x'), { maxKeys: 2 }),
  relations: fc.dictionary(fc.constantFrom('uses'), fc.constantFrom('a', 'b'), { maxKeys: 1 }),
})
const keys = ['k1', 'k2', 'k3']
const step = fc.record({
  /** Days until the next commit; a clock may step back, over the end of a month, too. */
  pause: fc.constantFrom(0.1, 9, 25, -6),
  sequenced: fc.constantFrom(true, true, false),
  writes: fc.dictionary(fc.constantFrom(...keys), fc.array(said, { maxLength: 2 }), { maxKeys: 3 }),
  removals: fc.subarray(keys),
})

interface Step {
  readonly pause: number
  readonly sequenced: boolean
  readonly writes: Readonly<Record<string, readonly Said[]>>
  readonly removals: readonly string[]
}

type Look = Awaited<ReturnType<typeof look>>

/** Commits them, and what a reader found after each that has its place. */
async function live(steps: readonly Step[]): Promise<{
  readonly clock: number
  readonly looks: readonly Look[]
}> {
  const there = new Set<string>()
  const looks: Look[] = []
  let clock = start
  for (const { writes, removals, pause, sequenced } of steps) {
    const gone = removals.filter((key) => there.has(key) && !Object.hasOwn(writes, key))
    await world.commit({
      now: clock,
      writes: await Promise.all(Object.entries(writes).map(([key, drafts]) => world.write(key, drafts))),
      removals: await Promise.all(gone.map((key) => world.removal(key))),
    })
    for (const key of Object.keys(writes)) there.add(key)
    for (const key of gone) there.delete(key)
    if (sequenced) {
      await world.store.sequence()
      looks.push(await look(database.db))
    }
    clock += pause * day
  }
  return { clock, looks }
}

describe('whatever happened', () => {
  test('what is kept is as it was before older months were dropped, and what is not says so', {
    timeout: 180_000,
  }, async () => {
    const seen = { kept: 0, expired: 0, dropped: 0 }
    const opening = { pause: 40, sequenced: true, writes: { k1: [{ identifier: 'a', title: 'first' }] }, removals: [] }
    const soon = { ...opening, pause: 0.1, writes: { k1: [{ identifier: 'a', title: 'zeroth' }] } }
    const first = { pause: 25, sequenced: true, writes: { k2: [{ identifier: 'b', title: 'x' }] }, removals: [] }
    const time = patience(15_000)
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(1, 20, 50),
        time.for(async (steps, keep) => {
          await database.db.query(empty)
          for (const months of [0, 35, 70]) {
            await ensureChangePartitions(database.db, new Date(start + months * day))
          }
          const { clock, looks } = await live([soon, opening, first, ...steps])
          const expired = await expireHistory(database.db, { keepSeconds: keep * 86_400, now: clock })
          seen.dropped += expired?.changes ?? 0
          const { start: begin } = await feedBounds(database.db)
          for (const { position, references, ...kept } of looks) {
            const seq = BigInt(position.slice(position.indexOf(':') + 1))
            if (seq < begin.seq) {
              seen.expired += 1
              await expect(lookBack(database.db, position)).rejects.toMatchObject({
                code: 'history_expired',
                status: 410,
              })
              continue
            }
            seen.kept += 1
            expect(await lookBack(database.db, position), position).toEqual(kept)
            const snapshot = await readInto(database.db, new Replay(), position)
            expect([...snapshot.into.entities.keys()].toSorted(), position).toEqual(references)
            await world.store.sequence()
            await replayFeed(database.db, snapshot.into, { after: snapshot.position })
            expect(snapshot.into.entities).toEqual(await catalog(database.db))
          }
          // Nothing that is younger than it has to be kept is gone.
          expect(expired === undefined || expired.until.getTime() < clock - keep * day + 12 * day).toBe(true)
          // What got its place meanwhile may be old enough to go with the next round.
          if (steps.every(({ sequenced }) => sequenced))
            expect(await expireHistory(database.db, { keepSeconds: keep * 86_400, now: clock })).toBeUndefined()
          await expectHistories(expired !== undefined)
        }),
      ),
      { numRuns: 8 },
    )
    if (!time.over) for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0)
  })
})

/** The kept history of what is there begins with its creation, or with the version that was in force at the cut. */
async function expectHistories(cut: boolean): Promise<void> {
  for (const identifier of names) {
    const history = await entityHistory(database.db, { blueprint: 'service', identifier }, { limit: 100 })
    const last = history?.items.at(-1)
    if (last === undefined) continue
    if (last.operation !== 'created' || last.changes === null) expect(cut).toBe(true)
    expect(history?.items.slice(0, -1).every(({ changes }) => changes !== null)).toBe(true)
  }
}

test('a time before what is kept is refused with the oldest there is', async () => {
  await database.db.query(empty)
  await ensureChangePartitions(database.db, new Date(start))
  await world.commit({ now: start, writes: [await world.write('k1', [{ identifier: 'a', title: 'old' }])] })
  await world.store.sequence()
  const later = start + 100 * day
  await world.commit({ now: later, writes: [await world.write('k1', [{ identifier: 'a', title: 'new' }])] })
  await world.store.sequence()
  expect(await expireHistory(database.db, { keepSeconds: 200 * 86_400, now: later })).toBeUndefined()
  expect(await expireHistory(database.db, { keepSeconds: 30 * 86_400, now: later })).toEqual({
    changes: 1,
    until: new Date(start),
  })
  // The month went as a whole.
  const month = await database.db.query<{ there: string | null }>(`SELECT to_regclass('changes_2026_11') AS there`)
  expect(month.rows[0]?.there).toBeNull()
  const early = lookBack(database.db, new Date(start - 1).toISOString())
  await expect(early).rejects.toMatchObject({
    code: 'history_expired',
    message: `History is kept from ${new Date(start).toISOString()} on.`,
  })
  const { entities } = await lookBack(database.db, new Date(later - day).toISOString())
  expect(entities[0]).toMatchObject({ title: 'old' })
})
