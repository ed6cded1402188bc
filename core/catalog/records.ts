import type { Batch, Confirmation, RecordRemap, RecordWrite, Removal } from './batch.ts'
import { array, type Cell } from './binary.ts'
import { insertBodies, replaceBodies } from './bodies.ts'
import type { Queryable } from './db.ts'
import { storable, storableJson } from './document.ts'
import { insertPresences, provePresences } from './presences.ts'
import { StaleDecision } from './refusals.ts'
import { insertRows, table, together, updateRows } from './rows.ts'
import { seenSql } from './seen.ts'

/** A record as it is under its lock. */
export interface LockedRecord {
  readonly id: bigint
  readonly key: string
  readonly state: 'live' | 'gone'
  readonly version: string | null
  readonly hash: string
  readonly end: bigint
}

export interface WrittenRecord<Write = RecordWrite> {
  readonly id: bigint
  readonly write: Write
  readonly isNew: boolean
}

/** What a record says from now on, whether it was observed or mapped again. */
export type SayingRecord = WrittenRecord<RecordWrite | RecordRemap>

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
  gone: 'jsonb',
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

/** Gives an id to what is not stored yet. */
export async function numberRecords(tx: Queryable, writes: readonly RecordWrite[]): Promise<readonly WrittenRecord[]> {
  const fresh = writes.filter(({ expected }) => expected === undefined)
  const ids = await nextIds(tx, fresh.length)
  return writes.map((write): WrittenRecord => {
    const id = write.expected?.id ?? ids.pop()
    if (id === undefined) throw new Error('the database gave fewer ids than it was asked for')
    return { id, write, isNew: write.expected === undefined }
  })
}

/** With their bodies and presences. Throws StaleDecision when a key that was not stored now is. */
export async function insertRecords(tx: Queryable, batch: Batch, inserted: readonly WrittenRecord[]): Promise<void> {
  const rows = inserted.map((each) => [
    each.id,
    batch.kindId,
    storable(each.write.key),
    'live',
    ...contentCells(batch, each),
  ])
  const stored = insertRows(tx, records, rows).catch((error: unknown) => {
    if (!isKeyConflict(error)) throw error
    throw new StaleDecision('a key that was new has been stored by somebody else', { cause: error })
  })
  await together(
    () => stored,
    () => insertBodies(tx, inserted),
    () => insertPresences(tx, inserted),
  )
}

/** Of records that are stored, with the presences that they revive or confirm. */
export async function updateRecords(tx: Queryable, batch: Batch, updated: readonly WrittenRecord[]): Promise<void> {
  await updateRows(
    tx,
    rewritten,
    updated.map((each) => [each.id, 'live', ...contentCells(batch, each), null]),
  )
  await replaceBodies(tx, updated)
  await provePresences(tx, updated, batch.page !== undefined)
}

function contentCells({ mappingId }: Batch, { write }: WrittenRecord): Cell[] {
  return [
    write.version === undefined ? null : storable(write.version),
    write.hash,
    write.span.begin,
    write.span.end,
    mappingId,
    storableJson(write.locator),
  ]
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
