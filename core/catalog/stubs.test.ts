import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../testkit/database.ts'
import { mappingsOf, ReferenceRig } from '../testkit/reference-rig.ts'
import { latestChanges } from './query/changes.ts'
import { listEntities } from './query/entities.ts'
import { getEntity } from './query/entity.ts'
import { explain } from './query/explain.ts'
import { entityHistory } from './query/history.ts'
import { getEntityAsOf } from './query/then.ts'
import { parseWhere } from './query/where.ts'
import { openWorld } from './store.fixture.ts'
import { createUndo } from './undo.ts'

const blueprints = `
- identifier: service
  schema: { properties: { language: { type: string } } }
  relations: { owner: { target: team }, uses: { target: service, many: true }, lost: { target: nowhere } }
- identifier: team
  schema: { properties: { size: { type: number } } }
`
const services = (missing: boolean): string => `
createMissingRelatedEntities: ${missing}
resources:
  - kind: thing
    entity:
      identifier: .name
      blueprint: '"service"'
      title: .name
      relations: { owner: .owner, uses: .uses, lost: .owner }
`
const teams = `
resources:
  - kind: thing
    entity: { identifier: .name, blueprint: '"team"', title: .title, properties: { size: .size } }
`

let database: FreshDatabase
let rig: ReferenceRig
beforeAll(async () => {
  database = await freshDatabase()
})
beforeEach(async () => {
  await database.drop()
  database = await freshDatabase()
  rig = new ReferenceRig(database.db)
  await rig.order(['code', 'people'])
  await rig.map('code', mappingsOf(blueprints, services(true)))
  await rig.map('people', mappingsOf(blueprints, teams))
})
afterAll(() => database.drop())

let version = 100
const see = (source: string, key: string, body: Record<string, string | number | string[]>): Promise<void> => {
  version += 1
  const own = String(version)
  return rig.observe({ source, kind: 'thing', key, version: own, body: { id: key, version: own, ...body } })
}
const names = async (where?: string): Promise<readonly string[]> => {
  const query = where === undefined ? undefined : parseWhere([where])
  const { items } = await listEntities(database.db, { limit: 100, ...(query === undefined ? {} : { query }) })
  return items.map(({ reference, stub }) => (stub === true ? `${reference} (stub)` : reference))
}
const answer = async (text: string): Promise<string> => (await explain(database.db, text, () => undefined)).summary

test('what a relation leads to is there as a stub, and goes when nothing refers to it any more', async () => {
  await see('code', '1', { name: 'cart', owner: 'shop', uses: ['auth', 'cart'] })
  await see('code', '2', { name: 'till', owner: 'shop' })
  expect(await names()).toEqual(['service:auth (stub)', 'service:cart', 'service:till', 'team:shop (stub)'])
  expect(await names('$stub=true')).toEqual(['service:auth (stub)', 'team:shop (stub)'])
  expect(await names('$stub=false')).toEqual(['service:cart', 'service:till'])
  const shop = await getEntity(database.db, 'team', 'shop')
  expect(shop).toMatchObject({ stub: true, title: 'shop', properties: {}, links: { inTotal: 2 } })
  expect(await answer('team:shop')).toBe(
    'team:shop is in the catalog as a stub: no source has it, and it was made because service:cart and 1 more refer to it.',
  )

  await rig.withdraw('code', '1')
  expect(await names()).toEqual(['service:till', 'team:shop (stub)'])
  await see('code', '2', { name: 'till', owner: 'desk' })
  expect(await names()).toEqual(['service:till', 'team:desk (stub)'])
  await rig.store.sequence()
  expect(await answer('team:shop')).toMatch(
    /^team:shop was deleted.*: it was a stub, and nothing refers to it any more/,
  )
  const { removed } = await rig.store.guardWindow((await rig.store.kind(1, 'thing')).id, Date.UTC(2026, 0))
  expect(removed).toBe(1)
})

