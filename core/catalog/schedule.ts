import type { Db, Queryable } from './db.ts'
import { writeFenced } from './leases.ts'
import type { Store } from './store.ts'

/** '' is every kind of the source, those that are not stored yet included: they find the request under ''. */
export async function requestScans(tx: Queryable, sourceId: number, kinds: readonly string[]): Promise<void> {
  for (const kind of kinds) {
    await tx.query(
      `INSERT INTO schedules AS s (source_id, kind, next_at, requested)
       SELECT $1::int4, name, 'epoch', true FROM (
         SELECT $2::text COLLATE "C" AS name UNION SELECT k.name FROM kinds k WHERE k.source_id = $1 AND $2 = '') kinds
       ORDER BY name
       ON CONFLICT (source_id, kind) DO UPDATE SET requested = true`,
      [sourceId, kind],
      { name: 'request_scan' },
    )
  }
}

export function scheduling(db: Db): Pick<Store, 'schedule' | 'setSchedule' | 'requestScan'> {
  return {
    async schedule(sourceId, kind) {
      const { rows } = await db.query<{ next_at: Date; requested: boolean }>(
        'SELECT next_at, requested FROM schedules WHERE source_id = $1 AND kind = $2',
        [sourceId, kind],
        { name: 'schedule' },
      )
      const [row] = rows
      return row && { next: row.next_at.getTime(), requested: row.requested }
    },

    setSchedule: (fence, sourceId, kind, next, requested) =>
      writeFenced(
        db,
        fence,
        `INSERT INTO schedules (source_id, kind, next_at, requested) SELECT $3, $4, $5, $6 FROM fence
         ON CONFLICT (source_id, kind) DO UPDATE SET next_at = excluded.next_at, requested = excluded.requested`,
        [sourceId, kind, new Date(next), requested],
      ),

    requestScan: (sourceId, kind) => requestScans(db, sourceId, [kind]),
  }
}
