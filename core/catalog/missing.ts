import type { JsonObject } from '../model/json.ts'
import type { Db } from './db.ts'
import type { Store } from './store.ts'
import type { OpenHold } from './stored.ts'

type Methods = Pick<Store, 'missing' | 'seenHolds' | 'livePresences' | 'approvedHolds'>

const open = `h.state IN ('pending', 'approved', 'rejected')`

/**
 * The sweep's question. EXCEPT, because it is never done row by row, whatever the planner believes of a table that it has no
 * statistics of yet; records are only looked up for what is missing. `before` is the complete scan before this one, even when this one is complete
 * already; its pages are only there until then. Scans after it that ended incomplete confirmed what they saw as well.
 */
const missingSql = `
  WITH scan AS MATERIALIZED (
    SELECT s.id, s.partition_id, s.begin_tick FROM scans s WHERE s.id = $1),
  before AS MATERIALIZED (
    SELECT b.id, b.begin_tick FROM scan JOIN partitions p ON p.id = scan.partition_id JOIN scans b ON b.id = p.complete_scan
    WHERE b.id <> scan.id),
  missing AS MATERIALIZED (
    SELECT p.record_id FROM presences p, scan
    WHERE p.partition_id = scan.partition_id AND NOT p.ended AND p.begin_tick < scan.begin_tick
    EXCEPT SELECT u.id FROM scan_pages g, unnest(g.records) u (id) WHERE g.scan_id = $1),
  earlier AS MATERIALIZED (
    SELECT u.id, max(g.begin_tick) AS begin_tick, max(g.end_tick) AS end_tick, bool_or(s.id = p.complete_scan) AS complete
    FROM scan JOIN partitions p ON p.id = scan.partition_id
    JOIN scans s ON s.partition_id = p.id AND s.id >= coalesce(p.complete_scan, 0) AND s.id <> scan.id
    JOIN scan_pages g ON g.scan_id = s.id CROSS JOIN LATERAL unnest(g.records) u (id) GROUP BY u.id)
  SELECT r.id, r.key, r.locator, r.version, greatest(p.end_tick, e.end_tick) AS confirmed, greatest(p.begin_tick, e.begin_tick) AS shown,
    EXISTS (SELECT FROM held h WHERE h.record_id = r.id AND h.what = 'presence' AND h.partition_id = p.partition_id AND ${open}) AS held,
    e.complete IS NOT TRUE AND EXISTS (SELECT FROM before WHERE p.end_tick < before.begin_tick) AS missed_before
  FROM scan CROSS JOIN missing
  CROSS JOIN LATERAL (SELECT * FROM presences p WHERE p.partition_id = scan.partition_id AND p.record_id = missing.record_id OFFSET 0) p
  CROSS JOIN LATERAL (SELECT * FROM records r WHERE r.id = missing.record_id OFFSET 0) r
  LEFT JOIN earlier e ON e.id = r.id
  ORDER BY r.key`

export function sweeping(db: Db): Methods {
  return {
    async missing(scanId) {
      const { rows } = await db.query<{
        id: string
        key: string
        locator: JsonObject
        version: string | null
        confirmed: string
        shown: string
        held: boolean
        missed_before: boolean
      }>(missingSql, [scanId])
      return rows.map((row) => ({
        recordId: BigInt(row.id),
        key: row.key,
        locator: row.locator,
        confirmed: BigInt(row.confirmed),
        shown: BigInt(row.shown),
        version: row.version ?? undefined,
        held: row.held,
        missedBefore: row.missed_before,
      }))
    },

    async seenHolds(scanId) {
      const { rows } = await db.query<{
        record_id: string
        what: string
        partition_id: number
        state: OpenHold['state']
      }>(
        `SELECT h.record_id, h.what, h.partition_id, h.state FROM scans s JOIN held h ON h.partition_id = s.partition_id AND ${open}
         WHERE s.id = $1 AND h.what = 'presence'
           AND EXISTS (SELECT FROM scan_pages g WHERE g.scan_id = s.id AND h.record_id = ANY (g.records))
         ORDER BY h.id`,
        [scanId],
      )
      return rows.map(({ record_id, what, partition_id, state }) => ({
        recordId: BigInt(record_id),
        what,
        partitionId: partition_id,
        state,
      }))
    },

    async livePresences(partitionId) {
      const { rows } = await db.query<{ count: string }>(
        'SELECT count(*) FROM presences WHERE partition_id = $1 AND NOT ended',
        [partitionId],
      )
      return Number(rows[0]?.count ?? 0)
    },

    async approvedHolds(kindId) {
      const { rows } = await db.query<{
        record_id: string
        partition_id: number | null
        what: string
        confirmed: string | null
        decided_by: string | null
      }>(
        `SELECT h.record_id, h.partition_id, h.what, h.decided_by, greatest(p.end_tick, (
           SELECT max(g.end_tick) FROM partitions q JOIN scans s ON s.partition_id = q.id AND s.id >= coalesce(q.complete_scan, 0)
           JOIN scan_pages g ON g.scan_id = s.id AND h.record_id = ANY (g.records) WHERE q.id = h.partition_id)) AS confirmed
         FROM held h LEFT JOIN presences p ON p.record_id = h.record_id AND p.partition_id = h.partition_id AND NOT p.ended
         WHERE h.kind_id = $1 AND h.state = 'approved' ORDER BY h.id`,
        [kindId],
      )
      return rows.map((row) => ({
        recordId: BigInt(row.record_id),
        partitionId: row.partition_id ?? undefined,
        what: row.what,
        confirmed: row.confirmed === null ? undefined : BigInt(row.confirmed),
        by: row.decided_by ?? '',
      }))
    },
  }
}
