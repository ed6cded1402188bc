import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../testkit/database.ts'
import { patience } from '../testkit/patience.ts'
import { type Document, documentOf } from './document.ts'
import { documentFrom } from './entities.ts'
import { merge } from './merge.ts'
import { PIN } from './pins.ts'
import { expectSound, type SaidContribution } from './sound.fixture.ts'
import { draft, now, openWorld, type Said, type World } from './store.fixture.ts'
import { createUndo, type Undo } from './undo.ts'

let database: FreshDatabase
let worlds: readonly World[]
let undo: Undo
beforeAll(async () => {
  database = await freshDatabase()
  worlds = [await openWorld(database.db, { name: 'one', precedence: 1 }), await openWorld(database.db, { name: 'two' })]
  undo = createUndo({ db: database.db, now: () => now })
})
afterAll(() => database.drop())

const empty = `DELETE FROM bodies; DELETE FROM records; DELETE FROM presences; DELETE FROM contributions; DELETE FROM entities; DELETE FROM refs;
  DELETE FROM aliases; DELETE FROM changes; DELETE FROM change_batches; DELETE FROM pins; DELETE FROM held; UPDATE kinds SET live = 0`

const names = ['a', 'b']
const said: fc.Arbitrary<Said> = fc.record({
  identifier: fc.constantFrom(...names),
  owning: fc.constantFrom(true, true, true, false),
  title: fc.constantFrom(null, 'x', 'y'),
  properties: fc.dictionary(fc.constantFrom('language', 'note'), fc.constantFrom(null, 1, 2), { maxKeys: 2 }),
})
const keys = ['k1', 'k2']
const commit = fc.record({
  world: fc.constantFrom(0, 0, 1),
  writes: fc.dictionary(fc.constantFrom(...keys), fc.array(said, { maxLength: 2 }), { maxKeys: 2 }),
  removals: fc.subarray(keys),
})
const clear = fc.constantFrom(0, 0, 1).map((world) => ({ world, writes: {}, removals: keys }))
const person = fc.record({ person: fc.constantFrom('undo', 'undo', 'undo', 'unpin'), name: fc.constantFrom(...names) })

type Step =
  | {
      readonly world: number
      readonly writes: Readonly<Record<string, readonly Said[]>>
      readonly removals: readonly string[]
    }
  | { readonly person: string; readonly name: string }
/** Something is pinned from the start. */
const opening: readonly Step[] = [
  { world: 0, writes: { k1: [{ identifier: 'a', title: 'x' }] }, removals: [] },
  { world: 0, writes: {}, removals: keys },
  { person: 'undo', name: 'a' },
]

interface Truth {
  readonly drafts: readonly Said[]
  readonly world: number
  readonly key: string
}

interface Kept {
  readonly entity: string
  /** World and key. */
  readonly record: string
  readonly world: number
  readonly key: string
  readonly name: string
  readonly document: Document
}

describe('any sequence of commits, undone deletions and ended pins', () => {
  test('leaves the fold of what is said and pinned; a pin ends when its record is written or its name taken', {
    timeout: 180_000,
  }, async () => {
    const seen = { undone: 0, ended: 0, refused: 0 }
    const time = patience(20_000)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(commit, clear, person), { minLength: 2, maxLength: 10, size: 'max' }),
        time.for(async (steps) => {
          await database.db.query(empty)
          const truth = new Map<string, Truth>()
          const pins = new Map<string, Kept>()
          for (const step of [...opening, ...steps]) {
            if ('person' in step) await decide(step, pins, seen)
            else await write(step, truth, pins, seen)
            const all = [...truth.values()].flatMap(contributions).concat([...pins.values()].map(pinContribution))
            await expectSound(
              database.db,
              expected(all),
              all.map(({ id, name, owning, document }) => ({ id, name, owning, document })),
            )
          }
        }),
      ),
      { numRuns: 20 },
    )
    if (!time.over) for (const count of Object.values(seen)) expect(count).toBeGreaterThan(2)
  })
})

