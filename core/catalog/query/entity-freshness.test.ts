import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../testkit/database.ts'
import { listEntities } from './entities.ts'
import { getEntity } from './entity.ts'
import { type EntityFreshness, entityFreshness } from './entity-freshness.ts'
import type { Freshness, Objectives } from './freshness.ts'
import { readLine } from './line/index.ts'
import { World } from './world.fixture.ts'

let database: FreshDatabase
let world: World

const service = (identifier: string) => ({ blueprint: 'service', identifier })
const objectives: Objectives = { github: { repository: 3600, team: 60 }, other: 3600 }

beforeAll(async () => {
  database = await freshDatabase()
  world = new World(database.db)
  await world.see('github', 'repository', [
    { key: '1', entities: [service('acme/one')] },
    { key: '2', entities: [service('acme/two')], partition: 'acme-labs' },
    { key: '3', entities: [service('acme/three')], partition: 'never' },
    { key: '4', entities: [service('acme/four')] },
  ])
  await world.see('github', 'team', [{ key: 't', entities: [{ blueprint: 'team', identifier: 'pay' }] }])
  await world.see('github', 'user', [{ key: 'u', entities: [{ blueprint: 'team', identifier: 'person' }] }])
  await world.see('other', 'thing', [{ key: '4', partition: 'x', entities: [service('acme/four')] }])
  for (const [kind, partition] of [
    ['repository', 'acme'],
    ['repository', 'acme-labs'],
    ['team', 'acme'],
    ['user', 'acme'],
  ] as const)
    await world.scan('github', kind, partition, 'complete')
  await world.scan('other', 'thing', 'x', 'complete', world.now - 7_200_000)
  await database.db.query(
    `UPDATE partitions SET state = 'unknown', reason = '403 on acme-labs.' WHERE name = 'acme-labs'`,
  )
})

afterAll(() => database.drop())

async function of(
  blueprint: string,
  identifier: string,
  at = world.now + 90_000,
): Promise<EntityFreshness | undefined> {
  const found = await getEntity(database.db, blueprint, identifier)
  return (await entityFreshness(database.db, [found?.id ?? '0'], objectives, at)).get(found?.id ?? '0')
}

test('fresh, with when it was confirmed', async () => {
  expect(await of('service', 'acme/one')).toEqual({ freshness: 'fresh', confirmedAt: '2026-11-28T12:00:00.000Z' })
})

test('each kind has its own objective', async () => {
  expect(await of('team', 'pay')).toMatchObject({
    freshness: 'stale',
    freshnessReason: 'github team in acme: The last complete scan is 2 min old; the objective is 60 s.',
  })
})

test('what cannot be read, was never listed or is not configured is unknown', async () => {
  expect(await of('service', 'acme/two')).toMatchObject({
    freshness: 'unknown',
    freshnessReason: 'github repository in acme-labs: 403 on acme-labs.',
  })
  expect(await of('service', 'acme/three')).toMatchObject({ freshness: 'unknown', confirmedAt: null })
  expect(await of('team', 'person')).toMatchObject({
    freshness: 'unknown',
    freshnessReason: expect.stringContaining('The kind is not in the configuration'),
  })
  expect(await of('service', 'nothing')).toEqual({ freshness: 'unknown', confirmedAt: null })
})

test('of several sources the worst counts, and the oldest scan', async () => {
  expect(await of('service', 'acme/four')).toMatchObject({
    freshness: 'stale',
    confirmedAt: '2026-11-28T10:00:00.000Z',
    freshnessReason: expect.stringMatching(/^other thing in x: /),
  })
})

test('a source that is gone from the configuration makes it unknown', async () => {
  await world.store.freezeSourcesExcept(['github'])
  expect(await of('service', 'acme/four')).toMatchObject({ freshness: 'unknown' })
  expect(await of('service', 'acme/one')).toMatchObject({ freshness: 'fresh' })
})

test('is: finds what each entity is judged to be, whatever the objectives and the time', async () => {
  await database.db.query(
    `UPDATE presences SET ended = true WHERE record_id = (SELECT id FROM records WHERE key = '1')`,
  )
  await database.db.query(
    `UPDATE contributions SET mapping = '~pin' WHERE record_id = (SELECT id FROM records WHERE key = 't')`,
  )
  await world.see('manual', 'entity', [{ key: 'm', entities: [service('acme/written')] }])
  await database.db.query(`DELETE FROM presences WHERE record_id = (SELECT id FROM records WHERE key = 'm')`)
  const seconds = fc.integer({ min: 30, max: 20_000 })
  const objective = fc.oneof(seconds, fc.dictionary(fc.constantFrom('repository', 'team', 'user'), seconds))
  const some = fc.dictionary(fc.constantFrom('github', 'other'), objective)
  const seen = new Set<Freshness>()
  await fc.assert(
    fc.asyncProperty(some, seconds, async (asked, later) => {
      const now = world.now + later * 1000
      const find = async (q: string) =>
        (
          await listEntities(database.db, {
            line: await readLine(database.db, q, { now, objectives: asked }),
            limit: 99,
          })
        ).items
      const all = await find('')
      const judged = await entityFreshness(
        database.db,
        all.map(({ id }) => id),
        asked,
        now,
      )
      for (const state of ['fresh', 'stale', 'unknown'] as const) {
        const expected = all.filter(({ id }) => judged.get(id)?.freshness === state)
        if (expected.length > 0) seen.add(state)
        expect((await find(`is:${state}`)).map(({ reference }) => reference)).toEqual(
          expected.map(({ reference }) => reference),
        )
        expect((await find(`-is:${state}`)).length).toBe(all.length - expected.length)
      }
    }),
    { numRuns: 15, examples: [[{ github: 60, other: 60 }, 90]] },
  )
  expect(seen.size).toBe(3)
  const line = await readLine(database.db, 'is:pinned', { now: world.now })
  expect((await listEntities(database.db, { line, limit: 9 })).items.map((one) => one.reference)).toEqual(['team:pay'])
}, 60_000)

test('what was is not judged', async () => {
  const line = await readLine(database.db, 'is:stale', { now: world.now })
  await expect(listEntities(database.db, { line, limit: 1 })).rejects.toMatchObject({
    code: 'query_invalid',
    details: { position: 4 },
  })
})
