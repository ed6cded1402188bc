/**
 * What scans saw. A scan leaves no trace in the records that it found unchanged, only their ids in its pages, so the newest
 * watermark of a record or presence is the greater of its own and that of any page it is on.
 *
 * Pages of the last complete scan and of those after it are looked at. Two parameters: ids of records (int8[]), and a
 * partition to leave out (int4): within one scan a page is always older than the observation that is about to be compared,
 * and looking through all of the scan's pages for each page would cost the square of their number.
 * Columns: record_id, partition_id, begin_tick, end_tick.
 */
export function seenSql(ids: string, except: string): string {
  return `
    SELECT u.id AS record_id, k.partition_id, max(g.begin_tick) AS begin_tick, max(g.end_tick) AS end_tick
    FROM (
      SELECT s.id, s.partition_id FROM scans s JOIN partitions p ON p.id = s.partition_id
      WHERE s.id >= coalesce(p.complete_scan, 0) AND s.partition_id IN (
        SELECT q.partition_id FROM presences q WHERE q.record_id = ANY (${ids}) AND NOT q.ended AND q.partition_id <> ${except})
    ) k
    JOIN scan_pages g ON g.scan_id = k.id AND (cardinality(${ids}) > 8 OR g.records && ${ids})
    CROSS JOIN LATERAL unnest(g.records) u (id)
    WHERE u.id = ANY (${ids})
    GROUP BY u.id, k.partition_id`
}
