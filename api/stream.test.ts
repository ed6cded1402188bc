import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Db } from '../core/catalog/db.ts'
import type { ChangeView } from '../core/catalog/query/changes.ts'
import { World } from '../core/catalog/query/world.fixture.ts'
import { type FreshDatabase, freshDatabase } from '../core/testkit/database.ts'
import { adminKey, authorization, FakeEngine, server } from './server.fixture.ts'

let database: FreshDatabase
let world: World

beforeAll(async () => {
  database = await freshDatabase()
  world = new World(database.db)
  await world.source('github')
})

afterAll(() => database.drop())

async function listening(db: Db = database.db, heartbeat = 100): Promise<{ app: FastifyInstance; url: string }> {
  const app = await server(db, new FakeEngine(), { heartbeat })
  await app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => app.close())
  // Listening on TCP, so the address is an object.
  const { port } = app.server.address() as AddressInfo
  return { app, url: `http://127.0.0.1:${port}/api/v1/changes` }
}

class Reader {
  readonly changes: ChangeView[] = []
  /** As an EventSource keeps it. */
  lastId = ''
  heartbeats = 0
  ended = false
  readonly #abort = new AbortController()

  async open(url: string, headers: Record<string, string> = {}): Promise<this> {
    const response = await fetch(url, { headers: { ...authorization, ...headers }, signal: this.#abort.signal })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    void this.#read(response)
    await expect.poll(() => this.lastId, { timeout: 20_000 }).not.toBe('')
    return this
  }

  close(): void {
    this.#abort.abort()
  }

  async #read(response: Response): Promise<void> {
    let text = ''
    try {
      for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        const blocks = (text + chunk).split('\n\n')
        text = blocks.pop() ?? ''
        for (const block of blocks) this.#take(block)
      }
    } catch {
      // The test closed it, or the server did.
    }
    this.ended = true
  }

  #take(block: string): void {
    for (const line of block.split('\n')) {
      if (line.startsWith('id: ')) this.lastId = line.slice(4)
      if (line.startsWith(':')) this.heartbeats += 1
      if (line.startsWith('data: ')) this.changes.push(JSON.parse(line.slice(6)))
    }
  }
}

let number = 0
/** Each makes one change. */
async function happen(times: number, blueprint = 'service'): Promise<void> {
  for (let index = 0; index < times; index += 1) {
    number += 1
    await world.see('github', 'repository', [
      { key: `k${number}`, entities: [{ blueprint, identifier: `n${number}` }] },
    ])
  }
}

const seqs = (changes: readonly ChangeView[]): number[] =>
  changes.map((change) => Number(change.position.split(':')[1]))

test('what happens arrives as it happens, in order', async () => {
  await happen(1)
  const { url } = await listening()
  const reader = await new Reader().open(url)
  await happen(3)
  await expect.poll(() => reader.changes.length, { timeout: 20_000 }).toBe(3)
  expect(reader.changes).toMatchObject([{ operation: 'created', blueprint: 'service', cause: { type: 'get' } }, {}, {}])
  expect(reader.lastId).toBe(reader.changes.at(-1)?.position)
  await expect.poll(() => reader.heartbeats, { timeout: 20_000 }).toBeGreaterThan(0)
  reader.close()
})

test('after a restart it goes on behind the last id: nothing twice, nothing lost', async () => {
  const first = await listening()
  const before = await new Reader().open(`${first.url}?after=start`)
  const { length } = before.changes
  await happen(5)
  await expect.poll(() => before.changes.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(length + 5)
  await first.app.close()
  await expect.poll(() => before.ended, { timeout: 20_000 }).toBe(true)

  await happen(5)
  const second = await listening()
  const after = await new Reader().open(second.url, { 'last-event-id': before.lastId })
  await happen(5)
  await expect.poll(() => after.changes.length, { timeout: 20_000 }).toBe(10)
  const all = seqs([...before.changes, ...after.changes])
  expect(all).toEqual(Array.from({ length: all.length }, (_, index) => index + 1))
  after.close()
})

test('with a filter the position still moves, so that a reader need not begin again', async () => {
  const { url } = await listening()
  const reader = await new Reader().open(`${url}?blueprint=team`)
  const start = reader.lastId
  await happen(2)
  await expect.poll(() => reader.lastId, { timeout: 20_000 }).not.toBe(start)
  expect(reader.changes).toEqual([])
  await happen(1, 'team')
  await expect.poll(() => reader.changes.length, { timeout: 20_000 }).toBe(1)
  reader.close()
})

test('without notifications the heartbeat finds what happened', async () => {
  const deaf: Db = { ...bound(database.db), listen: () => Promise.reject(new Error('no LISTEN here')) }
  const { url } = await listening(deaf)
  const reader = await new Reader().open(url)
  await happen(1)
  await expect.poll(() => reader.changes.length, { timeout: 20_000 }).toBe(1)
  reader.close()
})

test('a position of another epoch is refused before the stream begins', async () => {
  const { url } = await listening()
  const response = await fetch(`${url}?after=other:3`, { headers: authorization })
  expect(response.status).toBe(410)
  expect(await response.json()).toMatchObject({ code: 'feed_replaced' })
})

test('a reader that takes nothing holds nothing up and costs one page', async () => {
  const total = 3000
  await database.db.query(
    `WITH batch AS (INSERT INTO change_batches (base, size, cause) SELECT next, ${total}, '{}' FROM feed RETURNING id),
     rows AS (INSERT INTO changes (batch, position, entity_id, revision, operation, blueprint, identifier, patch, at)
       SELECT id, n, n, n, 'updated', 'big', 'b' || n, jsonb_build_object('title', jsonb_build_array('', repeat('x', 20000))), now()
       FROM batch, generate_series(0, ${total - 1}) n)
     UPDATE feed SET next = next + ${total}`,
  )
  let reads = 0
  const counted: Db = {
    ...bound(database.db),
    query(text, values, options) {
      if (text.includes('JOIN changes c')) reads += 1
      return database.db.query(text, values, options)
    },
  }
  const { app, url } = await listening(counted)
  const { port, pathname } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.pause()
  socket.write(`GET ${pathname}?after=start HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${adminKey}\r\n\r\n`)
  await expect.poll(() => reads, { timeout: 20_000 }).toBeGreaterThan(0)

  // Another reader is served meanwhile, which also gives the first time to run away if it could.
  const other = await new Reader().open(url)
  await happen(3)
  await expect.poll(() => other.changes.length, { timeout: 20_000 }).toBe(3)
  other.close()
  expect(reads).toBeLessThan(total / 200)

  // 60 MB in all; the kernel's own buffers take some of it.
  let bytes = 0
  socket.on('data', (chunk) => {
    bytes += chunk.length
  })
  socket.resume()
  await expect.poll(() => bytes, { timeout: 60_000 }).toBeGreaterThan(total * 20_000)
  socket.destroy()
  await once(socket, 'close')
  await app.close()
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
