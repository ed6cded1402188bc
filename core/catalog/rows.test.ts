import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../testkit/database.ts'
import { sqlState } from './postgres/errors.ts'
import { together } from './rows.ts'

let database: FreshDatabase

beforeAll(async () => {
  database = await freshDatabase()
  await database.db.query('CREATE TABLE items (id int PRIMARY KEY)')
})
afterAll(() => database.drop())

test('statements sent together run in the order they were sent, and all are done when it comes back', async () => {
  await database.db.transaction((tx) =>
    together(
      () => tx.query('INSERT INTO items VALUES (1)'),
      async () => {
        await tx.query('UPDATE items SET id = id + 1')
        await tx.query('UPDATE items SET id = id * 10')
      },
      () => tx.query('INSERT INTO items VALUES (1)'),
    ),
  )
  expect((await database.db.query('SELECT id FROM items ORDER BY id')).rows).toEqual([{ id: 10 }, { id: 20 }])
})

test('the error is the one that the server refused the others for, whoever hears of it first', async () => {
  await database.db.query('INSERT INTO items VALUES (5)')
  let done = 0
  const work = database.db.transaction(
    (tx) =>
      together(
        () =>
          together(
            () => tx.query('INSERT INTO items VALUES (5)'),
            async () => {
              await Promise.resolve()
              await tx.query('SELECT 3')
            },
          ),
        () => tx.query('SELECT 2').finally(() => done++),
      ),
    { attempts: 1 },
  )
  expect(sqlState(await work.catch((error: unknown) => error))).toBe('23505')
  expect(done).toBe(1)
})
