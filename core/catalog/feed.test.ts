import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../testkit/database.ts'
import type { Db } from './db.ts'
import { readChanges, resolvePosition } from './query/changes.ts'
import { openWorld, type World } from './store.fixture.ts'

let database: FreshDatabase
let quick: World
beforeAll(async () => {
  database = await freshDatabase()
  quick = await openWorld(database.db, { name: 'quick' })
})
afterAll(() => database.drop())

/** How long one writer keeps its transaction open while the others commit. */
const held = 2000

/** Reads on and on until `done`, and once more. Answers identifiers as they came. */
type Follow = (done: () => boolean) => Promise<readonly string[]>

async function byPlace(done: () => boolean): Promise<readonly string[]> {
  const found: string[] = []
  for (let position = await resolvePosition(database.db, 'now'); ; ) {
    const last = done()
    await quick.store.sequence()
    const read = await readChanges(database.db, position, {}, 100)
    found.push(...read.items.map((change) => change.identifier))
    position = read.position
    if (last && !read.more) return found
    await pause(5)
  }
}

/** What a table with a sequence invites to. */
async function byId(done: () => boolean): Promise<readonly string[]> {
  const found: string[] = []
  const { rows } = await database.db.query<{ id: string }>('SELECT coalesce(max(id), 0) AS id FROM change_batches')
  for (let max = rows[0]?.id ?? '0'; ; ) {
    const last = done()
    const read = await database.db.query<{ id: string; identifier: string }>(
      `SELECT b.id, c.identifier FROM change_batches b JOIN changes c ON c.batch = b.id WHERE b.id > $1::bigint ORDER BY b.id, c.position`,
      [max],
    )
    found.push(...read.rows.map((row) => row.identifier))
    max = read.rows.at(-1)?.id ?? max
    if (last) return found
    await pause(5)
  }
}

/** One writer holds its transaction open, with its place in every sequence taken, while another commits and commits. */
async function race(follow: Follow, mark: string): Promise<{ seen: readonly string[]; written: readonly string[] }> {
  let open = true
  let began = (): void => undefined
  const wrote = new Promise<void>((resolve) => {
    began = resolve
  })
  const holding: Db = {
    ...bound(database.db),
    transaction: (work, options) =>
      database.db.transaction(async (tx) => {
        const result = await work(tx)
        began()
        await pause(held)
        return result
      }, options),
  }
  const holder = await openWorld(holding, { name: 'slow' })
  let done = false
  const following = follow(() => done)
  const late = holder.say(`${mark} late`, [{ identifier: `${mark} late`, blueprint: 'team' }]).finally(() => {
    open = false
  })
  await wrote
  const written: string[] = []
  while (open) {
    const identifier = `${mark} ${written.length}`
    await quick.say(identifier, [{ identifier }])
    written.push(identifier)
  }
  await late
  done = true
  return { seen: await following, written: [...written, `${mark} late`] }
}

test('a writer that holds its transaction open for 2 s while others commit: no gap, no reorder', async () => {
  const { seen, written } = await race(byPlace, 'place')
  expect(written.length).toBeGreaterThan(5)
  expect(seen.toSorted()).toEqual(written.toSorted())
  const { rows } = await database.db.query<{ base: string; size: number }>(
    'SELECT base, size FROM change_batches ORDER BY base',
  )
  for (const [index, { base, size }] of rows.entries()) {
    const next = rows[index + 1]
    if (next !== undefined) expect(Number(next.base)).toBe(Number(base) + size)
  }
  const others = seen.filter((each) => each !== 'place late')
  expect(others).toEqual(written.slice(0, -1))
})

test('the same with id > max(id) loses the late one', async () => {
  const { seen, written } = await race(byId, 'id')
  expect(written.length).toBeGreaterThan(5)
  expect(seen).not.toContain('id late')
  expect([...seen, 'id late'].toSorted()).toEqual(written.toSorted())
})

test('a moment never goes back, unless a clock that was far ahead was put right', async () => {
  const at = async (key: string, now: number): Promise<void> => {
    await quick.commit({ now, writes: [await quick.write(key, [{ identifier: key }])] })
    await quick.store.sequence()
  }
  const noon = Date.UTC(2030, 0, 1, 12)
  await at('first', noon)
  await at('behind', noon - 60_000)
  await at('next', noon + 1000)
  await at('put right', noon - 86_400_000)
  const { rows } = await database.db.query<{ moment: Date }>(
    'SELECT moment FROM change_batches ORDER BY base DESC LIMIT 4',
  )
  expect(rows.map((row) => row.moment.getTime() - noon).toReversed()).toEqual([0, 0, 1000, -86_400_000])
})

/** The methods of a class instance as own members. */
function bound(db: Db): Db {
  return {
    query: (text, values, options) => db.query(text, values, options),
    copyIn: (sql, chunks) => db.copyIn(sql, chunks),
    transaction: (work, options) => db.transaction(work, options),
    listen: (channel, onNotify) => db.listen(channel, onNotify),
    close: () => db.close(),
  }
}
