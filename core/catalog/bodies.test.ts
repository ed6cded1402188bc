import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emptyDatabase, type FreshDatabase } from '../testkit/database.ts'
import { decodeBody } from './bodies.ts'
import { migrate } from './postgres/migrate.ts'

let database: FreshDatabase
let before: string
beforeEach(async () => {
  database = await emptyDatabase()
  before = await mkdtemp(join(tmpdir(), 'catchment-migrations-'))
})
afterEach(async () => {
  await database.drop()
  await rm(before, { recursive: true, force: true })
})

const stored = (text: string): Buffer => Buffer.from(`\0${text}`)

test('bodies of a catalog from before move beside their records, and where only the hash was kept there is none', async () => {
  const { db } = database
  const migrations = fileURLToPath(new URL('./migrations/', import.meta.url))
  for (const name of await readdir(migrations)) {
    if (name < '0012') await cp(join(migrations, name), join(before, name))
  }
  await migrate(db, { directory: before })
  const text = String.raw`{"id":1.0,"name":"a\u0000b\ud800"}`
  const insert = `INSERT INTO records (kind_id, key, state, hash, begin_tick, end_tick, mapping_id, locator, body)
    VALUES (1, $1, $2, '\\x00', 1, 1, 1, '{}', $3)`
  await db.query(insert, ['kept', 'live', stored(text)])
  await db.query(insert, ['gone', 'gone', stored('null')])
  await db.query(insert, ['hash', 'live', Buffer.from([1])])
  expect(await migrate(db)).toContain('0012_bodies')
  const { rows } = await db.query<{ key: string; body: Buffer | null }>(
    'SELECT r.key, b.body FROM records r LEFT JOIN bodies b ON b.record_id = r.id ORDER BY r.id',
  )
  expect(rows.map(({ key, body }) => [key, body && decodeBody(body)])).toEqual([
    ['kept', text],
    ['gone', 'null'],
    ['hash', null],
  ])
})
