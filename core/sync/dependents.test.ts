import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { listEntities } from '../catalog/query/entities.ts'
import { getEntity } from '../catalog/query/entity.ts'
import { explain } from '../catalog/query/explain.ts'
import { createUndo } from '../catalog/undo.ts'
import { compileMappings, parseBlueprints } from '../mapping/index.ts'
import type { Json } from '../sdk/index.ts'
import { letDependentsGo } from './dependents.ts'
import type { SourceRuntime } from './engine.ts'
import { remap } from './remap.ts'
import { runScan } from './scan.ts'
import type { Session } from './session.ts'
import { createRig, type Rig } from './testing/rig.ts'
import { TestSource } from './testing/source.ts'

const { blueprints } = parseBlueprints(
  'blueprints.yaml',
  `
- { identifier: team }
- identifier: service
  relations: { owner: { target: team, required: true }, friend: { target: team } }
- identifier: part
  relations: { of: { target: service, required: true } }
- identifier: twin
  relations: { other: { target: twin, required: true } }
`,
)

/** A thing of one word is a team; "a of b" is a service of the team b; "a in b" a part of the service b; "a by b" twins. */
function runtimeOf(cascade: boolean): Partial<SourceRuntime> {
  const text = `
deleteDependentEntities: ${cascade}
resources:
  - kind: thing
    selector: { query: '.name | test(" ") | not' }
    entity: { identifier: .name, blueprint: '"team"' }
  - kind: thing
    selector: { query: '.name | test(" of ")' }
    entity: { identifier: '.name | split(" of ")[0]', blueprint: '"service"', relations: { owner: '.name | split(" of ")[1]', friend: '"nobody"' } }
  - kind: thing
    selector: { query: '.name | test(" in ")' }
    entity: { identifier: '.name | split(" in ")[0]', blueprint: '"part"', relations: { of: '.name | split(" in ")[1]' } }
  - kind: thing
    selector: { query: '.name | test(" by ")' }
    entity: { identifier: '.name | split(" by ")[0]', blueprint: '"twin"', relations: { other: '.name | split(" by ")[1]' } }
`
  const { mappings, diagnostics } = compileMappings({ file: 'mapping.yaml', text, blueprints })
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
  const documents = JSON.parse(JSON.stringify(blueprints)) as readonly Json[]
  return { mappings, mappingContent: { file: 'mapping.yaml', mapping: text, blueprints: documents, variables: {} } }
}

let rig: Rig
let session: Session
afterEach(() => rig.drop())

async function open(cascade: boolean, ...names: readonly string[]): Promise<void> {
  await openWith(runtimeOf(cascade), ...names)
}

async function openWith(runtime: Partial<SourceRuntime>, ...names: readonly string[]): Promise<void> {
  rig = await createRig(new TestSource(), { runtime })
  for (const name of names) rig.source.put(name, { name })
  session = await rig.session()
  await scan()
}

/** A scan, and all that follows from it. */
async function scan(): Promise<void> {
  await runScan(session, 'thing')
  await rest()
}

async function rest(): Promise<void> {
  for (;;) {
    await rig.store.sequence()
    while ((await rig.store.settleRelations()) > 0);
    if ((await letDependentsGo(session)) === 0) return
  }
}

async function names(): Promise<readonly string[]> {
  const { items } = await listEntities(rig.db, { limit: 100 })
  return items.map(({ reference }) => reference)
}

const answer = async (text: string): Promise<string> =>
  (await explain(rig.db, text, (_, kind, body) => session.mappings.apply(kind, JSON.parse(body) as Json, { now: 0 })))
    .summary

const full = ['part:wheel', 'service:cart', 'service:till', 'team:desk', 'team:shop']
const world = ['shop', 'desk', 'cart of shop', 'till of desk', 'wheel in cart']

test('what depends on something that was deleted goes with it, level by level, and comes back with it', async () => {
  await open(true, ...world)
  expect(await names()).toEqual(full)
  const before = await getEntity(rig.db, 'service', 'cart')
  rig.source.remove('shop')
  await scan()
  expect(await names()).toEqual(['service:till', 'team:desk'])
  expect(await answer('service:cart')).toMatch(
    /^service:cart was deleted .* because team:shop, on which it depends, was deleted/,
  )
  expect(await answer('part:wheel')).toMatch(/because service:cart, on which it depends, was deleted/)
  // It is there at the source, and stays away: also when it says something new, and from the next scan on.
  rig.source.put('cart of shop', { color: 'red', name: 'cart of shop' })
  await scan()
  await scan()
  expect(await names()).toEqual(['service:till', 'team:desk'])
  rig.source.put('shop', { name: 'shop' })
  await scan()
  expect(await names()).toEqual(full)
  expect((await getEntity(rig.db, 'service', 'cart'))?.id).toBe(before?.id)
})

