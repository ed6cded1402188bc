import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../testkit/database.ts'
import { getDelivery, listDeliveries, replayDelivery } from './deliveries.ts'
import { decideAllHeld, decideHeld, listHeld } from './held.ts'
import { listQuarantine } from './quarantine.ts'
import { readiness } from './readiness.ts'
import { getRecord, listRecords } from './records.ts'
import { listScans } from './scans.ts'
import { listSources } from './sources.ts'
import { World } from './world.fixture.ts'

let database: FreshDatabase
let world: World
const kinds = [{ source: 'github', kind: 'repository' }]

beforeAll(async () => {
  database = await freshDatabase()
  world = new World(database.db)
  await world.see(
    'github',
    'repository',
    Array.from({ length: 7 }, (_, index) => ({
      key: `r${index}`,
      locator: { name: `n${index}` },
      body: { name: `n${index}` },
      entities: [{ blueprint: 'service', identifier: `acme/n${index}` }],
    })),
  )
})

afterAll(() => database.drop())

test('not ready before the first complete scan, nor while another kind waits for its first', async () => {
  expect(await readiness(database.db, kinds)).toMatchObject({ ready: false })
  await world.scan('github', 'repository', 'acme', 'complete')
  expect(await readiness(database.db, kinds)).toMatchObject({ ready: true })
  await world.see('github', 'team', [])
  const both = [...kinds, { source: 'github', kind: 'team' }]
  expect(await readiness(database.db, both)).toMatchObject({ ready: false })
  const { id, fence } = await world.source('github')
  await world.store.requestScan(id, 'team')
  expect(await readiness(database.db, both)).toMatchObject({ ready: false })
  await world.store.setSchedule(fence, id, 'team', world.now, false)
  expect(await readiness(database.db, both)).toMatchObject({ ready: true })
  await world.scan('github', 'team', 'acme', 'running')
  expect(await readiness(database.db, both)).toMatchObject({ ready: false })
  await world.scan('github', 'team', 'acme', 'incomplete')
  expect(await readiness(database.db, both)).toMatchObject({ ready: true })
})

test('freshness by partition, and the source is as fresh as its worst', async () => {
  const [source] = await listSources(database.db, { github: 3600 }, world.now + 60_000)
  expect(source).toMatchObject({ name: 'github', freshness: 'unknown', objectiveSeconds: 3600 })
  const repository = source?.kinds.find((kind) => kind.name === 'repository')
  expect(repository).toMatchObject({
    freshness: 'fresh',
    records: 7,
    partitions: [{ name: 'acme', state: 'known', freshness: 'fresh', ageSeconds: 60 }],
  })
  const team = source?.kinds.find((kind) => kind.name === 'team')
  expect(team?.partitions[0]).toMatchObject({
    freshness: 'unknown',
    scan: { state: 'incomplete', reason: 'page 3 was HTML' },
  })
  expect(team?.partitions[0]?.reason).toContain('page 3 was HTML')
  const [later] = await listSources(database.db, { github: 3600 }, world.now + 7_200_000)
  expect(later?.kinds.find((kind) => kind.name === 'repository')?.freshness).toBe('stale')
})

test('scans, newest first, with a forecast while they run', async () => {
  await world.scan('github', 'repository', 'acme', 'running')
  await database.db.query(`UPDATE scans SET items = 250, expected = 1000 WHERE state = 'running'`)
  const { items, next } = await listScans(database.db, { limit: 1 }, world.now + 10_000)
  expect(items).toMatchObject([{ state: 'running', items: 250, progress: { share: 0.25, rate: 25 } }])
  expect(items[0]?.progress?.endsAt).toBe(new Date(world.now + 40_000).toISOString())
  const rest = await listScans(database.db, { limit: 100, ...(next === undefined ? {} : { cursor: next }) }, world.now)
  expect(rest.items.map((scan) => scan.state)).toEqual(['incomplete', 'running', 'complete'])
  const incomplete = await listScans(database.db, { limit: 10, kind: 'team', state: 'incomplete' }, world.now)
  expect(incomplete.items).toHaveLength(1)
})

