import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../testkit/database.ts'
import { Replay, replayFeed } from '../../testkit/replay.ts'
import type { Document } from '../document.ts'
import { documentFrom } from '../entities.ts'
import { openWorld, type Said, now as start, type World } from '../store.fixture.ts'
import { feedBounds, formatPosition } from './changes.ts'
import { type EntityQuery, listEntities } from './entities.ts'
import { listEntitiesAsOf } from './entities-as-of.ts'
import { getEntity } from './entity.ts'
import { entityDiff, entityHistory } from './history.ts'
import { readSnapshot } from './snapshot.ts'
import { getEntityAsOf } from './then.ts'
import type { EntityView } from './view.ts'

let database: FreshDatabase
let worlds: readonly World[]
beforeAll(async () => {
  database = await freshDatabase()
  worlds = [await openWorld(database.db, { name: 'one', precedence: 1 }), await openWorld(database.db, { name: 'two' })]
})
afterAll(() => database.drop())

const empty = `DELETE FROM records; DELETE FROM presences; DELETE FROM contributions; DELETE FROM entities; DELETE FROM refs;
  DELETE FROM aliases; DELETE FROM former_aliases; DELETE FROM changes; DELETE FROM change_batches;
  UPDATE kinds SET live = 0; UPDATE feed SET moment = NULL`

const names = ['a', 'b', 'c', 'd', 'e']
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

const queries: readonly Omit<EntityQuery, 'limit'>[] = [
  {},
  { sort: '-updated_at' },
  { sort: 'properties.language' },
  { sort: 'created_at', blueprint: 'service' },
  { q: 'thing' },
  { q: 'needle blue' },
  { q: 'a' },
  { query: { combinator: 'and', rules: [{ property: 'relations.uses', operator: '=', value: 'a' }] } },
  { query: { combinator: 'or', rules: [{ property: 'note', operator: '=', value: 'needle' }] } },
]

async function listAll(read: (query: EntityQuery) => ReturnType<typeof listEntities>): Promise<unknown> {
  const found: (readonly EntityView[])[] = []
  for (const query of queries) {
    const items: EntityView[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await read({ ...query, limit: 2, ...(cursor === undefined ? {} : { cursor }) })
      items.push(...page.items)
      cursor = page.next
      if (cursor === undefined) break
    }
    found.push(items)
  }
  return found
}

/** What a reader would have kept, had he read everything then. */
async function look(): Promise<{
  position: string
  lists: unknown
  entities: readonly unknown[]
  references: readonly string[]
}> {
  const { end } = await feedBounds(database.db)
  const entities = []
  for (const name of names) {
    const found = await getEntity(database.db, 'service', name)
    if (found === undefined) entities.push(undefined)
    else {
      const { aliases: _, held: __, links, ...rest } = found
      entities.push({ ...rest, links: { out: links.out } })
    }
  }
  return {
    position: formatPosition(end),
    lists: await listAll((query) => listEntities(database.db, query)),
    entities,
    references: [...(await catalog()).keys()].toSorted(),
  }
}

/** As it is now, with relations as they are said. */
async function catalog(): Promise<ReadonlyMap<string, Document>> {
  const { rows } = await database.db.query<Parameters<typeof documentFrom>[0] & { name: string }>(
    `SELECT blueprint || ':' || identifier AS name, title, team, properties, relations, failed
     FROM entities WHERE deleted IS NULL AND NOT stub`,
  )
  return new Map(rows.map((row) => [row.name, documentFrom(row)]))
}

async function readInto(into: Replay, asOf?: string): Promise<{ into: Replay; position: string }> {
  let position = ''
  await readSnapshot(database.db, asOf === undefined ? {} : { asOf }, async (part) => {
    position = part.type === 'entity' ? position : part.position
    if (part.type !== 'entity') return
    const { title, team, properties, relations, failed } = part
    into.put(part.id, part.reference, { title, team, properties, relations, failed })
  })
  return { into, position }
}

async function lookBack(asOf: string): Promise<{ lists: unknown; entities: readonly unknown[] }> {
  const entities = []
  for (const name of names) {
    const found = await getEntityAsOf(database.db, { blueprint: 'service', identifier: name }, asOf)
    if (found === undefined) entities.push(undefined)
    else {
      const { asOf: _, ...rest } = found
      entities.push(rest)
    }
  }
  return { lists: await listAll((query) => listEntitiesAsOf(database.db, { ...query, asOf })), entities }
}

describe('whatever happens', () => {
  test('the catalog as of a moment is what was read then: entities, lists and searches', async () => {
    let seen = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 6 }), async (steps) => {
        await database.db.query(empty)
        const live = new Set<string>()
        const looks: Awaited<ReturnType<typeof look>>[] = [await look()]
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
          const now = await look()
          // What changed nothing has no place, and its clock says nothing.
          if (now.position !== looks.at(-1)?.position) latest = Math.max(latest, clock)
          looks.push(now)
          times.set(latest, looks.length - 1)
        }
        for (const { position, references: _, ...kept } of looks)
          expect(await lookBack(position), position).toEqual(kept)
        if (steps.every(({ sequenced }) => sequenced)) {
          for (const [time, index] of times) {
            const {
              position: _,
              references: __,
              ...kept
            } = looks[index] ?? looks[0] ?? { position: '', references: [] }
            expect(await lookBack(new Date(time).toISOString()), new Date(time).toISOString()).toEqual(kept)
          }
        }
        seen += looks.length
        // What is committed and has no place yet is in neither, and then comes with the feed.
        const snapshot = await readInto(new Replay())
        await worlds[0]?.store.sequence()
        await replayFeed(database.db, snapshot.into, { after: snapshot.position, limit: 3 })
        const replayed = new Replay()
        await replayFeed(database.db, replayed, { limit: 3 })
        expect(replayed.entities).toEqual(await catalog())
        expect(snapshot.into.entities).toEqual(await catalog())
        for (const { position, references } of looks) {
          const then = await readInto(new Replay(), position)
          expect([...then.into.entities.keys()].toSorted(), position).toEqual(references)
        }
        await expectHistories()
      }),
      { numRuns: 10, interruptAfterTimeLimit: 20_000 },
    )
    expect(seen).toBeGreaterThan(5)
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
