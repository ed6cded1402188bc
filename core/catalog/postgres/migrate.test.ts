import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { emptyDatabase, type FreshDatabase } from '../../testkit/database.ts'
import type { Db } from '../db.ts'
import { openDatabase } from './connect.ts'
import { lockKey, migrate } from './migrate.ts'

let database: FreshDatabase
let db: Db
let directory: string

beforeAll(async () => {
  database = await emptyDatabase()
  db = database.db
})

afterAll(() => database.drop())

beforeEach(async () => {
  await db.query('drop schema public cascade; create schema public')
  directory = await mkdtemp(join(tmpdir(), 'catchment-migrations-'))
  await write('0001_first', 'create table first (n int); insert into first values (1);')
  await write('0002_second', 'create table second as select n + 1 as n from first;')
})

afterEach(() => rm(directory, { recursive: true, force: true }))

const write = (name: string, sql: string) => writeFile(join(directory, `${name}.sql`), sql)

test('applies in order, once, and says what it applied', async () => {
  const seen: string[] = []
  expect(await migrate(db, { directory, onApply: ({ name }) => seen.push(name) })).toEqual([
    '0001_first',
    '0002_second',
  ])
  expect(seen).toEqual(['0001_first', '0002_second'])
  await write('0003_third', 'update second set n = 3')
  expect(await migrate(db, { directory })).toEqual(['0003_third'])
  expect(await migrate(db, { directory })).toEqual([])
  expect((await db.query('select n from second')).rows).toEqual([{ n: 3 }])
})

test('several processes at once apply each file once', async () => {
  const others = await Promise.all(Array.from({ length: 4 }, () => openDatabase(database.url, { max: 1 })))
  const applied = await Promise.all(others.map((other) => migrate(other, { directory })))
  await Promise.all(others.map((other) => other.close()))
  expect(applied.flat().toSorted()).toEqual(['0001_first', '0002_second'])
})

test('waits for whoever migrates already', async () => {
  const waiting = () =>
    db.query(
      "select 1 from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())",
    )
  let migrating: Promise<string[]> | undefined
  await db.transaction(async (tx) => {
    await tx.query('select pg_advisory_xact_lock($1)', [lockKey])
    migrating = migrate(db, { directory })
    await expect.poll(async () => (await waiting()).rowCount, { timeout: 20_000 }).toBe(1)
  })
  expect(await migrating).toEqual(['0001_first', '0002_second'])
})

test('a file that fails leaves nothing, keeps those before it, and is named', async () => {
  await write('0003_third', 'create table third (n int); select 1 / 0;')
  const error = { code: 'migration_failed', message: 'migration 0003_third failed: division by zero' }
  await expect(migrate(db, { directory })).rejects.toMatchObject(error)
  expect(
    (await db.query("select to_regclass('second') is null as second, to_regclass('third') is null as third")).rows,
  ).toEqual([{ second: false, third: true }])
  await write('0003_third', 'create table third (n int)')
  expect(await migrate(db, { directory })).toEqual(['0003_third'])
})

test('an applied file that was edited is named; line ends do not count', async () => {
  await migrate(db, { directory })
  await write('0001_first', 'create table first (n bigint)')
  await expect(migrate(db, { directory })).rejects.toMatchObject({
    code: 'migration_edited',
    message: expect.stringContaining('0001_first'),
  })
  await write('0001_first', 'create table first (n int); insert into first values (1);')
  await write('0003_third', 'select 1;\nselect 2;')
  await migrate(db, { directory })
  await write('0003_third', 'select 1;\r\nselect 2;')
  expect(await migrate(db, { directory })).toEqual([])
})

test('a database newer than the code is refused', async () => {
  await migrate(db, { directory })
  await rm(join(directory, '0002_second.sql'))
  await expect(migrate(db, { directory })).rejects.toMatchObject({
    code: 'database_newer',
    message: expect.stringContaining('0002_second'),
  })
})

test('a number that was skipped, or a renamed file, is refused', async () => {
  await rename(join(directory, '0002_second.sql'), join(directory, '0003_second.sql'))
  await migrate(db, { directory })
  await write('0002_late', 'select 1')
  await expect(migrate(db, { directory })).rejects.toMatchObject({
    code: 'migration_order',
    message: expect.stringContaining('0002_late'),
  })
})

test.each(['0002_again', '3_short', '0003-dash'])(
  'a bad file name is refused before anything runs: %s',
  async (name) => {
    await write(name, 'select 1')
    await expect(migrate(db, { directory })).rejects.toMatchObject({ code: 'migration_name' })
    expect((await db.query("select to_regclass('first') is null as none")).rows).toEqual([{ none: true }])
  },
)
