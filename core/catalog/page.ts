import type { Batch, PageWrite } from './batch.ts'
import { array } from './binary.ts'
import type { Queryable } from './db.ts'
import { storable } from './document.ts'
import { StaleDecision } from './refusals.ts'
import { digest, stillThere } from './sealed.ts'
import { setAsideOf } from './set-aside.ts'

/** What a commit knows of its kind while it holds it. */
interface Held {
  /** The partition of the page's scan. */
  readonly partition: number
  /** Commits that wrote records of the kind before this one. */
  readonly writes: bigint
  /** This one does. */
  readonly writing: boolean
}

/**
 * Records of the page that were found as asked and are not written: another commit may have changed or removed one since,
 * and a page that then says it was seen would move the watermark of content that it did not see.
 */
export async function checkPage(tx: Queryable, batch: Batch, page: PageWrite, held: Held): Promise<void> {
  if (page.remembered !== undefined || page.known.size === 0 || page.asOf === held.writes) return
  const hashes = Buffer.alloc(page.known.size * 16)
  let at = 0
  for (const index of page.known.keys()) at += page.hashes.copy(hashes, at, index * 16, index * 16 + 16)
  const { rows } = await tx.query<{ count: string }>(
    `SELECT count(*) FROM unnest($1::int8[]) WITH ORDINALITY u (id, place)
     JOIN records r ON r.id = u.id AND r.hash = substring($2::bytea FROM (u.place::int4 - 1) * 16 + 1 FOR 16)
       AND r.state = 'live' AND r.mapping_id = $4
     JOIN presences p ON p.record_id = u.id AND p.partition_id = $3 AND NOT p.ended`,
    [array('int8', [...page.known.values()]), hashes, held.partition, batch.mappingId],
    { name: 'check_page' },
  )
  if (Number(rows[0]?.count) !== page.known.size)
    throw new StaleDecision('a record of the page changed since it was compared')
}

const columns = 'scan_id, page, cursor, next, validator, begin_tick, end_tick, records, digest, seal, as_of, bytes_seal'
/** A page that was committed before a crash, and is read once more because its answer got lost. */
const onceMore = `ON CONFLICT (scan_id, page) DO UPDATE SET cursor = excluded.cursor, next = excluded.next,
  validator = excluded.validator, begin_tick = excluded.begin_tick, end_tick = excluded.end_tick, records = excluded.records,
  digest = excluded.digest, seal = excluded.seal, as_of = excluded.as_of, bytes_seal = excluded.bytes_seal`

/** $1 to $7 of both statements. */
function placeOf(page: PageWrite): readonly unknown[] {
  const text = (value: string | undefined) => (value === undefined ? null : storable(value))
  const { scan, page: number, cursor, next, validator, span } = page
  return [scan, number, storable(cursor), text(next), text(validator), span.begin, span.end]
}

/** `written`: ids of the records that the same commit writes, by key. */
export async function writePage(
  tx: Queryable,
  batch: Batch,
  page: PageWrite,
  held: Held,
  written: ReadonlyMap<string, bigint>,
): Promise<void> {
  if (page.remembered !== undefined) return takeOver(tx, batch, page, page.remembered, held)
  const { records, sure } = await recordsOf(tx, batch.kindId, page, written)
  const { items, changed, failed } = page.counts
  const seal = sure ? (page.seal ?? null) : null
  await tx.query(
    `WITH page AS (INSERT INTO scan_pages (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8::int8[], $9, $10, $11, $12) ${onceMore})
     UPDATE scans SET pages = greatest(pages, $2 + 1), items = items + $13, changed = changed + $14, failed = failed + $15 WHERE id = $1`,
    [
      ...placeOf(page),
      array('int8', records),
      digest(page.hashes),
      seal,
      sure ? held.writes + (held.writing ? 1n : 0n) : null,
      seal === null ? null : (page.bytesSeal ?? null),
      items,
      changed,
      failed,
    ],
    { name: 'write_page' },
  )
  await setAsideOf(tx, page, { partitionId: held.partition, now: batch.now })
}

/** In page order. `sure`: each is known or written. Another key is of a refused item: seen, if it is stored at all. */
async function recordsOf(
  tx: Queryable,
  kindId: number,
  page: PageWrite,
  written: ReadonlyMap<string, bigint>,
): Promise<{ readonly records: readonly bigint[]; readonly sure: boolean }> {
  const ids = page.keys.map((key, index) => page.known.get(index) ?? written.get(key))
  const refused = page.keys.filter((key, index) => ids[index] === undefined && key !== '').map(storable)
  if (refused.length === 0) {
    const records = ids.filter((id) => id !== undefined)
    return { records, sure: records.length === ids.length }
  }
  const { rows } = await tx.query<{ key: string; id: string }>(
    'SELECT key, id FROM records WHERE kind_id = $1 AND key = ANY ($2::text[])',
    [kindId, array('text', refused)],
    { name: 'records_by_key' },
  )
  const stored = new Map(rows.map(({ key, id }) => [key, BigInt(id)]))
  return { records: page.keys.flatMap((key, index) => ids[index] ?? stored.get(storable(key)) ?? []), sure: false }
}

/**
 * What the source calls unmodified may have been made with another mapping version, which a remap looks after; a seal says
 * that it was not. Nothing is looked at again while no commit wrote since the comparison ($11) or since the page was written.
 */
const takeOverSql = `
  WITH old AS MATERIALIZED (
    SELECT g.records, g.digest, g.seal, g.as_of, g.bytes_seal, p.id AS partition_id
    FROM scans s JOIN partitions p ON p.id = s.partition_id JOIN scan_pages g ON g.scan_id = p.complete_scan AND g.page = $8
    WHERE s.id = $1 AND g.cursor = $3),
  page AS (
    INSERT INTO scan_pages (${columns})
    SELECT $1, $2, $3, $4, $5, $6, $7, records, digest, seal, CASE WHEN as_of = $9 OR NOT $10 THEN $9::int8 END, coalesce($13, bytes_seal)
    FROM old WHERE CASE WHEN $11 OR as_of = $9 THEN true ELSE ${stillThere('old', 'old.partition_id', '($10 OR r.mapping_id = $12)')} END
    ${onceMore} RETURNING cardinality(records) AS items)
  UPDATE scans SET pages = greatest(pages, $2 + 1), not_modified = not_modified + CASE WHEN $10 THEN 1 ELSE 0 END,
    items = scans.items + page.items FROM page WHERE id = $1`

async function takeOver(
  tx: Queryable,
  batch: Batch,
  page: PageWrite,
  { page: number, unmodified }: NonNullable<PageWrite['remembered']>,
  { writes }: Held,
): Promise<void> {
  const { rowCount } = await tx.query(
    takeOverSql,
    [...placeOf(page), number, writes, unmodified, page.asOf === writes, batch.mappingId, page.bytesSeal ?? null],
    { name: 'take_over_page' },
  )
  if (rowCount === 0) throw new StaleDecision('a record of the remembered page changed')
}
