import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../testkit/database.ts'
import { World } from './query/world.fixture.ts'
import { removeSource } from './remove-source.ts'
import { liveEntities } from './store.fixture.ts'

let database: FreshDatabase
let world: World

beforeEach(async () => {
  database = await freshDatabase()
  world = new World(database.db)
  const service = (name: string, more: object = {}) => ({
    key: name,
    entities: [{ blueprint: 'service', identifier: name, ...more }],
  })
  await world.see('old', 'repository', [service('only-old'), service('both', { title: 'of old' })])
  await world.see('new', 'repository', [service('both', { properties: { language: 'go' } }), service('only-new')])
  await world.hold('old', 'repository', ['only-old'])
  await world.scan('old', 'repository', 'acme', 'complete')
  await world.store.requestScan((await world.source('old')).id, '')
  await world.store.accept((await world.source('old')).id, {
    id: 'd1',
    event: 'push',
    headers: {},
    body: Buffer.from('{}'),
  })
})
afterEach(() => database.drop())

const by = { who: 'admin key', now: Date.UTC(2026, 10, 28, 12) }
const freeze = async () => {
  await world.store.freezeSourcesExcept(['new'])
  await world.store.releaseLease((await world.source('old')).fence)
}

test('what only it said is deleted, what others say, too, stays without its words; nothing of it is left', async () => {
  await freeze()
  const { id } = await world.source('old')
  const tables = (
    await database.db.query<{ table: string; column: string }>(
      `SELECT c.table_name AS table, c.column_name AS column FROM information_schema.columns c
       WHERE c.table_schema = 'public' AND c.column_name IN ('source_id', 'kind_id', 'partition_id', 'record_id')
         AND c.table_name NOT LIKE 'changes%'`,
    )
  ).rows
  expect(tables.length).toBeGreaterThan(10)

  expect(await removeSource(database.db, 'old', by)).toEqual({ source: 'old', records: 2, deleted: 1, updated: 1 })
  expect(await liveEntities(database.db)).toMatchObject([
    { name: 'service:both', title: null, properties: { language: 'go' } },
    { name: 'service:only-new' },
  ])
  await world.store.sequence()
  const { rows: changes } = await database.db.query<{ operation: string; identifier: string; cause: unknown }>(
    'SELECT c.operation, c.identifier, b.cause FROM changes c JOIN change_batches b ON b.id = c.batch ORDER BY b.base DESC, c.position LIMIT 2',
  )
  expect(changes.map(({ operation, identifier }) => `${operation} ${identifier}`).toSorted()).toEqual([
    'deleted only-old',
    'updated both',
  ])
  expect(changes[0]?.cause).toMatchObject({ type: 'person', who: 'admin key', what: 'removed the source old' })

  const parents = { kind_id: 'kinds', partition_id: 'partitions', record_id: 'records', source_id: 'sources' }
  for (const { table, column } of tables) {
    const parent = Object.entries(parents).find(([key]) => key === column)?.[1]
    const { rows } = await database.db.query(
      `SELECT FROM "${table}" t WHERE t.${column} IS NOT NULL AND NOT EXISTS (SELECT FROM ${parent} p WHERE p.id = t.${column})`,
    )
    expect([table, column, rows.length]).toEqual([table, column, 0])
  }
  expect((await database.db.query('SELECT FROM sources WHERE id = $1', [id])).rows).toEqual([])
  expect((await database.db.query(`SELECT FROM blueprints WHERE identifier = 'service'`)).rows).toHaveLength(1)

  // Its name may be used again, for something else.
  expect(await world.store.saveSource({ name: 'old', integration: 'other', precedence: 0 })).toMatchObject({
    state: 'active',
    mappingId: undefined,
  })
})

test('one that is configured, worked on, or not there is refused, and nothing changes', async () => {
  const before = await liveEntities(database.db)
  await expect(removeSource(database.db, 'old', by)).rejects.toMatchObject({ code: 'source_active', status: 409 })
  await expect(removeSource(database.db, 'odl', by)).rejects.toMatchObject({
    code: 'source_unknown',
    status: 404,
    hint: 'Sources: new, old',
  })
  await world.store.freezeSourcesExcept(['new'])
  await expect(removeSource(database.db, 'old', by)).rejects.toMatchObject({ code: 'source_busy', status: 409 })
  expect(await liveEntities(database.db)).toEqual(before)
})
