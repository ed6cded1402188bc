import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import {
  createDatabase,
  dropDatabase,
  emptyDatabase,
  type FreshDatabase,
  withDatabase,
} from '../../testkit/database.ts'
import type { Db } from '../db.ts'
import { openDatabase } from './connect.ts'
import { sqlState } from './errors.ts'
import { refusal } from './greeting.ts'
import type { Around, Statement } from './session.ts'

let database: FreshDatabase
let db: Db
const sleeps: number[] = []

beforeAll(async () => {
  const sleep = async (milliseconds: number) => void sleeps.push(milliseconds)
  database = await emptyDatabase({ max: 4, random: () => 0.5, sleep })
  db = database.db
})

afterAll(() => database.drop())

beforeEach(async () => {
  sleeps.length = 0
  await db.query('drop table if exists items; create table items (id int primary key, n int not null)')
})

const items = async () => (await db.query<{ id: number; n: number }>('select id, n from items order by id')).rows

/** Ends every connection of this database but the one that asks. */
const endOthers = (other: Db) =>
  other.query(
    'select pg_terminate_backend(pid, 20000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  )

test('settings of the session', async () => {
  const names = ['TimeZone', 'idle_in_transaction_session_timeout', 'default_transaction_isolation', 'application_name']
  const { rows } = await db.query<{ value: string }>('select current_setting(unnest($1::text[])) as value', [names])
  expect(rows.map(({ value }) => value)).toEqual(['UTC', '30s', 'read committed', 'catchment'])
})

test('a transaction commits, or leaves nothing and passes the error on', async () => {
  const added = await db.transaction(async (tx) => (await tx.query('insert into items values (1, 1), (2, 2)')).rowCount)
  expect(added).toBe(2)
  const failure = new Error('mine')
  const failing = db.transaction(async (tx) => {
    await tx.query('delete from items')
    throw failure
  })
  await expect(failing).rejects.toBe(failure)
  expect(await items()).toHaveLength(2)
})

test('an ignored error inside a transaction is not taken for a commit', async () => {
  const swallowing = db.transaction(async (tx) => {
    await tx.query('insert into items values (1, 1)')
    await tx.query('select 1 / 0').catch(() => undefined)
  })
  await expect(swallowing).rejects.toMatchObject({ code: 'transaction_aborted' })
  expect(await items()).toEqual([])
})

test('a statement after the end of its transaction runs nowhere', async () => {
  const escaped = await db.transaction(async (tx) => () => tx.query('insert into items values (1, 1)'))
  await expect(escaped()).rejects.toMatchObject({ code: 'transaction_ended' })
  expect(await items()).toEqual([])
})

test('statements of one transaction asked for at once run one after the other', async () => {
  let running = 0
  let most = 0
  const around: Around = async (_statement, run) => {
    most = Math.max(most, ++running)
    return run().finally(() => running--)
  }
  const other = await openDatabase(database.url, { around })
  await other.transaction(async (tx) => {
    const insert = (n: number) => tx.query('insert into items values ($1, (select count(*) from items))', [n])
    await Promise.all(Array.from({ length: 20 }, (_, n) => insert(n)))
  })
  await other.close()
  expect(most).toBe(1)
  expect(await items()).toEqual(Array.from({ length: 20 }, (_, n) => ({ id: n, n })))
})

test('a serialization conflict runs the whole work again', async () => {
  await db.query('insert into items values (1, 0)')
  let runs = 0
  const work = db.transaction(
    async (tx) => {
      runs++
      await tx.query('select n from items')
      if (runs === 1) await db.query('update items set n = n + 10')
      await tx.query('update items set n = n + 1')
    },
    { isolation: 'repeatable read' },
  )
  await work
  expect(runs).toBe(2)
  expect(await items()).toEqual([{ id: 1, n: 11 }])
  expect(sleeps).toEqual([10])
})

test('a deadlock is solved by running one of the two again', async () => {
  await db.query('insert into items values (1, 0), (2, 0)')
  let waiting = 2
  const both = vi.fn()
  const swap = async (first: number, second: number) =>
    db.transaction(async (tx) => {
      both()
      await tx.query('update items set n = n + 1 where id = $1', [first])
      waiting--
      while (waiting > 0) await pause(5)
      await tx.query('update items set n = n + 1 where id = $1', [second])
    })
  await Promise.all([swap(1, 2), swap(2, 1)])
  expect(await items()).toEqual([
    { id: 1, n: 2 },
    { id: 2, n: 2 },
  ])
  expect(both.mock.calls.length).toBeGreaterThan(2)
})

test('a conflict that stays is passed on after five runs; other errors at once', async () => {
  await db.query('insert into items values (1, 1)')
  let runs = 0
  const insert = (sql: string) =>
    db.transaction(async (tx) => {
      runs++
      await tx.query(sql)
    })
  const conflict = await insert('insert into items values (1, 1)').catch((error: unknown) => error)
  expect([runs, sqlState(conflict), sleeps]).toEqual([5, '23505', [10, 20, 40, 80]])
  runs = 0
  const other = await insert('insert into items values (2, null)').catch((error: unknown) => error)
  expect([runs, sqlState(other)]).toEqual([1, '23502'])
})

test('copyIn stores what it is given, in any cut, and nothing when the input fails', async () => {
  const text = Array.from({ length: 20_000 }, (_, n) => `${n}\t${n * 2}\n`).join('')
  const pieces = text.match(/[^]{1,7}/g) ?? []
  expect(await db.copyIn('copy items from stdin', pieces)).toBe(20_000)
  expect(await db.copyIn('copy items from stdin', [])).toBe(0)
  expect(await db.copyIn('copy items from stdin', ['-1\t', Buffer.from('-1\n-2'), '\t-2\n'])).toBe(2)
  expect((await db.query('select count(*)::int as n, sum(n)::int as sum from items')).rows).toEqual([
    { n: 20_002, sum: 399_979_997 },
  ])

  const broken = function* () {
    yield '-3\t-3\n'
    throw new Error('the source broke')
  }
  await expect(db.copyIn('copy items from stdin', broken())).rejects.toThrow('the source broke')
  const bad = await db.copyIn('copy items from stdin', ['x\ty\n']).catch((error: unknown) => error)
  expect(sqlState(bad)).toBe('22P02')
  expect((await db.query('select 1 from items where id = -3')).rowCount).toBe(0)
})

test('a prepared statement may be used on every connection', async () => {
  const ask = (n: number) => db.query<{ n: number }>('select $1::int as n', [n], { name: 'ask' })
  const answers = await Promise.all([1, 2, 3, 4, 5, 6].map(ask))
  expect(answers.map(({ rows }) => rows[0]?.n)).toEqual([1, 2, 3, 4, 5, 6])
})

test('the pool outlives connections that the server ends, idle or inside a transaction', async () => {
  const errors: Error[] = []
  const other = await openDatabase(database.url, { max: 2, onConnectionError: (error) => errors.push(error) })
  try {
    await endOthers(db)
    await expect.poll(() => errors.length, { timeout: 20_000 }).toBe(1)
    expect((await other.query('select 1 as n')).rows).toEqual([{ n: 1 }])
    const cut = other.transaction(async (tx) => {
      await tx.query('insert into items values (1, 1)')
      await endOthers(db)
      await tx.query('insert into items values (2, 2)')
    })
    await expect(cut).rejects.toMatchObject({ code: 'database_unreachable' })
    expect((await other.query('select 1 as n')).rows).toEqual([{ n: 1 }])
    expect(await items()).toEqual([])
  } finally {
    await other.close()
  }
})

test('around sees every statement with its session, and a throw there is a crash: nothing is stored', async () => {
  const seen: Statement[] = []
  let crashAt = Infinity
  const crash = new Error('crash')
  const other = await openDatabase(database.url, {
    around: async (statement, run) => {
      seen.push(statement)
      if (seen.length > crashAt) throw crash
      return run()
    },
  })
  try {
    seen.length = 0
    const work = () =>
      other.transaction(async (tx) => {
        await tx.query('insert into items values (1, 1)')
        await tx.copyIn('copy items from stdin', ['2\t2\n'])
      })
    crashAt = 3
    await expect(work()).rejects.toBe(crash)
    expect(await items()).toEqual([])
    seen.length = 0
    crashAt = Infinity
    await work()
    expect(seen.map(({ text }) => text.split(' ', 1)[0])).toEqual(['begin', 'insert', 'copy', 'commit'])
    expect(new Set(seen.map(({ session }) => session)).size).toBe(1)
    expect(seen[0]?.session).toBeGreaterThan(0)
    expect(await items()).toHaveLength(2)
  } finally {
    await other.close()
  }
})

test('listen hears notifications, and after a lost connection says that some may be missing', async () => {
  const heard: (string | undefined)[] = []
  const stop = await db.listen('news', (payload) => heard.push(payload))
  const alsoHeard: (string | undefined)[] = []
  const stopOther = await db.listen('news', (payload) => alsoHeard.push(payload))
  await db.query("select pg_notify('news', 'one')")
  await expect.poll(() => heard, { timeout: 20_000 }).toEqual(['one'])

  const other = await openDatabase(database.url)
  await endOthers(other)
  await other.close()
  await expect.poll(() => heard, { timeout: 20_000 }).toEqual(['one', undefined])
  await stopOther()
  await db.query("select pg_notify('news', 'two')")
  await expect.poll(() => heard, { timeout: 20_000 }).toEqual(['one', undefined, 'two'])
  expect(alsoHeard).toEqual(['one', undefined])
  await stop()
})

test('servers that must not be used are refused', () => {
  const good = { pid: 1, version: 150_000, name: '15.0', encoding: 'UTF8', standby: false, database: 'd' }
  expect(refusal(good)).toBeUndefined()
  expect(refusal({ ...good, version: 140_012, name: '14.12' })).toMatchObject({
    code: 'database_too_old',
    message: expect.stringContaining('14.12'),
  })
  expect(refusal({ ...good, standby: true })).toMatchObject({ code: 'database_read_only' })
})

test('a database in another encoding, one that is missing, and a port nobody listens on', async () => {
  const name = `${new URL(database.url).pathname.slice(1)}_latin`
  await createDatabase(database.url, name, { encoding: 'SQL_ASCII' })
  await expect(openDatabase(withDatabase(database.url, name))).rejects.toMatchObject({ code: 'database_encoding' })
  await dropDatabase(database.url, name)
  await expect(openDatabase(withDatabase(database.url, name))).rejects.toMatchObject({ code: 'database_missing' })
  const secret = 'postgresql://me:hush@127.0.0.1:1/d'
  const refused: unknown = await openDatabase(secret).catch((error: unknown) => error)
  expect(refused).toMatchObject({ code: 'database_unreachable' })
  expect(String(refused)).not.toContain('hush')
})
