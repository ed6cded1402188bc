import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../testkit/database.ts'
import type { Queryable } from '../db.ts'
import {
  type ChangeFilter,
  type ChangeView,
  feedBounds,
  formatPosition,
  readChanges,
  resolvePosition,
} from './changes.ts'
import { World } from './world.fixture.ts'

let database: FreshDatabase
let world: World

beforeAll(async () => {
  database = await freshDatabase()
  world = new World(database.db)
  for (let batch = 0; batch < 10; batch += 1) {
    await world.see(
      'github',
      'repository',
      Array.from({ length: 1 + (batch % 4) }, (_, index) => ({
        key: `${batch}.${index}`,
        entities: [{ blueprint: index % 2 === 0 ? 'service' : 'team', identifier: `acme/${batch}.${index}` }],
      })),
    )
  }
})

afterAll(() => database.drop())

async function readAll(limit: number, filter: ChangeFilter = {}): Promise<readonly ChangeView[]> {
  let position = await resolvePosition(database.db, 'start')
  const found: ChangeView[] = []
  for (;;) {
    const read = await readChanges(database.db, position, filter, limit)
    found.push(...read.items)
    position = read.position
    if (!read.more) return found
  }
}

test.each([1, 2, 3, 7, 100])('pages of %i give every change once, in order', async (limit) => {
  const all = await readAll(limit)
  expect(all).toHaveLength(23)
  const seqs = all.map((change) => Number(change.position.split(':')[1]))
  expect(seqs).toEqual(Array.from({ length: 23 }, (_, index) => index + 1))
})

test('a filter leaves out the others and reaches the end all the same', async () => {
  const all = await readAll(3, { blueprints: ['team'] })
  expect(all).toHaveLength(9)
  expect(all.every((change) => change.blueprint === 'team')).toBe(true)
  const { end } = await feedBounds(database.db)
  const read = await readChanges(database.db, (await feedBounds(database.db)).start, { blueprints: ['nothing'] }, 10)
  expect(read).toEqual({ items: [], position: end, more: false })
})

test('what gets its place while a page is read is on the next page', async () => {
  let late = 0
  const racing: Queryable = {
    copyIn: (sql, chunks) => database.db.copyIn(sql, chunks),
    async query<Row>(text: string, values?: readonly unknown[]) {
      const result = await database.db.query<Row>(text, values)
      late += 1
      await world.see('github', 'repository', [
        { key: `late${late}`, entities: [{ blueprint: 'service', identifier: `acme/late${late}` }] },
      ])
      return result
    },
  }
  const { end } = await feedBounds(database.db)
  const first = await readChanges(racing, end, {}, 100)
  const second = await readChanges(database.db, first.position, {}, 100)
  const found = [...first.items, ...second.items].map((change) => change.identifier)
  expect(found).toEqual(Array.from({ length: late }, (_, index) => `acme/late${index + 1}`))
})

test('what has no place yet is not read', async () => {
  const before = await feedBounds(database.db)
  await database.db.query('INSERT INTO change_batches (size, cause) VALUES (1, $1)', ['{}'])
  expect(await feedBounds(database.db)).toEqual(before)
  expect((await readChanges(database.db, before.end, {}, 10)).items).toEqual([])
})

test('from now on there is nothing, and any position can be gone back to', async () => {
  const end = await resolvePosition(database.db, 'now')
  expect((await readChanges(database.db, end, {}, 10)).items).toEqual([])
  const again = await resolvePosition(database.db, formatPosition({ ...end, seq: end.seq - 2n }))
  expect((await readChanges(database.db, again, {}, 10)).items).toHaveLength(2)
})

test.each(['', 'x', '1', 'a:b', 'a:1:2', 'e:-1'])('%j is no position', async (text) => {
  await expect(resolvePosition(database.db, text)).rejects.toMatchObject({ code: 'position_invalid', status: 400 })
})

test('another epoch, the future and the forgotten past are gone', async () => {
  const { end } = await feedBounds(database.db)
  for (const text of [`other:1`, `${end.epoch}:${end.seq + 1n}`]) {
    await expect(resolvePosition(database.db, text)).rejects.toMatchObject({ code: 'feed_replaced', status: 410 })
  }
  await database.db.query('DELETE FROM change_batches WHERE base < 5')
  await expect(resolvePosition(database.db, `${end.epoch}:1`)).rejects.toMatchObject({ code: 'feed_expired' })
  await expect(readChanges(database.db, { ...end, seq: 1n }, {}, 5)).rejects.toMatchObject({ code: 'feed_expired' })
})
