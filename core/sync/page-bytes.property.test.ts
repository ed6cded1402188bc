import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Page } from '../sdk/index.ts'
import { runScan } from './scan.ts'
import type { Session } from './session.ts'
import { createRig, type Rig, testMappings } from './testing/rig.ts'
import { TestSource } from './testing/source.ts'

interface World {
  readonly rig: Rig
  session: Session
  mapping: number
}

type Step = (world: World) => unknown

const ids = ['n000', 'n001', 'n002', 'n003', 'n004', 'n005', 'n006']
const id = fc.constantFrom(...ids)

const put =
  (key: string, change: Parameters<TestSource['put']>[1]): Step =>
  ({ rig }) =>
    rig.source.put(key, change)

async function session(world: World): Promise<void> {
  const runtime = { mappings: testMappings(String(world.mapping)) }
  world.session = await world.rig.session({ runtime, engine: { applyPending: true } })
}

/** By name, so that what fails can be read. */
const steps: readonly (readonly [string, fc.Arbitrary<Step>])[] = [
  ['colour', fc.tuple(id, fc.constantFrom('red', 'blue', 'bad')).map(([key, color]) => put(key, { color }))],
  ['hide', fc.tuple(id, fc.boolean()).map(([key, hidden]) => put(key, { hidden }))],
  ['poison', id.map((key) => put(key, { name: 'poison' }))],
  ['heal', id.map((key) => put(key, { name: `name-${key}` }))],
  [
    'remove',
    id.map(
      (key) =>
        ({ rig }: World) =>
          rig.source.remove(key),
    ),
  ],
  [
    'noise',
    fc.constantFrom('', 'some').map(
      (noise) =>
        ({ rig }: World) =>
          Object.assign(rig.source, { noise }),
    ),
  ],
  [
    'blind',
    id.map(
      (key) =>
        ({ rig }: World) =>
          rig.source.invisible.add(key),
    ),
  ],
  ['see', fc.constant(({ rig }: World) => rig.source.invisible.clear())],
  [
    'gone',
    id.map(
      (key) =>
        ({ rig }: World) =>
          delivered(rig, key),
    ),
  ],
  ['mapping', fc.constant((world: World) => session(Object.assign(world, { mapping: 3 - world.mapping })))],
  ['restart', fc.constant(session)],
]
const step = fc.oneof(...steps.map(([name, made]) => made.map((run) => ({ name, run }))))
const flaws = fc.constantFrom('none', 'none', 'none', 'twice', 'incomplete', 'breaks')

/** Whatever the source says, it was there. */
async function delivered(rig: Rig, key: string): Promise<void> {
  const thing = rig.source.things.get(key)
  if (thing !== undefined) await rig.deliver(rig.source.gone(thing, thing.version))
}

function spoiled(rig: Rig, flaw: string): void {
  rig.source.onPage = ({ cursor, page }): Page | undefined => {
    if (page !== 2 || flaw === 'none') return undefined
    if (flaw === 'breaks') throw new Error('it broke')
    const made = rig.source.page('north', cursor)
    if (flaw === 'incomplete') return { ...made, incomplete: 'not all of them' }
    const items = [...made.items, ...made.items.slice(0, 1)]
    // Other bytes, or none.
    return { ...made, items, ...(made.bytes === undefined ? {} : { bytes: Buffer.from(JSON.stringify(items)) }) }
  }
}

/** All that a scan leaves behind, without ticks and ids. */
async function left({ rig }: World): Promise<unknown> {
  const tables = {
    records: `SELECT key, state, version, hash, mapping_id = (SELECT mapping_id FROM sources) AS mapped FROM records ORDER BY key`,
    presences: `SELECT r.key, p.ended FROM presences p JOIN records r ON r.id = p.record_id ORDER BY r.key`,
    scans: 'SELECT state, reason, pages, items, changed, failed, removed, held FROM scans ORDER BY id',
    pages: `SELECT scan_id, page, cursor, next, (seal IS NULL) AS bare,
              (SELECT array_agg(r.key ORDER BY u.place) FROM unnest(g.records) WITH ORDINALITY u (id, place) JOIN records r ON r.id = u.id) AS keys
            FROM scan_pages g ORDER BY scan_id, page`,
    doubts: 'SELECT r.key, r.reason FROM doubts r ORDER BY r.key',
  }
  const found = await Promise.all(Object.entries(tables).map(async ([name, sql]) => [name, await rig.query(sql)]))
  return { ...Object.fromEntries(found), catalog: await rig.catalog() }
}

async function open(pages: 'bytes' | 'bare'): Promise<World> {
  const rig = await createRig((clock) => new TestSource({ pageSize: 3, pages }, clock))
  rig.source.fill(ids.length)
  return { rig, session: await rig.session(), mapping: 1 }
}

it('leaves what the same items leave that come without bytes', { timeout: 120_000 }, async () => {
  let unparsed = 0
  const rounds = fc.array(fc.tuple(fc.array(step, { maxLength: 2 }), flaws), { minLength: 3, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(rounds, async (made) => {
      const worlds = [await open('bytes'), await open('bare')] as const
      try {
        for (const [before, flaw] of made) {
          for (const world of worlds) {
            for (const { run } of before) await run(world)
            spoiled(world.rig, flaw)
            world.rig.source.parsed.length = 0
            await runScan(world.session, 'thing')
          }
          const [bytes, bare] = await Promise.all(worlds.map(left))
          expect(bytes).toEqual(bare)
          if (worlds[0].rig.source.parsed.length < 3) unparsed += 1
          for (const { rig, session: on } of worlds) await rig.settle(on)
        }
      } finally {
        for (const { rig } of worlds) await rig.drop()
      }
    }),
    { numRuns: 5 },
  )
  // Else nothing was compared.
  expect(unparsed).toBeGreaterThan(0)
})