test('held: paged, decided one by one and together, never twice', async () => {
  await world.hold('github', 'repository', ['r0', 'r1', 'r2', 'r3'])
  const first = await listHeld(database.db, { limit: 3 })
  expect(first.items).toMatchObject([
    { key: 'r0', entities: ['service:acme/n0'], partition: 'acme', state: 'pending' },
    {},
    {},
  ])
  expect(first.next).toBeDefined()
  const [source] = await listSources(database.db, { github: 3600 }, world.now)
  expect(source?.kinds.map((kind) => [kind.held, kind.partitions.map((partition) => partition.held)])).toEqual([
    [4, [4]],
    [0, [0]],
  ])
  const [one] = first.items
  if (one === undefined) throw new Error('four are held')
  await decideHeld(database.db, one.id, 'approved', 'ann')
  await expect(decideHeld(database.db, one.id, 'rejected', 'bob')).rejects.toMatchObject({
    code: 'hold_decided',
    status: 409,
  })
  await expect(decideHeld(database.db, '999', 'approved', 'ann')).rejects.toMatchObject({
    code: 'hold_unknown',
    status: 404,
  })
  expect(await decideAllHeld(database.db, { source: 'github', kind: 'team' }, 'rejected', 'bob')).toBe(0)
  expect(await decideAllHeld(database.db, { source: 'github', kind: 'repository' }, 'rejected', 'bob')).toBe(3)
  const approved = await listHeld(database.db, { limit: 10, state: 'approved' })
  expect(approved.items).toMatchObject([{ key: 'r0', decidedBy: 'ann' }])
  const { id } = await world.source('github')
  const { id: kind } = await world.store.kind(id, 'repository')
  expect(await world.store.approvedHolds(kind, { after: 0n, limit: 9 })).toMatchObject([
    { what: 'presence', by: 'ann' },
  ])
})

test('deliveries: a dead one says why and can be replayed', async () => {
  const { id, fence } = await world.source('github')
  await world.store.accept(id, {
    id: 'd1',
    event: 'push',
    headers: { authorization: 'x' },
    body: Buffer.from('{"a":1}'),
  })
  const [waiting] = (await listDeliveries(database.db, { limit: 10 })).items
  expect(waiting).toMatchObject({ delivery: 'd1', state: 'accepted', bytes: 7 })
  const delivery = waiting?.id ?? ''
  await expect(replayDelivery(database.db, delivery)).rejects.toMatchObject({ code: 'delivery_not_dead' })
  await world.store.setAside(fence, BigInt(delivery), { message: 'no such kind' })
  expect((await listDeliveries(database.db, { limit: 10, state: 'dead' })).items).toMatchObject([
    { error: { message: 'no such kind' } },
  ])
  const detail = await getDelivery(database.db, delivery)
  expect(detail.body).toBe('{"a":1}')
  expect(JSON.stringify(detail)).not.toContain('authorization')
  await replayDelivery(database.db, delivery)
  expect(await world.store.accepted(id, 10)).toMatchObject([{ delivery: 'd1', attempts: 0 }])
  await expect(getDelivery(database.db, '12345')).rejects.toMatchObject({ code: 'delivery_unknown' })
})

test('records with their canonical body', async () => {
  const { items } = await listRecords(database.db, { limit: 100, source: 'github', kind: 'repository', state: 'live' })
  expect(items).toHaveLength(7)
  expect(await getRecord(database.db, 'github', 'repository', 'r3')).toMatchObject({
    body: { name: 'n3' },
    partitions: [{ name: 'acme', present: true }],
    contributions: [{ reference: 'service:acme/n3', owning: true }],
  })
  expect(await getRecord(database.db, 'github', 'repository', 'x')).toBeUndefined()
})

test('quarantine, page by page', async () => {
  const problem = (mapping: string) =>
    ({ code: 'expression_failed', mapping, field: 'identifier', expression: '.x', message: 'no' }) as const
  await world.see('github', 'repository', [
    { key: 'q1', body: 1, quarantined: [problem('repository[0]'), problem('repository[1]')] },
  ])
  await world.see('github', 'repository', [{ key: 'q2', body: 2, quarantined: [problem('repository[0]')] }])
  const first = await listQuarantine(database.db, { limit: 2 })
  expect(first.items.map(({ key, mapping }) => [key, mapping])).toEqual([
    ['q1', 'repository[0]'],
    ['q1', 'repository[1]'],
  ])
  const second = await listQuarantine(database.db, {
    limit: 2,
    ...(first.next === undefined ? {} : { cursor: first.next }),
  })
  expect(second.items.map(({ key }) => key)).toEqual(['q2'])
  expect(second.next).toBeUndefined()
})
