import { randomUUID } from 'node:crypto'
import type { Fence } from './batch.ts'
import type { Db, Queryable } from './db.ts'
import { checkLease } from './leases.ts'
import { createStore } from './postgres-store.ts'

const leaseSeconds = 600

export interface Expired {
  /** Changes that are no longer kept. */
  readonly changes: number
  /** When the last of them happened. */
  readonly until: Date
}

/**
 * Drops what the feed and the history hold of months that ended longer ago than `keepSeconds`. The last version of each
 * entity up to there stays as a keyframe, so that everything since then can be rebuilt as before. Undefined: there was
 * nothing to drop, or another process is at it. `now`: milliseconds since the epoch.
 */
export async function expireHistory(
  db: Db,
  { keepSeconds, now }: { readonly keepSeconds: number; readonly now: number },
): Promise<Expired | undefined> {
  const kept = new Date(now - keepSeconds * 1000)
  const month = new Date(Date.UTC(kept.getUTCFullYear(), kept.getUTCMonth(), 1))
  const { rows } = await db.query('SELECT FROM change_batches WHERE base IS NOT NULL AND at < $1 LIMIT 1', [month])
  if (rows.length === 0) return undefined
  const store = createStore(db)
  const fence = await store.acquireLease('history', randomUUID(), leaseSeconds)
  if (fence === undefined) return undefined
  try {
    return await db.transaction((tx) => drop(tx, month, fence))
  } finally {
    await store.releaseLease(fence)
  }
}

async function drop(tx: Queryable, month: Date, fence: Fence): Promise<Expired | undefined> {
  // Dropping a partition locks out readers and writers of the feed; behind one that reads for long it is left for later.
  await tx.query(`SET LOCAL lock_timeout = '5s'`)
  const { rows: feed } = await tx.query<{ next: string }>('SELECT next FROM feed FOR UPDATE')
  // Where a clock stepped back, what is older by its time may lie behind what is kept: it stays then.
  const { rows } = await tx.query<{ last: string; changes: string | null; until: Date | null }>(
    `WITH cut AS (SELECT coalesce((SELECT min(base) FROM change_batches WHERE base IS NOT NULL AND at >= $1), $2::bigint) - 1 AS last)
     SELECT cut.last, sum(b.size) AS changes, max(b.moment) AS until
     FROM cut LEFT JOIN change_batches b ON b.base <= cut.last GROUP BY cut.last`,
    [month, feed[0]?.next ?? '1'],
  )
  const [cut] = rows
  if (cut === undefined || cut.until === null) return undefined
  await tx.query(
    `INSERT INTO keyframes AS k (entity_id, seq, revision, operation, cause, at)
     SELECT DISTINCT ON (c.entity_id) c.entity_id, b.base + c.position, c.revision, c.operation, b.cause, c.at
     FROM change_batches b JOIN changes c ON c.batch = b.id WHERE b.base <= $1::bigint ORDER BY c.entity_id, c.revision DESC
     ON CONFLICT (entity_id) DO UPDATE SET seq = excluded.seq, revision = excluded.revision, operation = excluded.operation,
       cause = excluded.cause, at = excluded.at`,
    [cut.last],
  )
  for (const partition of await partitionsOf(tx)) await empty(tx, partition, month, cut.last)
  await tx.query('DELETE FROM change_batches WHERE base <= $1::bigint', [cut.last])
  await tx.query('UPDATE feed SET expired = $1', [cut.until])
  await checkLease(tx, fence)
  return { changes: Number(cut.changes ?? 0), until: cut.until }
}

/** Those of a month are named for it. */
async function partitionsOf(tx: Queryable): Promise<readonly string[]> {
  const { rows } = await tx.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'changes'::regclass AND c.relname ~ '^changes_(rest|\\d{4}_\\d{2})$' ORDER BY 1`,
  )
  return rows.map(({ name }) => name)
}

async function empty(tx: Queryable, name: string, month: Date, last: string): Promise<void> {
  const whole = name !== 'changes_rest' && name < `changes_${month.toISOString().slice(0, 7).replace('-', '_')}`
  if (name !== 'changes_rest' && !whole) return
  const kept = await tx.query(
    `SELECT FROM ${name} c JOIN change_batches b ON b.id = c.batch WHERE b.base IS NULL OR b.base > $1::bigint LIMIT 1`,
    [last],
  )
  if (whole && kept.rowCount === 0) await tx.query(`DROP TABLE ${name}`)
  else
    await tx.query(`DELETE FROM ${name} c USING change_batches b WHERE b.id = c.batch AND b.base <= $1::bigint`, [last])
}
