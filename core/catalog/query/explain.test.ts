import { afterAll, beforeAll, expect, test } from 'vitest'
import type { MappingOutput } from '../../model/mapping.ts'
import type { Problem } from '../../model/problem.ts'
import { type FreshDatabase, freshDatabase } from '../../testkit/database.ts'
import { explain } from './explain.ts'
import type { Evaluate, Explanation } from './explanation.ts'
import { World } from './world.fixture.ts'

let database: FreshDatabase
let world: World

const failed: Problem = {
  code: 'expression_failed',
  mapping: 'repository[0]',
  field: 'identifier',
  expression: '.full_name',
  message: 'Cannot index number with "full_name"',
}

/** The mapping of the test: what the body says it is. */
const evaluate: Evaluate = (source, _kind, text): readonly MappingOutput[] | undefined => {
  if (source !== 'github') return undefined
  const body: unknown = JSON.parse(text)
  if (body === 'archived') return [{ mapping: 'repository[0]', state: 'deselected', expression: '.archived | not' }]
  if (body === 'broken') return [{ mapping: 'repository[0]', state: 'quarantined', problem: failed }]
  return []
}

const service = (identifier: string) => ({ blueprint: 'service', identifier })

beforeAll(async () => {
  database = await freshDatabase()
  world = new World(database.db)
  await world.see('github', 'repository', [
    { key: '1', locator: { owner: 'acme', name: 'checkout' }, version: '7', entities: [service('acme/checkout')] },
    { key: '2', locator: { full_name: 'acme/old' }, entities: [service('acme/old')] },
    { key: '3', locator: { full_name: 'acme/gone' }, entities: [service('acme/gone')] },
    { key: '4', locator: { owner: 'acme', name: 'archive' }, body: 'archived' },
    { key: '5', locator: { full_name: 'acme/broken' }, body: 'broken', quarantined: [failed] },
    { key: '6', locator: { full_name: 'acme/plain' }, body: 'no mapping reads it' },
    { key: '7', locator: {}, entities: [{ ...service('acme/web'), relations: { uses: ['acme/ghost'] } }] },
  ])
  await world.see('other', 'thing', [
    { key: '1', partition: 'elsewhere', entities: [{ ...service('acme/checkout'), properties: { language: 'go' } }] },
  ])
  await world.scan('github', 'repository', 'acme', 'complete')
  await world.scan('other', 'thing', 'elsewhere', 'complete')
  await world.see('github', 'repository', [{ key: '2', body: 'b', entities: [service('acme/new')] }])
  await world.remove('github', 'repository', '3')
})

afterAll(() => database.drop())

const ask = (reference: string): Promise<Explanation> => explain(database.db, reference, evaluate)

test('present: each contribution with its record, partition and scan', async () => {
  const found = await ask('service:acme/checkout')
  expect(found.state).toBe('present')
  expect(found.summary).toContain('because github has the repository 1 and 1 more')
  expect(found.contributions).toHaveLength(2)
  expect(found.contributions[0]).toMatchObject({
    source: 'github',
    kind: 'repository',
    key: '1',
    version: '7',
    mapping: 'repository[0]',
    owning: true,
    partitions: [{ name: 'acme', state: 'known', present: true, scan: '1' }],
  })
  expect(found.changes.map((change) => change.operation)).toEqual(['updated', 'created'])
})

test('held', async () => {
  await world.hold('github', 'repository', ['7'])
  const found = await ask('service:acme/web')
  expect(found.state).toBe('present')
  expect(found.held).toMatchObject([{ what: 'presence', reason: 'A scan listed 2 of 40.', key: '7' }])
  expect(found.notes.join()).toContain('1 held')
})

test('renamed', async () => {
  const found = await ask('service:acme/old')
  expect(found).toMatchObject({ state: 'renamed', entity: { reference: 'service:acme/new' } })
  expect(found.summary).toContain('service:acme/old is now service:acme/new')
})

test('deleted: why, by what, when', async () => {
  const found = await ask('service:acme/gone')
  expect(found.state).toBe('deleted')
  expect(found.summary).toBe(
    'service:acme/gone was deleted at 2026-11-28T12:00:00.000Z: the source said that it is gone (delivery repository.deleted d-1).',
  )
  expect(found.entity?.deleted).toMatchObject({
    reason: 'gone',
    cause: { type: 'delivery', event: 'repository.deleted' },
  })
  expect(found.changes[0]?.operation).toBe('deleted')
})

test('selector false: found by the parts of its name', async () => {
  const found = await ask('service:acme/archive')
  expect(found.state).toBe('deselected')
  expect(found.summary).toContain('the selector of repository[0] is false for it: .archived | not')
})

test('quarantined: which expression failed', async () => {
  const found = await ask('service:acme/broken')
  expect(found.state).toBe('quarantined')
  expect(found.summary).toContain('identifier (.full_name): Cannot index number')
})

test('no mapping makes an entity of it', async () => {
  expect(await ask('service:acme/plain')).toMatchObject({ state: 'unmapped', records: [{ key: '6' }] })
})

test('never seen, but something points at it', async () => {
  const found = await ask('service:acme/ghost')
  expect(found.state).toBe('never_seen')
  expect(found.notes).toEqual(['1 entity points at it.'])
})

test('just a name, a record, and nonsense', async () => {
  expect(await ask('acme/checkout')).toMatchObject({ state: 'present', entity: { reference: 'service:acme/checkout' } })
  expect(await ask('record:github/repository/1')).toMatchObject({
    state: 'record',
    candidates: ['service:acme/checkout'],
    records: [{ key: '1', feeds: ['service:acme/checkout'] }],
  })
  expect((await ask('record:github/repository/99')).state).toBe('never_seen')
  expect((await ask('record:x')).state).toBe('never_seen')
  expect((await ask('nope:acme/checkout')).state).toBe('never_seen')
  expect((await ask(`'"%_\\ :: <b>`)).state).toBe('never_seen')
})

test('several by one name', async () => {
  await world.see('github', 'team', [{ key: 't', entities: [{ blueprint: 'team', identifier: 'acme/web' }] }])
  await world.scan('github', 'team', 'acme', 'complete')
  expect(await ask('acme/web')).toMatchObject({ state: 'ambiguous', candidates: ['service:acme/web', 'team:acme/web'] })
})

test('a deleted one whose record is back but deselected says so', async () => {
  await world.see('github', 'repository', [{ key: '3', locator: { full_name: 'acme/gone' }, body: 'archived' }])
  expect((await ask('service:acme/gone')).state).toBe('deselected')
})

test('where we cannot look it may be', async () => {
  const { rows } = await database.db.query<{ id: number }>(`SELECT id FROM partitions WHERE name = 'elsewhere'`)
  const { fence } = await world.source('other')
  await world.store.setPartition(fence, rows[0]?.id ?? 0, 'unknown', 'the organisation answered 404')
  const found = await ask('service:acme/ghost')
  expect(found.state).toBe('unknown')
  expect(found.notes).toContain('other/thing elsewhere is unknown: the organisation answered 404.')
})
