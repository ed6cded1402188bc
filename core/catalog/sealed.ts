import { hash } from 'node:crypto'
import type { Db } from './db.ts'
import { storable } from './document.ts'
import type { Store } from './store.ts'

/** Of the records' hashes in order (16 bytes each), as `stillThere` makes it. */
export function digest(hashes: Buffer): Buffer {
  return hash('md5', hashes, 'buffer')
}

/**
 * Are all records of the page `g` live in the partition, with the hashes they had when the page was written? `record`: what
 * else must be so of each, `r`. The laterals keep the planner from reading whole tables for a page.
 */
export function stillThere(g: string, partition: string, record: string): string {
  return `(
    SELECT count(*) = cardinality(${g}.records)
      AND decode(md5(coalesce(string_agg(r.hash, ''::bytea ORDER BY u.place), '')), 'hex') = ${g}.digest
    FROM unnest(${g}.records) WITH ORDINALITY u (id, place)
    CROSS JOIN LATERAL (SELECT r.hash FROM records r WHERE r.id = u.id AND r.state = 'live' AND ${record} OFFSET 0) r
    CROSS JOIN LATERAL (SELECT FROM presences q WHERE q.partition_id = ${partition} AND q.record_id = u.id AND NOT q.ended OFFSET 0) q)`
}

/** By its number in the scan, which is as good as its cursor and has an index. What seals bytes is nothing without a seal. */
const unchangedSql = `
  SELECT k.writes AS as_of, cardinality(g.records) AS items, coalesce(g.bytes_seal = $7, false) AS same_bytes
  FROM kinds k JOIN partitions p ON p.id = $2 JOIN scan_pages g ON g.scan_id = p.complete_scan AND g.page = $4
  WHERE k.id = $1 AND g.cursor = $5 AND g.seal IS NOT NULL AND (g.seal = $6 OR g.bytes_seal = $7)
    AND CASE WHEN g.as_of = k.writes THEN true ELSE ${stillThere('g', 'p.id', 'r.mapping_id = $3')} END`

export function sealing(db: Db): Pick<Store, 'unchangedPage'> {
  return {
    async unchangedPage(kindId, partitionId, mappingId, { number, cursor, seal, bytesSeal }) {
      const values = [kindId, partitionId, mappingId, number, storable(cursor), seal ?? null, bytesSeal ?? null]
      const { rows } = await db.query<{ as_of: string; items: number; same_bytes: boolean }>(unchangedSql, values, {
        name: 'unchanged_page',
      })
      const [row] = rows
      return row && { asOf: BigInt(row.as_of), items: row.items, sameBytes: row.same_bytes }
    },
  }
}