test('it comes back as well when it depends on something else, and is gone when its record is', async () => {
  await openWith({ ...runtimeOf(true), guard: { share: 1, minimum: 100 } }, ...world)
  rig.source.remove('shop')
  await scan()
  rig.source.put('cart of shop', { name: 'cart of desk' })
  await scan()
  expect(await names()).toEqual(['part:wheel', 'service:cart', 'service:till', 'team:desk'])
  rig.source.remove('desk')
  await scan()
  expect(await names()).toEqual([])
  for (const { id } of rig.source.things.values()) rig.source.remove(id)
  rig.source.put('desk', { name: 'desk' })
  await scan()
  expect(await names()).toEqual(['team:desk'])
  expect(await rig.query('SELECT FROM muted')).toEqual([])
})

test('nothing goes without the option, for what is not required, or for what was never seen', async () => {
  await open(false, ...world, 'bell of nowhere')
  rig.source.remove('shop')
  await scan()
  expect(await names()).toEqual(['part:wheel', 'service:bell', 'service:cart', 'service:till', 'team:desk'])
  // Turned on, it is as if it had always been; turned off again, all is back.
  session = await rig.session({ runtime: runtimeOf(true), engine: { applyPending: true } })
  await remap(session)
  await rest()
  expect(await names()).toEqual(['service:bell', 'service:till', 'team:desk'])
  session = await rig.session({ runtime: runtimeOf(false), engine: { applyPending: true } })
  await remap(session)
  await rest()
  expect(await names()).toEqual(['part:wheel', 'service:bell', 'service:cart', 'service:till', 'team:desk'])
})

test('the guard holds what is too much at once; a person lets it go, and what is there again is not held', async () => {
  const services = Array.from({ length: 8 }, (_, index) => `s${index} of shop`)
  await open(true, 'shop', 'desk', ...services)
  rig.source.remove('shop')
  await scan()
  expect(await names()).toHaveLength(9)
  const held = await rig.query<{ what: string; reason: string; state: string }>(
    `SELECT what, reason, state FROM held WHERE state = 'pending' ORDER BY id`,
  )
  expect(held).toHaveLength(8)
  expect(held[0]).toMatchObject({ what: 'dependent thing#2/0' })
  expect(held[0]?.reason).toMatch(/^team:shop, on which it depends, was deleted; 8 to take away/)
  rig.source.put('s0 of shop', { name: 's0 of shop', color: 'red' })
  await scan()
  expect(await rig.query(`SELECT FROM held WHERE state = 'pending'`)).toHaveLength(8)
  await rig.query(`UPDATE held SET state = 'approved'`)
  await rest()
  expect(await names()).toEqual(['team:desk'])
  rig.source.put('shop', { name: 'shop' })
  await scan()
  expect(await names()).toHaveLength(10)
  rig.source.remove('shop')
  await scan()
  expect(await rig.query(`SELECT FROM held WHERE state = 'pending'`)).toHaveLength(8)
  rig.source.put('shop', { name: 'shop' })
  await scan()
  expect(await rig.query(`SELECT FROM held WHERE state = 'pending'`)).toEqual([])
})

test('a person may undo it, and it is pinned until what it depends on is there', async () => {
  await open(true, ...world)
  rig.source.remove('shop')
  await scan()
  await createUndo({ db: rig.db, now: () => rig.clock.time }).undo(
    { blueprint: 'service', identifier: 'cart' },
    { who: 'amara' },
  )
  await rest()
  expect(await names()).toEqual(['part:wheel', 'service:cart', 'service:till', 'team:desk'])
})

test('two that depend on each other go together, and come back together', async () => {
  await open(true, 'a by b', 'b by a')
  rig.source.remove('a by b')
  await scan()
  expect(await names()).toEqual([])
  rig.source.put('a by b', { name: 'a by b' })
  await scan()
  expect(await names()).toEqual(['twin:a', 'twin:b'])
})

test('whatever comes and goes, at rest the catalog is what is there and leads to what is there or was never seen', async () => {
  await openWith({ ...runtimeOf(true), guard: { share: 1, minimum: 1_000_000 } }, 'base')
  const thing = fc.constantFrom('x', 'y', 's of x', 't of y', 's2 of x', 'p in s', 'q in t', 'r in s2')
  let run = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uniqueArray(thing, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
      async (steps) => {
        run += 1
        const [there, ever] = [new Set<string>(), new Set<string>()]
        const named = (name: string): string => name.replaceAll(/\b(x|y|s2?|t|p|q|r)\b/g, `$1${run}`)
        for (const toggled of steps) {
          for (const name of toggled) {
            if (there.delete(name)) rig.source.remove(named(name))
            else {
              there.add(name)
              rig.source.put(named(name), { name: named(name) })
            }
          }
          await scan()
          for (const name of there) ever.add(name)
          const stays = (name: string): boolean => {
            const [, on] = name.split(/ of | in /)
            if (!there.has(name) || on === undefined) return there.has(name)
            const full = [...ever].find((each) => each === on || each.startsWith(`${on} of `))
            return full === undefined || stays(full)
          }
          const expected = [...ever].filter(stays).map((name) => named(name).split(' ')[0] ?? '')
          const found = (await names()).map((name) => name.slice(name.indexOf(':') + 1))
          expect(found.filter((name) => name.endsWith(String(run)) && name !== 'base').toSorted()).toEqual(
            expected.toSorted(),
          )
        }
        for (const name of there) rig.source.remove(named(name))
      },
    ),
    { numRuns: 6 },
  )
}, 120_000)
