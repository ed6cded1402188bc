import type { Batch } from './batch.ts'
import type { Queryable } from './db.ts'
import type { Store } from './store.ts'
import type { GuardWindow } from './stored.ts'

const hour = 3_600_000
const hoursBack = 24

/** The guard's ledger: what was taken away in an hour, and the greatest number of live records in it. */
export async function keepLedger(tx: Queryable, batch: Batch, before: number, after: number): Promise<void> {
  const removals = batch.removals?.filter(({ reason }) => reason !== 'approved' && reason !== 'person').length ?? 0
  const removed = removals + (batch.taken?.contributions ?? 0)
  const nulled = Object.entries(batch.taken?.nulled ?? {}).filter(([, count]) => count > 0)
  if (after !== before) {
    await tx.query('UPDATE kinds SET live = $2 WHERE id = $1', [batch.kindId, after], { name: 'set_live' })
  }
  if (after === before && removed === 0 && nulled.length === 0) return
  await tx.query(
    `INSERT INTO guard_hours AS g (kind_id, hour, removed, high, nulled) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (kind_id, hour) DO UPDATE SET removed = g.removed + excluded.removed, high = greatest(g.high, excluded.high),
       nulled = (SELECT coalesce(jsonb_object_agg(name, count), '{}') FROM (
         SELECT name, sum(count::bigint) AS count FROM (
           SELECT * FROM jsonb_each_text(g.nulled) UNION ALL SELECT * FROM jsonb_each_text(excluded.nulled)) each (name, count)
         GROUP BY name) sums)`,
    [
      batch.kindId,
      new Date(Math.floor(batch.now / hour) * hour),
      removed,
      Math.max(before, after),
      JSON.stringify(Object.fromEntries(nulled)),
    ],
    { name: 'keep_ledger' },
  )
}

/** Without an entry nothing was taken away in these hours, so what lives now is the highest number. */
export async function guardWindow(db: Queryable, kindId: number, now: number): Promise<GuardWindow> {
  const { rows } = await db.query<{ live: string; high: string; removed: string; nulled: Record<string, number> }>(
    `WITH hours AS MATERIALIZED (SELECT * FROM guard_hours WHERE kind_id = $1 AND hour > $2 AND hour <= $3)
     SELECT k.live, greatest(k.live, (SELECT max(high) FROM hours)) AS high,
       (SELECT coalesce(sum(removed), 0) FROM hours) AS removed,
       (SELECT coalesce(jsonb_object_agg(name, count), '{}') FROM (
          SELECT name, sum(value::bigint) AS count FROM hours, jsonb_each_text(nulled) each (name, value) GROUP BY name) sums) AS nulled
     FROM kinds k WHERE k.id = $1`,
    [kindId, new Date(now - hoursBack * hour - hour), new Date(now)],
    { name: 'guard_window' },
  )
  const [row] = rows
  return {
    live: Number(row?.live ?? 0),
    high: Number(row?.high ?? 0),
    removed: Number(row?.removed ?? 0),
    nulled: row?.nulled ?? {},
  }
}

export function guarding(db: Queryable): Pick<Store, 'guardWindow'> {
  return { guardWindow: (kindId, now) => guardWindow(db, kindId, now) }
}
