import type { Db } from './db.ts'
import type { Store } from './store.ts'

/** Batches at once, so that a long absence of the sequencer does not end in one huge transaction. */
const most = 10_000

/**
 * Clocks of several processes differ a little: then the moment stays where it was. A clock that was far ahead and was put
 * right is believed, or nothing could be asked for by time until it would have been right.
 */
const moment = `greatest(w.latest, CASE WHEN w.last > $2::timestamptz - interval '1 hour' THEN $2::timestamptz END)`

/**
 * The one sequencer: whoever holds the feed's row. All batches that it sees are committed, and of two that touch the same
 * entity the later has the greater id, so places in id order keep each entity's revisions in order. Readers go by place alone.
 */
export function sequencing(db: Db): Pick<Store, 'sequence'> {
  return {
    sequence: () =>
      db.transaction(async (tx) => {
        const feed = await tx.query<{ next: string; moment: Date | null }>('SELECT next, moment FROM feed FOR UPDATE')
        const next = BigInt(feed.rows[0]?.next ?? 1)
        const { rows } = await tx.query<{ size: string | null; moment: Date | null }>(
          `WITH waiting AS (SELECT id, size, at FROM change_batches WHERE base IS NULL ORDER BY id LIMIT ${most}),
           placed AS (
             UPDATE change_batches b SET base = $1::bigint + w.before, moment = ${moment}
             FROM (SELECT id, sum(size) OVER (ORDER BY id) - size AS before, max(at) OVER (ORDER BY id) AS latest,
                 max(at) OVER () AS last FROM waiting) w
             WHERE b.id = w.id RETURNING b.size, b.moment)
           SELECT sum(size) AS size, max(moment) AS moment FROM placed`,
          [next, feed.rows[0]?.moment ?? null],
        )
        const size = Number(rows[0]?.size ?? 0)
        if (size === 0) return 0
        const after = next + BigInt(size)
        await tx.query('UPDATE feed SET next = $1, moment = $2', [after, rows[0]?.moment ?? null])
        await tx.query(`SELECT pg_notify('catchment_changes', $1)`, [String(after - 1n)])
        return size
      }),
  }
}

/**
 * Makes the partitions of `changes` for the month of `now` and the next. Call it at start and daily: rows that find none
 * are kept in `changes_rest`, and then that month stays there.
 */
export async function ensureChangePartitions(db: Db, now: Date): Promise<void> {
  for (const ahead of [0, 1]) {
    const from = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1))
    const to = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead + 1, 1))
    const [first, last] = [from.toISOString().slice(0, 10), to.toISOString().slice(0, 10)]
    const name = `changes_${first.slice(0, 7).replace('-', '_')}`
    await db.transaction(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtext('catchment changes'))`)
      const { rows } = await tx.query<{ there: boolean }>(
        `SELECT to_regclass($1) IS NOT NULL OR EXISTS (SELECT FROM changes_rest WHERE at >= $2 AND at < $3) AS there`,
        [name, from, to],
      )
      if (rows[0]?.there !== false) return
      await tx.query(
        `CREATE TABLE ${name} PARTITION OF changes FOR VALUES FROM ('${first} 00:00:00+00') TO ('${last} 00:00:00+00')`,
      )
    })
  }
}
