import type { Json, JsonObject } from '../../model/json.ts'
import { decodeBody } from '../bodies.ts'
import type { Queryable } from '../db.ts'
import { decodeCursor, encodeCursor, type List, page } from './cursor.ts'
import { Parameters } from './sql.ts'

export interface RecordView {
  readonly id: string
  readonly source: string
  readonly kind: string
  readonly key: string
  readonly state: 'live' | 'gone'
  readonly version: string | null
  readonly locator: JsonObject
  readonly mappingVersion: number
  /** Why it is gone, by what, when. */
  readonly gone: Json
}

export interface RecordDetail extends RecordView {
  /** The canonical body, as mappings see it. */
  readonly body: Json
  readonly partitions: readonly { readonly name: string; readonly state: string; readonly present: boolean }[]
  readonly contributions: readonly {
    readonly mapping: string
    readonly item: string
    readonly owning: boolean
    readonly reference: string
  }[]
}

interface Row {
  id: string
  source: string
  kind: string
  key: string
  state: 'live' | 'gone'
  version: string | null
  locator: JsonObject
  mapping_id: number
  gone: Json
}

const columns = 'r.id, o.name AS source, k.name AS kind, r.key, r.state, r.version, r.locator, r.mapping_id, r.gone'
const tables = 'records r JOIN kinds k ON k.id = r.kind_id JOIN sources o ON o.id = k.source_id'

export interface RecordFilter {
  readonly source?: string
  readonly kind?: string
  readonly state?: 'live' | 'gone'
  readonly limit: number
  readonly cursor?: string
}

/** In the order they were first seen; without bodies. */
export async function listRecords(db: Queryable, filter: RecordFilter): Promise<List<RecordView>> {
  const { limit, cursor, ...shape } = filter
  const parameters = new Parameters()
  const where = ['true']
  if (filter.source !== undefined) where.push(`o.name = ${parameters.add(filter.source)}`)
  if (filter.kind !== undefined) where.push(`k.name = ${parameters.add(filter.kind)}`)
  if (filter.state !== undefined) where.push(`r.state = ${parameters.add(filter.state)}`)
  if (cursor !== undefined) where.push(`r.id > ${parameters.add(decodeCursor(shape, cursor, 1)[0])}::bigint`)
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM ${tables} WHERE ${where.join(' AND ')} ORDER BY r.id LIMIT ${limit + 1}`,
    parameters.values,
  )
  return page(rows, limit, view, (last) => encodeCursor(shape, [last.id]))
}

function view(row: Row): RecordView {
  const { id, source, kind, key, state, version, locator, gone } = row
  return { id, source, kind, key, state, version, locator, mappingVersion: row.mapping_id, gone }
}

export async function getRecord(
  db: Queryable,
  source: string,
  kind: string,
  key: string,
): Promise<RecordDetail | undefined> {
  const { rows } = await db.query<Row & { body: Buffer | null }>(
    `SELECT ${columns}, b.body FROM ${tables} LEFT JOIN bodies b ON b.record_id = r.id WHERE o.name = $1 AND k.name = $2 AND r.key = $3`,
    [source, kind, key],
  )
  const row = rows[0]
  if (row === undefined) return undefined
  // A record was stored as the text of a JSON value; null: only its hash is kept.
  const body = JSON.parse(row.body === null ? 'null' : decodeBody(row.body)) as Json
  return {
    ...view(row),
    body,
    partitions: await partitionsOf(db, row.id),
    contributions: await contributionsOf(db, row.id),
  }
}

async function partitionsOf(db: Queryable, recordId: string): Promise<RecordDetail['partitions']> {
  const { rows } = await db.query<{ name: string; state: string; present: boolean }>(
    `SELECT p.name, p.state, NOT x.ended AS present FROM presences x JOIN partitions p ON p.id = x.partition_id
     WHERE x.record_id = $1::bigint ORDER BY p.name`,
    [recordId],
  )
  return rows
}

async function contributionsOf(db: Queryable, recordId: string): Promise<RecordDetail['contributions']> {
  const { rows } = await db.query<RecordDetail['contributions'][number]>(
    `SELECT c.mapping, c.item, c.owning, e.blueprint || ':' || e.identifier AS reference
     FROM contributions c JOIN entities e ON e.id = c.entity_id WHERE c.record_id = $1::bigint ORDER BY c.mapping, c.item`,
    [recordId],
  )
  return rows
}