async function write(
  { world: index, writes, removals }: Exclude<Step, { readonly person: string }>,
  truth: Map<string, Truth>,
  pins: Map<string, Kept>,
  seen: { ended: number },
): Promise<void> {
  const world = worlds[index]
  if (world === undefined) return
  const gone = removals.filter((key) => truth.has(`${index} ${key}`) && !Object.hasOwn(writes, key))
  await world.commit({
    writes: await Promise.all(Object.entries(writes).map(([key, drafts]) => world.write(key, drafts))),
    removals: await Promise.all(gone.map((key) => world.removal(key))),
  })
  for (const [key, drafts] of Object.entries(writes)) truth.set(`${index} ${key}`, { drafts, world: index, key })
  for (const key of gone) truth.delete(`${index} ${key}`)
  const taken = new Set(
    Object.values(writes)
      .flat()
      .filter((each) => each.owning !== false)
      .map(({ identifier }) => identifier),
  )
  for (const [name, { record }] of pins) {
    const written = Object.keys(writes).some((key) => `${index} ${key}` === record)
    if (!written && !taken.has(name)) continue
    pins.delete(name)
    seen.ended += 1
  }
}

async function decide(
  step: Extract<Step, { readonly person: string }>,
  pins: Map<string, Kept>,
  seen: { undone: number; ended: number; refused: number },
): Promise<void> {
  const asked = { blueprint: 'service', identifier: step.name }
  if (step.person === 'unpin') {
    if (pins.delete(step.name)) await undo.unpin(asked, { who: 'ada' })
    else await expect(undo.unpin(asked, { who: 'ada' })).rejects.toMatchObject({ status: expect.any(Number) })
    return
  }
  const before = await lastDeleted(step.name)
  if (before === undefined) {
    await expect(undo.undo(asked, { who: 'ada' })).rejects.toMatchObject({ status: expect.any(Number) })
    seen.refused += 1
    return
  }
  const pinned = await undo.undo(asked, { who: 'ada', reason: 'why not' })
  expect(pinned).toMatchObject({ reference: `service:${before.name}`, who: 'ada', reason: 'why not' })
  pins.set(before.name, before)
  seen.undone += 1
}

/** What an undo of this name must bring back; undefined: nothing. */
async function lastDeleted(name: string): Promise<Kept | undefined> {
  const { rows } = await database.db.query<
    Parameters<typeof documentFrom>[0] & { id: string; identifier: string; live: boolean; source: string; key: string }
  >(
    `SELECT e.id, e.identifier, e.deleted IS NULL AS live, e.title, e.team, e.properties, e.relations, e.failed, s.name AS source, r.key
     FROM entities e LEFT JOIN records r ON r.id = e.anchor LEFT JOIN kinds k ON k.id = r.kind_id LEFT JOIN sources s ON s.id = k.source_id
     WHERE NOT e.stub AND (e.identifier = $1 OR e.id IN (SELECT entity_id FROM aliases WHERE identifier = $1))
     ORDER BY live DESC, e.revision DESC`,
    [name],
  )
  const [row] = rows
  if (row === undefined || row.live) return undefined
  // A former name leads to an entity whose last name another one may have by now.
  const taken = await database.db.query('SELECT FROM entities WHERE identifier = $1 AND deleted IS NULL AND NOT stub', [
    row.identifier,
  ])
  if (taken.rowCount > 0) return undefined
  const world = row.source === 'one' ? 0 : 1
  const { id, identifier, key } = row
  return { entity: id, record: `${world} ${key}`, world, key, name: identifier, document: documentFrom(row) }
}

type Ranked = SaidContribution & { readonly rank: Parameters<typeof merge>[0][number]['rank'] }

function contributions({ drafts, world, key }: Truth): readonly Ranked[] {
  return drafts.map((said, item) => ({
    id: `${world === 0 ? 'one' : 'two'} ${key} ${item}`,
    name: `service:${said.identifier}`,
    owning: said.owning ?? true,
    document: documentOf(draft(said)),
    rank: rankOf(world, key, 'repository', String(item)),
  }))
}

function pinContribution({ entity, world, key, name, document }: Kept): Ranked {
  return {
    id: `${world === 0 ? 'one' : 'two'} ${key} ${entity}`,
    name: `service:${name}`,
    owning: true,
    document,
    rank: rankOf(world, key, PIN, entity),
  }
}

function rankOf(world: number, key: string, mapping: string, item: string): Ranked['rank'] {
  return { precedence: world === 0 ? 1 : 0, version: null, key, source: '', kind: '', mapping, item }
}

function expected(all: readonly Ranked[]): readonly { readonly name: string; readonly document: Document }[] {
  return [...Map.groupBy(all, (each) => each.name)]
    .filter(([, members]) => members.some((each) => each.owning))
    .map(([name, members]) => ({ name, document: merge(members) }))
}
