import type { JsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import type { Queryable } from '../db.ts'
import { decodeCursor, encodeCursor, type List, page } from './cursor.ts'
import { Parameters } from './sql.ts'

/** A record of which a mapping could not say what it is: what it said before is kept. */
export interface QuarantineView {
  readonly source: string
  readonly kind: string
  readonly key: string
  readonly locator: JsonObject
  readonly mapping: string
  /** '' when the whole mapping failed on this record. */
  readonly item: string
  readonly problem: Problem
  readonly since: string
}

interface Row {
  record_id: string
  source: string
  kind: string
  key: string
  locator: JsonObject
  mapping: string
  item: string
  problem: Problem
  since: Date
}

export async function listQuarantine(
  db: Queryable,
  filter: { readonly source?: string; readonly kind?: string; readonly limit: number; readonly cursor?: string },
): Promise<List<QuarantineView>> {
  const { limit, cursor, ...shape } = filter
  const parameters = new Parameters()
  const where = ['true']
  if (filter.source !== undefined) where.push(`o.name = ${parameters.add(filter.source)}`)
  if (filter.kind !== undefined) where.push(`k.name = ${parameters.add(filter.kind)}`)
  if (cursor !== undefined) {
    const [record, mapping, item] = decodeCursor(shape, cursor, 3).map((value) => parameters.add(value))
    where.push(`(q.record_id, q.mapping, q.item) > (${record}::bigint, ${mapping}, ${item})`)
  }
  const { rows } = await db.query<Row>(
    `SELECT q.record_id, o.name AS source, k.name AS kind, r.key, r.locator, q.mapping, q.item, q.problem, q.since
     FROM quarantine q JOIN records r ON r.id = q.record_id JOIN kinds k ON k.id = r.kind_id JOIN sources o ON o.id = k.source_id
     WHERE ${where.join(' AND ')} ORDER BY q.record_id, q.mapping, q.item LIMIT ${limit + 1}`,
    parameters.values,
  )
  return page(rows, limit, view, (last) => encodeCursor(shape, [last.record_id, last.mapping, last.item]))
}

function view(row: Row): QuarantineView {
  const { source, kind, key, locator, mapping, item, problem } = row
  return { source, kind, key, locator, mapping, item, problem, since: row.since.toISOString() }
}
