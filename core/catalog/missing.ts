import type { JsonObject } from '../model/json.ts'
import type { Db } from './db.ts'
import type { Store } from './store.ts'
import type { MissingCounts, OpenHold } from './stored.ts'

type Methods = Pick<Store, 'missing' | 'countMissing' | 'seenHolds' | 'approvedHolds'>

const open = `h.state IN ('pending', 'approved', 'rejected')`

/**
 * The sweep's question, of the records whose ids are above `after`. EXCEPT, because it is never done row by row, whatever
 * the planner believes of a table that it has no statistics of yet; records are only looked up for what is missing.
 * `before` is the complete scan before this one, even when this one is complete already; its pages are only there until
 * then. Scans after it that ended incomplete confirmed what they saw as well.
 */
const missing = (after: string, limit = '') => `
  scan AS MATERIALIZED (
    SELECT s.id, s.partition_id, s.begin_tick FROM scans s WHERE s.id = $1),
  before AS MATERIALIZED (
    SELECT b.id, b.begin_tick FROM scan JOIN partitions p ON p.id = scan.partition_id JOIN scans b ON b.id = p.complete_scan
    WHERE b.id <> scan.id),
  missing AS MATERIALIZED (
    SELECT p.record_id FROM presences p, scan
    WHERE p.partition_id = scan.partition_id AND NOT p.ended AND p.begin_tick < scan.begin_tick AND p.record_id > ${after}
    EXCEPT SELECT u.id FROM scan_pages g, unnest(g.records) u (id) WHERE g.scan_id = $1 AND u.id > ${after}
    ${limit}),
  earlier AS MATERIALIZED (
    SELECT u.id, max(g.begin_tick) AS begin_tick, max(g.end_tick) AS end_tick, bool_or(s.id = p.complete_scan) AS complete
    FROM scan JOIN partitions p ON p.id = scan.partition_id
    JOIN scans s ON s.partition_id = p.id AND s.id >= coalesce(p.complete_scan, 0) AND s.id <> scan.id
    JOIN scan_pages g ON g.scan_id = s.id CROSS JOIN LATERAL unnest(g.records) u (id)
    WHERE EXISTS (SELECT FROM missing) AND u.id IN (SELECT record_id FROM missing) GROUP BY u.id)`

const holds = `FROM held h WHERE h.record_id = p.record_id AND h.what = 'presence' AND h.partition_id = p.partition_id`
const held = `EXISTS (SELECT ${holds} AND ${open})`
const shown = 'greatest(p.begin_tick, e.begin_tick)'
const presence = `
  scan CROSS JOIN missing
  CROSS JOIN LATERAL (SELECT * FROM presences p WHERE p.partition_id = scan.partition_id AND p.record_id = missing.record_id OFFSET 0) p
  LEFT JOIN earlier e ON e.id = p.record_id`

const missingSql = `
  WITH ${missing('$2', 'ORDER BY 1 LIMIT $3')}
  SELECT r.id, r.key, r.locator, greatest(p.end_tick, e.end_tick) AS confirmed, ${shown} AS shown, ${held} AS held,
    e.complete IS NOT TRUE AND EXISTS (SELECT FROM before WHERE p.end_tick < before.begin_tick) AS missed_before
  FROM ${presence}
  CROSS JOIN LATERAL (SELECT * FROM records r WHERE r.id = missing.record_id OFFSET 0) r
  ORDER BY r.key`

const countSql = `
  WITH ${missing('0')},
  open AS MATERIALIZED (SELECT ${shown} AS shown FROM ${presence} WHERE NOT ${held})
  SELECT count(*) AS open, count(*) FILTER (WHERE $2::int8 IS NULL OR shown < $2) AS hidden,
    (SELECT count(*) FROM ${presence} WHERE EXISTS (SELECT ${holds} AND h.state = 'pending' AND h.scan_id = $1)) AS held,
    CASE WHEN EXISTS (SELECT FROM open) THEN (SELECT coalesce(sum(cardinality(g.records)), 0) FROM scan_pages g WHERE g.scan_id = $1)
      ELSE 0 END AS seen,
    CASE WHEN EXISTS (SELECT FROM open) THEN (SELECT count(*) FROM scan JOIN presences p ON p.partition_id = scan.partition_id AND NOT p.ended)
      ELSE 0 END AS live
  FROM open`

export function sweeping(db: Db): Methods {
  return {
    async missing(scanId, after, limit) {
      const { rows } = await db.query<{
        id: string
        key: string
        locator: JsonObject
        confirmed: string
        shown: string
        held: boolean
        missed_before: boolean
      }>(missingSql, [scanId, after, limit])
      return rows.map((row) => ({
        recordId: BigInt(row.id),
        key: row.key,
        locator: row.locator,
        confirmed: BigInt(row.confirmed),
        shown: BigInt(row.shown),
        held: row.held,
        missedBefore: row.missed_before,
      }))
    },

    async countMissing(scanId, seesSince) {
      const { rows } = await db.query<Record<keyof MissingCounts, string>>(countSql, [scanId, seesSince ?? null])
      const [row] = rows
      const of = (name: keyof MissingCounts): number => Number(row?.[name] ?? 0)
      return { open: of('open'), hidden: of('hidden'), held: of('held'), seen: of('seen'), live: of('live') }
    },

    async seenHolds(scanId, limit) {
      const { rows } = await db.query<{
        record_id: string
        what: string
        partition_id: number
        state: OpenHold['state']
      }>(
        `WITH h AS MATERIALIZED (
           SELECT h.id, h.record_id, h.what, h.partition_id, h.state FROM scans s
           JOIN held h ON h.partition_id = s.partition_id AND ${open} WHERE s.id = $1 AND h.what = 'presence')
         SELECT h.record_id, h.what, h.partition_id, h.state FROM h
         WHERE h.record_id IN (
           SELECT u.id FROM scan_pages g, unnest(g.records) u (id) WHERE EXISTS (SELECT FROM h) AND g.scan_id = $1)
         ORDER BY h.id LIMIT $2`,
        [scanId, limit],
      )
      return rows.map(({ record_id, what, partition_id, state }) => ({
        recordId: BigInt(record_id),
        what,
        partitionId: partition_id,
        state,
      }))
    },

    async approvedHolds(kindId, of) {
      const { rows } = await db.query<{
        id: string
        record_id: string
        partition_id: number | null
        what: string
        confirmed: string | null
        decided_by: string | null
      }>(
        `SELECT h.id, h.record_id, h.partition_id, h.what, h.decided_by, greatest(p.end_tick, (
           SELECT max(g.end_tick) FROM partitions q JOIN scans s ON s.partition_id = q.id AND s.id >= coalesce(q.complete_scan, 0)
           JOIN scan_pages g ON g.scan_id = s.id AND h.record_id = ANY (g.records) WHERE q.id = h.partition_id)) AS confirmed
         FROM held h LEFT JOIN presences p ON p.record_id = h.record_id AND p.partition_id = h.partition_id AND NOT p.ended
         WHERE h.kind_id = $1 AND h.state = 'approved' AND h.id > $2 AND ($3::int8 IS NULL OR h.record_id = $3)
         ORDER BY h.id LIMIT $4`,
        'recordId' in of ? [kindId, 0, of.recordId, null] : [kindId, of.after, null, of.limit],
      )
      return rows.map((row) => ({
        id: BigInt(row.id),
        recordId: BigInt(row.record_id),
        partitionId: row.partition_id ?? undefined,
        what: row.what,
        confirmed: row.confirmed === null ? undefined : BigInt(row.confirmed),
        by: row.decided_by ?? '',
      }))
    },
  }
}
