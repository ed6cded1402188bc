import type { JsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import type { Queryable } from '../db.ts'
import { decodeCursor, encodeCursor, type List, page } from './cursor.ts'
import { type QuarantineRow, setAsideRows } from './set-aside.ts'
import { Parameters } from './sql.ts'

/**
 * A record of which a mapping could not say what it is: what it said before is kept. Or an object that is no record, since it
 * could not be read or kept: `item_refused`, with the partition that it was seen in.
 */
export interface QuarantineView {
  readonly source: string
  readonly kind: string
  readonly key: string
  readonly locator: JsonObject
  /** Of an object that was refused. */
  readonly partition: string | null
  /** '' where no mapping has seen it. */
  readonly mapping: string
  /** '' when the whole mapping failed on this record. */
  readonly item: string
  readonly problem: Problem
  readonly since: string
}

export async function listQuarantine(
  db: Queryable,
  filter: { readonly source?: string; readonly kind?: string; readonly limit: number; readonly cursor?: string },
): Promise<List<QuarantineView>> {
  const { limit, cursor, ...shape } = filter
  const parameters = new Parameters()
  const where = ['true']
  if (filter.source !== undefined) where.push(`q.source = ${parameters.add(filter.source)}`)
  if (filter.kind !== undefined) where.push(`q.kind = ${parameters.add(filter.kind)}`)
  if (cursor !== undefined) {
    const [record, mapping, item] = decodeCursor(shape, cursor, 3).map((value) => parameters.add(value))
    where.push(`(q.record_id, q.mapping, q.item) > (${record}::bigint, ${mapping}, ${item})`)
  }
  const { rows } = await db.query<QuarantineRow>(
    `SELECT * FROM (
       SELECT q.record_id, o.name AS source, k.name AS kind, NULL AS partition, r.key, r.locator, q.mapping, q.item, q.problem, q.since
       FROM quarantine q JOIN records r ON r.id = q.record_id JOIN kinds k ON k.id = r.kind_id JOIN sources o ON o.id = k.source_id
       UNION ALL ${setAsideRows}) q
     WHERE ${where.join(' AND ')} ORDER BY q.record_id, q.mapping, q.item LIMIT ${limit + 1}`,
    parameters.values,
  )
  return page(rows, limit, view, (last) => encodeCursor(shape, [last.record_id, last.mapping, last.item]))
}

function view({ record_id, since, ...row }: QuarantineRow): QuarantineView {
  const refused = record_id === '0' ? { mapping: '', item: '' } : {}
  return { ...row, ...refused, since: since.toISOString() }
}
