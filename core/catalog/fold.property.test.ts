import fc from 'fast-check'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../testkit/database.ts'
import { patience } from '../testkit/patience.ts'
import { documentOf } from './document.ts'
import { merge } from './merge.ts'
import { expectSound, type SaidContribution } from './sound.fixture.ts'
import { draft, openWorld, type Said, type World } from './store.fixture.ts'

let database: FreshDatabase
let worlds: readonly World[]
beforeAll(async () => {
  database = await freshDatabase()
  worlds = [await openWorld(database.db, { name: 'one', precedence: 1 }), await openWorld(database.db, { name: 'two' })]
})
afterAll(() => database.drop())

/** Also after a run that failed, so that the shorter ones tell the truth. */
const empty = `DELETE FROM bodies; DELETE FROM records; DELETE FROM presences; DELETE FROM contributions; DELETE FROM entities; DELETE FROM refs;
  DELETE FROM aliases; DELETE FROM changes; DELETE FROM change_batches; UPDATE kinds SET live = 0`

const name = fc.constantFrom('a', 'b', 'c', 'd')
const said: fc.Arbitrary<Said> = fc.record({
  identifier: name,
  owning: fc.boolean().chain((weak) => (weak ? fc.boolean() : fc.constant(true))),
  title: fc.constantFrom(null, 'x'),
  properties: fc.dictionary(fc.constantFrom('language', 'note'), fc.constantFrom(null, 1, 'text \0 \ud800', ['l']), {
    maxKeys: 2,
  }),
  relations: fc.dictionary(fc.constantFrom('owner', 'uses', 'unknown'), fc.constantFrom(null, 'a', ['a', 'b']), {
    maxKeys: 2,
  }),
})
const keys = ['k1', 'k2', 'k3', 'k4', 'k5']
const version = fc.constantFrom(undefined, '1', '2', '3')
const step = fc.record({
  world: fc.constantFrom(0, 1),
  writes: fc.dictionary(fc.constantFrom(...keys), fc.record({ drafts: fc.array(said, { maxLength: 3 }), version }), {
    maxKeys: 4,
  }),
  removals: fc.uniqueArray(fc.constantFrom(...keys), { maxLength: 3 }),
})

describe('any sequence of commits', () => {
  test('leaves the catalog as the fold of what is said, and a feed that tells how it came', {
    timeout: 180_000,
  }, async () => {
    const time = patience(20_000)
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 12 }),
        time.for(async (steps) => {
          await database.db.query(empty)
          const truth = new Map<string, Truth>()
          for (const { world: index, writes, removals } of steps) {
            const world = worlds[index]
            if (world === undefined) continue
            const gone = removals.filter((key) => truth.has(`${index} ${key}`) && !Object.hasOwn(writes, key))
            await world.commit({
              writes: await Promise.all(
                Object.entries(writes).map(([key, said]) => world.write(key, said.drafts, { version: said.version })),
              ),
              removals: await Promise.all(gone.map((key) => world.removal(key))),
            })
            for (const [key, said] of Object.entries(writes))
              truth.set(`${index} ${key}`, { ...said, world: index, key })
            for (const key of gone) truth.delete(`${index} ${key}`)
          }
          await expectSound(database.db, expected([...truth.values()]), contributions([...truth.values()]))
          await removeAll()
          await expectSound(database.db, [], [])
        }),
      ),
      { numRuns: 60 },
    )
  })
})

async function removeAll(): Promise<void> {
  for (const world of worlds) {
    const { rows } = await database.db.query<{ key: string }>(
      `SELECT key FROM records WHERE kind_id = $1 AND state = 'live'`,
      [world.kindId],
    )
    await world.commit({ removals: await Promise.all(rows.map(({ key }) => world.removal(key))) })
  }
}

interface Truth {
  readonly drafts: readonly Said[]
  readonly version: string | undefined
  readonly world: number
  readonly key: string
}

function contributions(truth: readonly Truth[]): readonly SaidContribution[] {
  return truth.flatMap(({ drafts, world, key }) =>
    drafts.map((said, item) => ({
      id: `${world === 0 ? 'one' : 'two'} ${key} ${item}`,
      name: `service:${said.identifier}`,
      owning: said.owning ?? true,
      document: documentOf(draft(said)),
    })),
  )
}

/** The catalog as a plain map of the truth. */
function expected(truth: readonly Truth[]) {
  const all = truth.flatMap((record) =>
    contributions([record]).map((each, item) => ({
      ...each,
      rank: {
        precedence: record.world === 0 ? 1 : 0,
        version: record.version ?? null,
        key: record.key,
        source: '',
        kind: '',
        mapping: '',
        item: String(item),
      },
    })),
  )
  return [...Map.groupBy(all, (each) => each.name)]
    .filter(([, members]) => members.some((each) => each.owning))
    .map(([name, members]) => ({ name, document: merge(members) }))
}