test('the first source that has it takes it over: same entity, told of as a change', async () => {
  await see('code', '1', { name: 'cart', owner: 'shop' })
  await rig.store.sequence()
  const stub = await getEntity(database.db, 'team', 'shop')
  await see('people', 't1', { name: 'shop', title: 'The shop', size: 3 })
  await rig.store.sequence()
  const team = await getEntity(database.db, 'team', 'shop')
  expect(team).toMatchObject({ id: stub?.id, title: 'The shop', properties: { size: 3 } })
  expect(team?.stub).toBeUndefined()
  const [taken] = await latestChanges(database.db, { entityId: team?.id ?? '' }, 1)
  expect(taken).toMatchObject({ operation: 'updated', patch: { stub: [true, false], title: ['shop', 'The shop'] } })
  const before = await getEntityAsOf(database.db, { blueprint: 'team', identifier: 'shop' }, String(stub?.revision))
  expect(before).toMatchObject({ stub: true, title: 'shop', properties: {} })
  const history = await entityHistory(database.db, { blueprint: 'team', identifier: 'shop' }, { limit: 10 })
  expect(history?.items.map(({ operation }) => operation)).toEqual(['updated', 'created'])

  // It is no longer the relations' to end.
  await see('code', '1', { name: 'cart' })
  expect(await names()).toEqual(['service:cart', 'team:shop'])
  await see('code', '1', { name: 'cart', owner: 'shop' })
  await rig.withdraw('people', 't1')
  expect(await names()).toEqual(['service:cart', 'team:shop (stub)'])
  // It is another one: what was real can come back, and the stub makes way.
  expect((await getEntity(database.db, 'team', 'shop'))?.id).not.toBe(stub?.id)
  await rig.store.sequence()
  await createUndo({ db: database.db, now: () => 0 }).undo({ blueprint: 'team', identifier: 'shop' }, { who: 'amara' })
  expect(await names()).toEqual(['service:cart', 'team:shop'])
  expect((await getEntity(database.db, 'team', 'shop'))?.id).toBe(stub?.id)
})

test('a former name leads to the renamed entity and to no stub, until that is gone', async () => {
  await see('people', 't1', { name: 'shop' })
  await see('code', '1', { name: 'cart', owner: 'shop' })
  await see('people', 't1', { name: 'store' })
  expect(await names()).toEqual(['service:cart', 'team:store'])
  expect((await getEntity(database.db, 'service', 'cart'))?.relations).toMatchObject({ owner: 'team:store' })
  await rig.withdraw('people', 't1')
  expect(await names()).toEqual(['service:cart', 'team:shop (stub)'])
  await see('people', 't2', { name: 'depot' })
  await see('people', 't2', { name: 'shop' })
  expect(await names()).toEqual(['service:cart', 'team:shop'])
})

test('only a mapping that asks for it makes them; turning it off takes them back, turning it on makes them', async () => {
  await see('code', '1', { name: 'cart', owner: 'shop' })
  await rig.map('code', mappingsOf(blueprints, services(false)))
  expect(await names()).toEqual(['service:cart'])
  await rig.map('code', mappingsOf(blueprints, services(true)))
  expect(await names()).toEqual(['service:cart', 'team:shop (stub)'])
})

test('whoever commits at the same time: a name has a stub exactly while it is wanted and nothing owns it', async () => {
  const [code, people] = [
    await openWorld(database.db, { name: 'one' }),
    await openWorld(database.db, { name: 'two', precedence: 1 }),
  ]
  const teams = ['a', 'b', 'c']
  const wants = (round: number, key: number): readonly string[] =>
    teams.filter((_, index) => (round * 7 + key * 3 + index) % 4 === 0)
  const owns = (round: number, index: number): boolean => (round + index) % 3 === 0
  for (let round = 0; round < 40; round++) {
    const wanting = [0, 1].map(async (key) => {
      const wanted = wants(round, key).map((identifier) => ({ blueprint: 'team', identifier }))
      await code.say(`s${key}`, [{ identifier: `s${key}`, title: String(round) }], { wanted })
    })
    const owning = teams.map(async (identifier, index) => {
      const drafts = owns(round, index) ? [{ blueprint: 'team', identifier }] : []
      await people.say(identifier, drafts, { hash: `${round}${index}`.padStart(32, '0') })
    })
    await Promise.all([...wanting, ...owning])
    const expected = teams.flatMap((team, index) => {
      if (owns(round, index)) return [`team:${team}`]
      return [0, 1].some((key) => wants(round, key).includes(team)) ? [`team:${team} (stub)`] : []
    })
    expect(
      (await names()).filter((name) => name.startsWith('team')),
      `round ${round}`,
    ).toEqual(expected)
  }
})
