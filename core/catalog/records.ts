import { array } from './binary.ts'
import { encodeBody } from './body.ts'
import type { Queryable } from './db.ts'
import { storable, storableJson } from './document.ts'
import { insertRows, table, updateRows } from './rows.ts'
import { seenSql } from './seen.ts'
import { type Batch, type Confirmation, type RecordWrite, type Removal, type Span, StaleDecision } from './store.ts'

/** A record as it is under its lock. */
export interface LockedRecord {
  readonly id: bigint
  readonly key: string
  readonly state: 'live' | 'gone'
  readonly version: string | null
  readonly hash: string
  readonly end: bigint
}

export interface WrittenRecord {
  readonly id: bigint
  readonly write: RecordWrite
  readonly isNew: boolean
}

const records = table('records', {
  id: 'int8',
  kind_id: 'int4',
  key: 'text',
  state: 'text',
  version: 'text',
  hash: 'hex',
  begin_tick: 'int8',
  end_tick: 'int8',
  mapping_id: 'int4',
  locator: 'jsonb',
  body: 'bytea',
})
const rewritten = table('records', {
  id: 'int8',
  state: 'text',
  version: 'text',
  hash: 'hex',
  begin_tick: 'int8',
  end_tick: 'int8',
  mapping_id: 'int4',
  locator: 'jsonb',
  body: 'bytea',
  gone: 'jsonb',
})
const presences = table('presences', {
  record_id: 'int8',
  partition_id: 'int4',
  begin_tick: 'int8',
  end_tick: 'int8',
})

/** In key order, so that two writers of the same records wait for each other instead of for ever. */
export async function lockRecords(
  tx: Queryable,
  kindId: number,
  keys: readonly string[],
  ids: readonly bigint[],
): Promise<readonly LockedRecord[]> {
  if (keys.length + ids.length === 0) return []
  const { rows } = await tx.query<Omit<LockedRecord, 'id' | 'end'> & { id: string; end: string }>(
    `/* lock:records */ SELECT id, key, state, version, encode(hash, 'hex') AS hash, end_tick AS end
     FROM records WHERE kind_id = $1 AND (key = ANY ($2::text[]) OR id = ANY ($3::int8[])) ORDER BY key FOR UPDATE`,
    [kindId, array('text', keys), array('int8', ids)],
    { name: 'lock_records' },
  )
  return rows.map((row) => ({ ...row, id: BigInt(row.id), end: BigInt(row.end) }))
}

/**
 * Nothing may be written on the ground of what is no longer so. A watermark that is older than the decision saw is fine:
 * a scan's pages are dropped when a newer one completes.
 */
export async function checkRecords(
  tx: Queryable,
  locked: readonly LockedRecord[],
  writes: readonly RecordWrite[],
  removals: readonly Removal[],
  confirmations: readonly Confirmation[],
  scanning: number,
): Promise<void> {
  if (locked.length === 0 && writes.every(({ expected }) => expected === undefined)) return
  const byId = new Map(locked.map((each) => [each.id, each]))
  const marks = await presenceMarks(tx, [...byId.keys()], scanning)
  const refuse = (id: bigint, what: string): never => {
    throw new StaleDecision(`record ${id} ${what} since it was compared`)
  }
  for (const { key, expected } of writes) {
    if (expected === undefined) continue
    const now = byId.get(expected.id)
    if (now === undefined || now.key !== storable(key)) throw new StaleDecision(`record ${expected.id} is not there`)
    if (now.hash !== expected.hash || now.state !== expected.state) refuse(now.id, 'changed')
    if (now.end > expected.end || (marks.newest.get(now.id) ?? 0n) > expected.end) refuse(now.id, 'was seen again')
  }
  for (const { recordId, partitionId, confirmed } of removals) {
    const mark = marks.of(recordId, partitionId)
    if (mark === undefined || mark.ended) refuse(recordId, 'left the partition')
    else if (mark.end > confirmed) refuse(recordId, 'was confirmed again')
  }
  for (const { recordId, partitionId, hash } of confirmations) {
    const mark = marks.of(recordId, partitionId)
    if (mark === undefined || mark.ended) refuse(recordId, 'left the partition')
    if (hash !== undefined && byId.get(recordId)?.hash !== hash) refuse(recordId, 'changed')
  }
}

