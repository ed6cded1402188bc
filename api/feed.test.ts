import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { World } from '../core/catalog/query/world.fixture.ts'
import { type FreshDatabase, freshDatabase } from '../core/testkit/database.ts'
import { authorization, FakeEngine, server } from './server.fixture.ts'

let database: FreshDatabase
let world: World
let app: FastifyInstance

const see = (key: string, identifier: string, blueprint = 'service', title = identifier): Promise<void> =>
  world.see('github', 'repository', [{ key, version: String(++version), entities: [{ blueprint, identifier, title }] }])
let version = 1000

beforeAll(async () => {
  database = await freshDatabase()
  world = new World(database.db)
  await see('1', 'a')
  await see('2', 'pay', 'team')
  await see('1', 'a', 'service', 'A')
  await see('1', 'b', 'service', 'A')
  await world.remove('github', 'repository', '1')
  app = await server(database.db, new FakeEngine(), { heartbeat: 200 })
})

afterAll(async () => {
  await app.close()
  await database.drop()
})

interface Page {
  readonly items: readonly { readonly operation: string; readonly reference: string; readonly entity?: unknown }[]
  readonly next?: string
  readonly position: string
}

async function changes(query: string): Promise<Page> {
  const answer = await app.inject({ url: `/api/v1/changes?${query}`, headers: authorization })
  expect(answer.statusCode, answer.body).toBe(200)
  return answer.json()
}

test('a page by kind of change and by blueprint', async () => {
  const of = async (query: string): Promise<readonly string[]> =>
    (await changes(`after=start&wait=0&${query}`)).items.map((item) => `${item.operation} ${item.reference}`)
  expect(await of('operation=created')).toEqual(['created service:a', 'created team:pay'])
  expect(await of('operation=renamed,deleted')).toEqual(['renamed service:b', 'deleted service:b'])
  expect(await of('operation=created&operation=updated&blueprint=service')).toEqual([
    'created service:a',
    'updated service:a',
  ])
  const wrong = await app.inject({ url: '/api/v1/changes?wait=0&operation=vanished', headers: authorization })
  expect(wrong.json()).toMatchObject({ status: 400, code: 'parameter_invalid' })
})

test('what is created says what it is, as it was then', async () => {
  const { items } = await changes('after=start&wait=0&operation=created')
  expect(items[0]).toMatchObject({ reference: 'service:a', entity: { title: 'a', properties: {} } })
})

test('a long poll answers when something happens, and goes on from where it was', async () => {
  const { position } = await changes('after=now&wait=0')
  const waiting = changes(`after=${position}&wait=30`)
  await see('7', 'late')
  const answer = await waiting
  expect(answer.items).toMatchObject([{ operation: 'created', reference: 'service:late' }])
  const again = await changes(`after=${answer.next}&wait=0.2`)
  expect(again).toMatchObject({ items: [], next: answer.next })
})

test('a long poll waits for what its filter wants', async () => {
  const { position } = await changes('after=now&wait=0')
  const waiting = changes(`after=${position}&wait=30&blueprint=team`)
  await see('8', 'other')
  await see('9', 'ops', 'team')
  expect((await waiting).items).toMatchObject([{ reference: 'team:ops' }])
})

test('a snapshot is whole, and the feed goes on behind it', async () => {
  // Committed, and not in the feed yet: it is not in the snapshot, and comes with the feed.
  const paused = new World(bound())
  paused.store.sequence = async () => 0
  await paused.see('other', 'repository', [{ key: 'x', entities: [{ blueprint: 'service', identifier: 'unplaced' }] }])
  const answer = await app.inject({ url: '/api/v1/snapshot', headers: authorization })
  expect(answer.headers['content-type']).toContain('application/x-ndjson')
  const lines = answer.body
    .trim()
    .split('\n')
    .map((line): { type: string; reference?: string; position?: string; entities?: number } => JSON.parse(line))
  const entities = lines.filter((line) => line.type === 'entity').map((line) => line.reference)
  expect(entities).toContain('team:pay')
  expect(entities).not.toContain('service:b')
  expect(entities).not.toContain('service:unplaced')
  expect(lines[0]).toMatchObject({ type: 'snapshot', position: expect.any(String) })
  expect(lines.at(-1)).toMatchObject({ type: 'end', entities: entities.length, position: lines[0]?.position })
  await world.store.sequence()
  const tail = await changes(`after=${lines[0]?.position}&wait=0`)
  expect(tail.items).toMatchObject([{ operation: 'created', reference: 'service:unplaced' }])
})

test('a snapshot of one blueprint, and of another time', async () => {
  const { items } = await changes('after=start&wait=0&limit=3')
  const [, , third] = items as readonly { readonly position?: string }[]
  const read = async (query: string): Promise<readonly string[]> => {
    const answer = await app.inject({ url: `/api/v1/snapshot?${query}`, headers: authorization })
    return answer.body
      .trim()
      .split('\n')
      .map((line): { type: string; reference: string } => JSON.parse(line))
      .flatMap((line) => (line.type === 'entity' ? [line.reference] : []))
      .toSorted()
  }
  expect(await read(`asOf=${third?.position}`)).toEqual(['service:a', 'team:pay'])
  expect(await read(`asOf=${third?.position}&blueprint=team`)).toEqual(['team:pay'])
  const wrong = await app.inject({ url: '/api/v1/snapshot?asOf=nonsense', headers: authorization })
  expect(wrong.json()).toMatchObject({ status: 400, code: 'as_of_invalid' })
})

function bound(): typeof database.db {
  const { db } = database
  return {
    query: (text, values, options) => db.query(text, values, options),
    copyIn: (sql, chunks) => db.copyIn(sql, chunks),
    transaction: (work, options) => db.transaction(work, options),
    listen: (channel, onNotify) => db.listen(channel, onNotify),
    close: () => db.close(),
  }
}
