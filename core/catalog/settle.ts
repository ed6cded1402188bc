import type { Batch } from './batch.ts'
import { array } from './binary.ts'
import type { Queryable } from './db.ts'
import { storable, storableJson } from './document.ts'
import type { SayingRecord } from './records.ts'
import { insertRows, table } from './rows.ts'
import { requestScans } from './schedule.ts'

/** What a batch settles beside the catalog: deliveries, doubts, holds, scan requests. */
export async function settleBooks(tx: Queryable, batch: Batch, gone: readonly bigint[]): Promise<void> {
  await settleDeliveries(tx, batch)
  await raiseDoubts(tx, batch)
  await settleDoubts(tx, batch)
  await settleHolds(tx, batch, gone)
  await placeHolds(tx, batch)
  await requestScans(tx, batch.sourceId, batch.requestedScans ?? [])
}

async function settleDeliveries(tx: Queryable, { deliveries = [], now }: Batch): Promise<void> {
  if (deliveries.length === 0) return
  await tx.query(
    `UPDATE inbox i SET state = CASE WHEN u.error IS NULL THEN 'applied' ELSE 'dead' END, error = u.error, settled_at = $3,
       attempts = attempts + 1
     FROM unnest($1::int8[], $2::jsonb[]) u (id, error) WHERE i.id = u.id`,
    [
      array(
        'int8',
        deliveries.map(({ id }) => id),
      ),
      array(
        'jsonb',
        deliveries.map(({ error }) => (error === undefined ? null : storableJson(error))),
      ),
      new Date(now),
    ],
    { name: 'settle_deliveries' },
  )
}

/** A later signal about the same key raises the serial, and what waited because the source did not answer is due again. */
async function raiseDoubts(tx: Queryable, { doubts = [] }: Batch): Promise<void> {
  for (const doubt of doubts) {
    await tx.query(
      `INSERT INTO doubts AS d (kind_id, key, partition_id, locator, reason, serial, signed) VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (kind_id, key, partition_id) DO UPDATE SET
         locator = CASE WHEN excluded.serial >= d.serial THEN excluded.locator ELSE d.locator END,
         reason = CASE WHEN excluded.serial >= d.serial THEN excluded.reason ELSE d.reason END,
         serial = greatest(d.serial, excluded.serial), signed = d.signed OR excluded.signed,
         attempts = CASE WHEN excluded.serial > d.serial THEN 0 ELSE d.attempts END,
         not_before = CASE WHEN excluded.serial > d.serial THEN NULL ELSE d.not_before END`,
      [
        doubt.kindId,
        storable(doubt.key),
        doubt.partitionId,
        storableJson(doubt.locator),
        storable(doubt.reason),
        doubt.serial,
        doubt.signed,
      ],
      { name: 'raise_doubt' },
    )
  }
}

async function settleDoubts(tx: Queryable, { settledDoubts = [], kindId }: Batch): Promise<void> {
  for (const { key, partitionId, serial } of settledDoubts) {
    await tx.query(
      'DELETE FROM doubts WHERE kind_id = $1 AND key = $2 AND partition_id = $3 AND serial <= $4',
      [kindId, storable(key), partitionId, serial],
      { name: 'settle_doubt' },
    )
  }
}

const open = `state IN ('pending', 'approved', 'rejected')`

/** Nothing can be held on a record that is gone. */
async function settleHolds(tx: Queryable, { settledHolds = [] }: Batch, gone: readonly bigint[]): Promise<void> {
  for (const { recordId, what, partitionId, state } of settledHolds) {
    await tx.query(
      `UPDATE held SET state = $4 WHERE record_id = $1 AND what = $2 AND partition_id IS NOT DISTINCT FROM $3 AND ${open}`,
      [recordId, storable(what), partitionId ?? null, state],
      { name: 'settle_hold' },
    )
  }
  if (gone.length === 0) return
  await tx.query(
    `UPDATE held SET state = 'dissolved' WHERE record_id = ANY ($1::int8[]) AND ${open}`,
    [array('int8', gone)],
    {
      name: 'dissolve_holds',
    },
  )
}

async function placeHolds(tx: Queryable, { holds = [], kindId, now }: Batch): Promise<void> {
  if (holds.length === 0) return
  const records = holds.map(({ recordId }) => recordId)
  await tx.query(
    `INSERT INTO held (kind_id, record_id, partition_id, what, reason, scan_id, state, held_at)
     SELECT $1, u.record, u.partition, u.what, u.reason, u.scan, 'pending', $2
     FROM unnest($3::int8[], $4::int4[], $5::text[], $6::text[], $7::int8[]) u (record, partition, what, reason, scan)
     ON CONFLICT DO NOTHING`,
    [
      kindId,
      new Date(now),
      array('int8', records),
      array(
        'int4',
        holds.map(({ partitionId }) => partitionId ?? null),
      ),
      array(
        'text',
        holds.map(({ what }) => storable(what)),
      ),
      array(
        'text',
        holds.map(({ reason }) => storable(reason)),
      ),
      array(
        'int8',
        holds.map(({ scan }) => scan ?? null),
      ),
    ],
    { name: 'place_holds' },
  )
}

const quarantine = table('quarantine', {
  record_id: 'int8',
  mapping: 'text',
  item: 'text',
  problem: 'jsonb',
  since: 'timestamptz',
})

/** Of the written records; a problem that stays the same keeps its date. */
export async function writeQuarantine(
  tx: Queryable,
  written: readonly SayingRecord[],
  gone: readonly bigint[],
  now: number,
): Promise<void> {
  const said = written.flatMap(({ id, write }) =>
    write.quarantined.map(
      ({ mapping, item, problem }) => [id, storable(mapping), storable(item), storableJson(problem)] as const,
    ),
  )
  const old = [...written.filter(({ isNew }) => !isNew).map(({ id }) => id), ...gone]
  const since = new Map<string, number>()
  if (old.length > 0) {
    const { rows } = await tx.query<{ record_id: string; mapping: string; item: string; since: Date }>(
      'DELETE FROM quarantine WHERE record_id = ANY ($1::int8[]) RETURNING record_id, mapping, item, since',
      [array('int8', old)],
      { name: 'clear_quarantine' },
    )
    for (const row of rows) since.set(`${row.record_id} ${row.item} ${row.mapping}`, row.since.getTime())
  }
  await insertRows(
    tx,
    quarantine,
    said.map((row) => [...row, since.get(`${row[0]} ${row[2]} ${row[1]}`) ?? now]),
  )
}
