import type { Db } from '../core/catalog/db.ts'
import { openDatabase } from '../core/catalog/postgres/connect.ts'
import { openAnswers } from './answers.ts'
import { bestWay, compareOnce, ship } from './antijoin.ts'
import { runtimeOf, scanOnce, startServer } from './catalog.ts'
import { type Bench, interleave } from './harness.ts'
import { synthetic } from './synthetic.ts'

/**
 * A scan that finds nothing changed: every item is made and written anew, in other threads, and pages arrive as bytes. They
 * are what the last scan got, so they are hashed and not parsed. In `parsed` each answer says something beside its items
 * that was never there: every item is parsed, brought into canonical form, serialised and hashed. The baseline has its keys
 * and hashes ready, even encoded, and only asks which of them differ, in the fastest way that there is.
 */
export const rescan: Bench = {
  title: 'a scan of N repositories that finds all unchanged, against comparing ready hashes in SQL',
  defaults: { n: 100_000, seconds: 0 },
  async run({ n }, say) {
    const server = await startServer()
    const answers = openAnswers()
    try {
      const { url } = await server.database()
      const source = synthetic(n, answers)
      const runtime = await runtimeOf(source)
      const scan = () => using(url, (db) => scanOnce(db, runtime))
      await scan()
      await using(url, (db) => db.query('VACUUM ANALYZE'))
      // One connection for both, which the warm-up makes warm: a new one spends a third of a second on touching the pages of the cache.
      const measured = await using(url, async (db) => {
        const shipment = await ship(db, n)
        const way = await bestWay(db, shipment, say)
        const parts = {
          rescan: async () => n / (await scanOnce(db, runtime)),
          parsed: async () => {
            source.restless = true
            const seconds = await scanOnce(db, runtime)
            source.restless = false
            // The next one is to find the bytes of the one before it.
            await scanOnce(db, runtime)
            return n / seconds
          },
          'hash-antijoin': async () => n / (await compareOnce(db, shipment, way)),
        }
        return { ...(await interleave(parts, say)), plan: `${way.name}, ${way.size} a statement` }
      })
      const rowsWritten = await countRows(url, scan)
      const walBytes = await using(url, (db) => countWal(db, () => scanOnce(db, runtime)))
      source.changed = 100
      const rowsWrittenWhen100Changed = await countRows(url, scan)
      return {
        value: Math.round(measured.rescan),
        unit: 'items/s',
        parsed: Math.round(measured.parsed),
        baseline: { name: 'hash-antijoin', value: Math.round(measured['hash-antijoin']), unit: 'items/s' },
        baselinePlan: measured.plan,
        rowsWritten,
        walBytes,
        rowsWrittenWhen100Changed,
      }
    } finally {
      await answers.close()
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

/** Rows inserted, updated and deleted in the tables of I12. A connection that closes has flushed its statistics. */
async function countRows(url: string, work: () => Promise<unknown>): Promise<number> {
  const count = () =>
    using(url, async (db) => {
      const { rows } = await db.query<{ rows: string }>(
        `SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) AS rows FROM pg_stat_user_tables
         WHERE relname IN ('records', 'bodies', 'contributions', 'entities') OR relname LIKE 'changes%'`,
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
