import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Db, Queryable } from '../core/catalog/db.ts'
import { openDatabase } from '../core/catalog/postgres/connect.ts'
import { runtimeOf, type Server, scanOnce } from './catalog.ts'
import { synthetic } from './synthetic.ts'

/** Everything that a first scan sends by COPY, by transaction, on disk: a hundred thousand items are not held in memory. */
export interface Recording {
  readonly bytes: number
  transactions(): AsyncGenerator<readonly Copied[]>
  remove(): Promise<void>
}

export interface Copied {
  readonly table: string
  readonly columns: string
  readonly rows: Buffer
}

interface Place {
  readonly table: string
  readonly columns: string
  readonly at: number
  readonly length: number
}

export async function record(server: Server, n: number): Promise<Recording> {
  const folder = await mkdtemp(join(tmpdir(), 'catchment-rows-'))
  const path = join(folder, 'rows')
  const file = await open(path, 'w+')
  const transactions: (readonly Place[])[] = []
  let end = 0
  const recorder = (places: Place[]) => async (sql: string, chunks: Iterable<string | Buffer>) => {
    const [, table = '', columns = ''] = /^COPY (\w+) \((.*)\) FROM/.exec(sql) ?? []
    const rows = Buffer.concat([...chunks].map((chunk) => Buffer.from(chunk)))
    // A transaction sends several one behind the other: each has its place before any is written.
    const at = end
    end += rows.length
    places.push({ table, columns, at, length: rows.length })
    await file.write(rows, 0, rows.length, at)
    return [rows]
  }
  const database = await server.database()
  const db = await openDatabase(database.url)
  await scanOnce(recorded(db, recorder, transactions), await runtimeOf(synthetic(n)))
  await db.close()
  await database.drop()
  return {
    bytes: end,
    async *transactions() {
      for (const places of transactions) yield await Promise.all(places.map((place) => read(path, place)))
    },
    async remove() {
      await file.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function recorded(
  db: Db,
  recorder: (places: Place[]) => (sql: string, chunks: Iterable<string | Buffer>) => Promise<Iterable<Buffer>>,
  transactions: (readonly Place[])[],
): Db {
  return {
    query: (text, values, options) => db.query(text, values, options),
    copyIn: (sql, chunks) => db.copyIn(sql, chunks),
    listen: (channel, onNotify) => db.listen(channel, onNotify),
    close: () => db.close(),
    async transaction(work, options) {
      let places: Place[] = []
      const result = await db.transaction((tx) => {
        places = []
        const keep = recorder(places)
        const wrapped: Queryable = {
          query: (text, values, named) => tx.query(text, values, named),
          copyIn: async (sql, chunks) => tx.copyIn(sql, await keep(sql, chunks)),
        }
        return work(wrapped)
      }, options)
      if (places.length > 0) transactions.push(places)
      return result
    },
  }
}

async function read(path: string, { table, columns, at, length }: Place): Promise<Copied> {
  const chunks: Buffer[] = []
  for await (const chunk of createReadStream(path, { start: at, end: at + length - 1, highWaterMark: 1 << 20 })) {
    chunks.push(chunk)
  }
  return { table, columns, rows: Buffer.concat(chunks) }
}