interface Mark {
  readonly ended: boolean
  readonly end: bigint
}

/** End ticks of presences, with what scans saw. `newest`: by record, over its pages only. */
async function presenceMarks(
  tx: Queryable,
  ids: readonly bigint[],
  scanning: number,
): Promise<{ of(record: bigint, partition: number): Mark | undefined; readonly newest: ReadonlyMap<bigint, bigint> }> {
  const { rows } = await tx.query<{
    record: string
    partition: number
    ended: boolean
    end: string
    seen: string | null
  }>(
    `WITH seen AS MATERIALIZED (${seenSql('$1::int8[]', '$2::int4')})
     SELECT p.record_id AS record, p.partition_id AS partition, p.ended, p.end_tick AS end,
       CASE WHEN NOT p.ended THEN s.end_tick END AS seen
     FROM presences p LEFT JOIN seen s USING (record_id, partition_id) WHERE p.record_id = ANY ($1)`,
    [array('int8', ids), scanning],
    { name: 'presence_marks' },
  )
  const marks = new Map<string, Mark>()
  const newest = new Map<bigint, bigint>()
  for (const row of rows) {
    const [record, own, seen] = [BigInt(row.record), BigInt(row.end), BigInt(row.seen ?? 0)]
    marks.set(`${row.record} ${row.partition}`, { ended: row.ended, end: own > seen ? own : seen })
    if (seen > (newest.get(record) ?? 0n)) newest.set(record, seen)
  }
  return { of: (record, partition) => marks.get(`${record} ${partition}`), newest }
}

/** Answers the records written, with their ids. Throws StaleDecision when a key that was not stored now is. */
export async function writeRecords(
  tx: Queryable,
  batch: Batch,
  writes: readonly RecordWrite[],
): Promise<readonly WrittenRecord[]> {
  const fresh = writes.filter(({ expected }) => expected === undefined)
  const ids = await nextIds(tx, fresh.length)
  const written = writes.map((write): WrittenRecord => {
    const id = write.expected?.id ?? ids.pop()
    if (id === undefined) throw new Error('the database gave fewer ids than it was asked for')
    return { id, write, isNew: write.expected === undefined }
  })
  const [inserted, updated] = [written.filter(({ isNew }) => isNew), written.filter(({ isNew }) => !isNew)]
  const cells = ({ write }: WrittenRecord) => [
    write.version === undefined ? null : storable(write.version),
    write.hash,
    write.span.begin,
    write.span.end,
    batch.mappingId,
    storableJson(write.locator),
    encodeBody(write.body),
  ]
  try {
    await insertRows(
      tx,
      records,
      inserted.map((each) => [each.id, batch.kindId, storable(each.write.key), 'live', ...cells(each)]),
    )
  } catch (error) {
    if (!isKeyConflict(error)) throw error
    throw new StaleDecision('a key that was new has been stored by somebody else', { cause: error })
  }
  await updateRows(
    tx,
    rewritten,
    updated.map((each) => [each.id, 'live', ...cells(each), null]),
  )
  await writePresences(tx, inserted, updated, batch.page !== undefined)
  return written
}

function isKeyConflict(error: unknown): boolean {
  return error instanceof Error && 'constraint' in error && error.constraint === 'records_kind_id_key_key'
}

async function nextIds(tx: Queryable, count: number): Promise<bigint[]> {
  if (count === 0) return []
  const { rows } = await tx.query<{ ids: string[] }>(
    `SELECT array_agg(nextval('records_id_seq') ORDER BY n DESC) AS ids FROM generate_series(1, $1::int) n`,
    [count],
    { name: 'record_ids' },
  )
  return rows[0]?.ids.map(BigInt) ?? []
}

/** Within a scan the page says that a presence was confirmed; only a new or an ended one is written. */
async function writePresences(
  tx: Queryable,
  inserted: readonly WrittenRecord[],
  updated: readonly WrittenRecord[],
  scanning: boolean,
): Promise<void> {
  const rows = ({ id, write }: WrittenRecord) =>
    [...new Set(write.presences)].map((partition) => [id, partition, write.span.begin, write.span.end])
  await insertRows(tx, presences, inserted.flatMap(rows))
  const proven = updated.flatMap(rows)
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
