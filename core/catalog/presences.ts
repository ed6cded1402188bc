import type { Batch, Confirmation, Removal } from './batch.ts'
import { array, type Cell } from './binary.ts'
import type { Queryable } from './db.ts'
import { storable, storableJson } from './document.ts'
import type { WrittenRecord } from './records.ts'
import { insertRows, table } from './rows.ts'
import type { Span } from './stored.ts'

const presences = table('presences', {
  record_id: 'int8',
  partition_id: 'int4',
  begin_tick: 'int8',
  end_tick: 'int8',
})

function rowsOf({ id, write }: WrittenRecord): Cell[][] {
  return [...new Set(write.presences)].map((partition) => [id, partition, write.span.begin, write.span.end])
}

/** Of records that are new. */
export async function insertPresences(tx: Queryable, inserted: readonly WrittenRecord[]): Promise<void> {
  await insertRows(tx, presences, inserted.flatMap(rowsOf))
}

/** Within a scan the page says that a presence was confirmed; only a new or an ended one is written. */
export async function provePresences(
  tx: Queryable,
  updated: readonly WrittenRecord[],
  scanning: boolean,
): Promise<void> {
  const proven = updated.flatMap(rowsOf)
  if (proven.length === 0) return
  const column = (index: number) => proven.map((row) => row[index] ?? null)
  await tx.query(
    `INSERT INTO presences AS p (record_id, partition_id, begin_tick, end_tick)
     SELECT * FROM unnest($1::int8[], $2::int4[], $3::int8[], $4::int8[])
     ON CONFLICT (partition_id, record_id) DO UPDATE SET ended = false,
       begin_tick = greatest(p.begin_tick, excluded.begin_tick), end_tick = greatest(p.end_tick, excluded.end_tick)
     WHERE p.ended OR NOT $5`,
    [array('int8', column(0)), array('int4', column(1)), array('int8', column(2)), array('int8', column(3)), scanning],
    { name: 'prove_presences' },
  )
}

export async function confirmRecords(tx: Queryable, confirmations: readonly Confirmation[]): Promise<void> {
  if (confirmations.length === 0) return
  const spans = (edge: keyof Span) =>
    array(
      'int8',
      confirmations.map(({ span }) => span[edge]),
    )
  const ids = array(
    'int8',
    confirmations.map(({ recordId }) => recordId),
  )
  const partitions = array(
    'int4',
    confirmations.map(({ partitionId }) => partitionId),
  )
  await tx.query(
    `UPDATE presences p SET begin_tick = greatest(p.begin_tick, u.begin), end_tick = greatest(p.end_tick, u.end_)
     FROM (SELECT record, partition, max(begin_) AS begin, max(end_) AS end_
           FROM unnest($1::int8[], $2::int4[], $3::int8[], $4::int8[]) u (record, partition, begin_, end_) GROUP BY 1, 2) u
     WHERE p.record_id = u.record AND p.partition_id = u.partition`,
    [ids, partitions, spans('begin'), spans('end')],
    { name: 'confirm_presences' },
  )
  await tx.query(
    `UPDATE records r SET begin_tick = greatest(r.begin_tick, u.begin), end_tick = greatest(r.end_tick, u.end_)
     FROM (SELECT record, max(begin_) AS begin, max(end_) AS end_
           FROM unnest($1::int8[], $2::int8[], $3::int8[]) u (record, begin_, end_) GROUP BY 1) u
     WHERE r.id = u.record`,
    [ids, spans('begin'), spans('end')],
    { name: 'confirm_records' },
  )
}

/** Ends presences; answers the records that were present nowhere else, and why each went. */
export async function removePresences(
  tx: Queryable,
  batch: Batch,
  removals: readonly Removal[],
): Promise<ReadonlyMap<bigint, Removal>> {
  if (removals.length === 0) return new Map()
  const ended = table('presences', { record_id: 'int8', partition_id: 'int4', begin_tick: 'int8', end_tick: 'int8' })
  const values = removals.map((each) => [each.recordId, each.partitionId, each.span.begin, each.span.end])
  const column = (index: number) => values.map((row) => row[index] ?? null)
  const parameters = ended.columns.map(({ type }, index) => array(type === 'int4' ? 'int4' : 'int8', column(index)))
  await tx.query(
    `UPDATE presences p SET ended = true, begin_tick = greatest(p.begin_tick, u.b), end_tick = greatest(p.end_tick, u.e)
     FROM unnest($1::int8[], $2::int4[], $3::int8[], $4::int8[]) u (record, partition, b, e)
     WHERE p.record_id = u.record AND p.partition_id = u.partition`,
    parameters,
    { name: 'end_presences' },
  )
  const byId = new Map(removals.map((each) => [each.recordId, each]))
  const { rows } = await tx.query<{ id: string }>(
    `SELECT u.id FROM unnest($1::int8[]) u (id)
     WHERE NOT EXISTS (SELECT FROM presences p WHERE p.record_id = u.id AND NOT p.ended)`,
    [array('int8', [...byId.keys()])],
    { name: 'present_nowhere' },
  )
  const gone = new Map<bigint, Removal>()
  for (const { id } of rows) {
    const removal = byId.get(BigInt(id))
    if (removal !== undefined) gone.set(removal.recordId, removal)
  }
  await bury(tx, batch, [...gone.values()])
  return gone
}

/** The tombstone keeps body and locator, for people and for an undo. */
async function bury(tx: Queryable, batch: Batch, removals: readonly Removal[]): Promise<void> {
  if (removals.length === 0) return
  const why = removals.map(({ reason }) =>
    storableJson({ reason, cause: batch.cause, at: new Date(batch.now).toISOString() }),
  )
  await tx.query(
    `UPDATE records r SET state = 'gone', gone = u.gone, version = greatest(r.version, u.version),
       begin_tick = greatest(r.begin_tick, u.b), end_tick = greatest(r.end_tick, u.e)
     FROM unnest($1::int8[], $2::text[], $3::int8[], $4::int8[], $5::jsonb[]) u (id, version, b, e, gone) WHERE r.id = u.id`,
    [
      array(
        'int8',
        removals.map(({ recordId }) => recordId),
      ),
      array(
        'text',
        removals.map(({ version }) => (version === undefined ? null : storable(version))),
      ),
      array(
        'int8',
        removals.map(({ span }) => span.begin),
      ),
      array(
        'int8',
        removals.map(({ span }) => span.end),
      ),
      array('jsonb', why),
    ],
    { name: 'bury_records' },
  )
}
