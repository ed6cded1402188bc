import { array } from '../core/catalog/binary.ts'
import type { Db } from '../core/catalog/db.ts'
import { openDatabase } from '../core/catalog/postgres/connect.ts'
import { runtimeOf, scanOnce, startServer } from './catalog.ts'
import { type Bench, interleave } from './harness.ts'
import { synthetic } from './synthetic.ts'

const chunk = 10_000

/**
 * A scan that finds nothing changed: every item is made, brought into canonical form, serialised and hashed anew. The
 * baseline has its hashes ready and only asks which of them differ.
 */
export const rescan: Bench = {
  title: 'a scan of N repositories that finds all unchanged, against comparing ready hashes in SQL',
  defaults: { n: 100_000, seconds: 0 },
  async run({ n }, say) {
    const server = await startServer()
    try {
      const { url } = await server.database()
      const source = synthetic(n)
      const runtime = await runtimeOf(source)
      const scan = () => using(url, (db) => scanOnce(db, runtime))
      await scan()
      await using(url, (db) => db.query('VACUUM ANALYZE'))
      const measured = await interleave(
        {
          rescan: async () => n / (await scan()),
          'hash-antijoin': async () => n / (await using(url, (db) => antijoin(db, n))),
        },
        say,
      )
      const rowsWritten = await countRows(url, scan)
      const walBytes = await using(url, (db) => countWal(db, () => scanOnce(db, runtime)))
      source.changed = 100
      const rowsWrittenWhen100Changed = await countRows(url, scan)
      return {
        value: Math.round(measured['rescan'] ?? 0),
        unit: 'items/s',
        baseline: { name: 'hash-antijoin', value: Math.round(measured['hash-antijoin'] ?? 0), unit: 'items/s' },
        rowsWritten,
        walBytes,
        rowsWrittenWhen100Changed,
      }
    } finally {
      await server.stop()
    }
  },
}

async function using<T>(url: string, work: (db: Db) => Promise<T>): Promise<T> {
  const db = await openDatabase(url)
  try {
    return await work(db)
  } finally {
    await db.close()
  }
}

async function antijoin(db: Db, n: number): Promise<number> {
  const { rows } = await db.query<{ kind_id: number; key: string; hash: string }>(
    `SELECT kind_id, key, encode(hash, 'hex') AS hash FROM records ORDER BY id`,
  )
  if (rows.length !== n) throw new Error(`${rows.length} records instead of ${n}`)
  const start = performance.now()
  for (let at = 0; at < n; at += chunk) {
    const part = rows.slice(at, at + chunk)
    const keys = array(
      'text',
      part.map(({ key }) => key),
    )
    const hashes = array(
      'hex',
      part.map(({ hash }) => hash),
    )
    const different = await db.query(
      `SELECT i.key FROM unnest($2::text[], $3::bytea[]) i (key, hash)
       WHERE NOT EXISTS (SELECT FROM records r WHERE r.kind_id = $1 AND r.key = i.key AND r.hash = i.hash)`,
      [rows[0]?.kind_id, keys, hashes],
    )
    if (different.rowCount > 0) throw new Error('something differs')
  }
  return (performance.now() - start) / 1000
}

/** Rows inserted, updated and deleted in the tables of I12. A connection that closes has flushed its statistics. */
async function countRows(url: string, work: () => Promise<unknown>): Promise<number> {
  const count = () =>
    using(url, async (db) => {
      const { rows } = await db.query<{ rows: string }>(
        `SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) AS rows FROM pg_stat_user_tables
         WHERE relname IN ('records', 'contributions', 'entities') OR relname LIKE 'changes%'`,
      )
      return Number(rows[0]?.rows)
    })
  const before = await settled(count)
  await work()
  return (await settled(count)) - before
}

/** A closing connection reports after its client is gone: read until two readings agree. */
async function settled(count: () => Promise<number>): Promise<number> {
  for (let last = -1; ; ) {
    const now = await count()
    if (now === last) return now
    last = now
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

async function countWal(db: Db, work: () => Promise<unknown>): Promise<number> {
  const at = async () => {
    const { rows } = await db.query<{ at: string }>(`SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS at`)
    return Number(rows[0]?.at)
  }
  const before = await at()
  await work()
  return (await at()) - before
}
