import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../testkit/database.ts'
import { getEntity } from './entity.ts'
import { type EntityFreshness, entityFreshness } from './entity-freshness.ts'
import type { Objectives } from './freshness.ts'
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
