import { hash } from 'node:crypto'
import type { Batch, PageWrite } from './batch.ts'
import { array } from './binary.ts'
import type { Queryable } from './db.ts'
import { storable } from './document.ts'
import { StaleDecision } from './refusals.ts'

/** Of the records' hashes in order: a page that the source calls unmodified is believed while they still have them. */
export const digestSql = `decode(md5(string_agg(r.hash, ''::bytea ORDER BY u.place)), 'hex')`

function digest(hashes: readonly string[]): Buffer {
  return hash('md5', Buffer.from(hashes.join(''), 'hex'), 'buffer')
}

/**
 * Records of the page that were found as asked and are not written: another commit may have changed or removed one since,
 * and a page that then says it was seen would move the watermark of content that it did not see.
 */
export async function checkPage(
  tx: Queryable,
  batch: Batch,
  page: PageWrite,
  partition: number,
  writes: bigint,
): Promise<void> {
  if (page.notModified || page.known.size === 0 || page.asOf === writes) return
  const known = [...page.known]
  const { rows } = await tx.query<{ count: string }>(
    `SELECT count(*) FROM unnest($1::int8[], $2::bytea[]) u (id, hash)
     JOIN records r ON r.id = u.id AND r.hash = u.hash AND r.state = 'live' AND r.mapping_id = $4
     JOIN presences p ON p.record_id = u.id AND p.partition_id = $3 AND NOT p.ended`,
    [
      array(
        'int8',
        known.map(([, id]) => id),
      ),
      array(
        'hex',
        known.map(([index]) => page.hashes[index] ?? ''),
      ),
      partition,
      batch.mappingId,
    ],
    { name: 'check_page' },
  )
  if (Number(rows[0]?.count) !== known.length)
    throw new StaleDecision('a record of the page changed since it was compared')
}

/** `written`: ids of the records that the same commit writes, by key. */
export async function writePage(
  tx: Queryable,
  batch: Batch,
  page: PageWrite,
  written: ReadonlyMap<string, bigint>,
): Promise<void> {
  const records = page.notModified ? [...page.known.values()] : await recordsOf(tx, batch.kindId, page, written)
  const seal = page.notModified ? await sealAgain(tx, page, records) : digest(page.hashes)
  const { items, changed, failed } = page.counts
  await tx.query(
    `WITH page AS (
       INSERT INTO scan_pages (scan_id, page, cursor, next, validator, begin_tick, end_tick, records, digest)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8::int8[], $9)
       ON CONFLICT (scan_id, page) DO UPDATE SET cursor = excluded.cursor, next = excluded.next, validator = excluded.validator,
         begin_tick = excluded.begin_tick, end_tick = excluded.end_tick, records = excluded.records, digest = excluded.digest)
     UPDATE scans SET pages = greatest(pages, $2 + 1), not_modified = not_modified + $10, items = items + $11,
       changed = changed + $12, failed = failed + $13 WHERE id = $1`,
    [
      page.scan,
      page.page,
      storable(page.cursor),
      page.next === undefined ? null : storable(page.next),
      page.validator === undefined ? null : storable(page.validator),
      page.span.begin,
      page.span.end,
      array('int8', records),
      seal,
      page.notModified ? 1 : 0,
      items,
      changed,
      failed,
    ],
    { name: 'write_page' },
  )
}

/** In page order. A key that is neither known nor written is of a refused item: seen, if it is stored at all. */
async function recordsOf(
  tx: Queryable,
  kindId: number,
  page: PageWrite,
  written: ReadonlyMap<string, bigint>,
): Promise<readonly bigint[]> {
  const ids = page.keys.map((key, index) => page.known.get(index) ?? written.get(key))
  const refused = page.keys.filter((key, index) => ids[index] === undefined && key !== '').map(storable)
  if (refused.length === 0) return ids.filter((id) => id !== undefined)
  const { rows } = await tx.query<{ key: string; id: string }>(
    'SELECT key, id FROM records WHERE kind_id = $1 AND key = ANY ($2::text[])',
    [kindId, array('text', refused)],
    { name: 'records_by_key' },
  )
  const stored = new Map(rows.map(({ key, id }) => [key, BigInt(id)]))
  return page.keys.flatMap((key, index) => ids[index] ?? stored.get(storable(key)) ?? [])
}

/** Of a page that the source called unmodified: its digest as it was, which must still be that of its records. */
async function sealAgain(tx: Queryable, page: PageWrite, records: readonly bigint[]): Promise<Buffer> {
  const { rows } = await tx.query<{ now: Buffer | null; remembered: Buffer | null; live: string }>(
    `SELECT ${digestSql} AS now, count(*) AS live,
       (SELECT g.digest FROM scans s JOIN partitions p ON p.id = s.partition_id JOIN scan_pages g ON g.scan_id = p.complete_scan
        WHERE s.id = $2 AND g.cursor = $3 LIMIT 1) AS remembered
     FROM unnest($1::int8[]) WITH ORDINALITY u (id, place) JOIN records r ON r.id = u.id AND r.state = 'live'
     JOIN scans s ON s.id = $2 JOIN presences p ON p.record_id = r.id AND p.partition_id = s.partition_id AND NOT p.ended`,
    [array('int8', records), page.scan, storable(page.cursor)],
    { name: 'seal_page' },
  )
  const [row] = rows
  const now = row?.now ?? digest([])
  if (Number(row?.live) !== records.length || (row?.remembered !== null && !row?.remembered.equals(now))) {
    throw new StaleDecision('a record of the unmodified page changed')
  }
  return now
}
