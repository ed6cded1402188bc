import type { JsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import type { Queryable } from '../db.ts'
import { mostSetAside } from '../set-aside.ts'

/** An object that no record holds, because it could not be read or kept. */
export interface SetAside {
  readonly source: string
  readonly kind: string
  readonly partition: string
  readonly key: string
  readonly message: string
}

/** How many are set aside of the kind `k`: where more are than are kept of a partition, its last scan has counted them. */
export const setAsideCount = `(
  SELECT coalesce(sum(CASE WHEN a.kept < ${mostSetAside} THEN a.kept ELSE greatest(a.kept, (
    SELECT s.failed FROM scans s WHERE s.partition_id = a.partition_id AND s.ended_at IS NOT NULL ORDER BY s.id DESC LIMIT 1)) END), 0)
  FROM (SELECT n.partition_id, count(*) AS kept FROM set_aside n JOIN partitions t ON t.id = n.partition_id
    WHERE t.kind_id = k.id GROUP BY n.partition_id) a)`

const select = `SELECT o.name AS source, k.name AS kind, p.name AS partition, a.key, a.problem ->> 'message' AS message
  FROM set_aside a JOIN partitions p ON p.id = a.partition_id JOIN kinds k ON k.id = p.kind_id JOIN sources o ON o.id = k.source_id`

/** Those that go by this name, by their key or by what could be read of their locator; see `recordsNamed`. */
export async function setAsideNamed(db: Queryable, name: string): Promise<readonly SetAside[]> {
  const parts = name.split(/[/:]/u).filter((part) => part !== '')
  const { rows } = await db.query<SetAside>(
    `${select} CROSS JOIN LATERAL (SELECT array_agg(v.value) AS texts FROM jsonb_each_text(a.locator) v) l
     WHERE a.key = $1 OR $1 = ANY(l.texts) OR (cardinality($2::text[]) > 0 AND l.texts @> $2::text[])
     ORDER BY 1, 2, 3, 4 LIMIT 10`,
    [name, parts],
  )
  return rows
}

export async function setAsideByKey(
  db: Queryable,
  ids: readonly { readonly source: string; readonly kind: string; readonly key: string }[],
): Promise<readonly SetAside[]> {
  if (ids.length === 0) return []
  const { rows } = await db.query<SetAside>(
    `${select} JOIN unnest($1::text[], $2::text[], $3::text[]) u (source, kind, key)
       ON o.name = u.source AND k.name = u.kind AND a.key = u.key ORDER BY 1, 2, 3, 4 LIMIT 10`,
    [ids.map(({ source }) => source), ids.map(({ kind }) => kind), ids.map(({ key }) => key)],
  )
  return rows
}

/** As they stand in the list of what is quarantined, before the records: their place is that of no record. */
export const setAsideRows = `
  SELECT 0::bigint AS record_id, o.name AS source, k.name AS kind, p.name AS partition, a.key, a.locator,
    lpad(a.partition_id::text, 10, '0') COLLATE "C" AS mapping, encode(a.digest, 'hex') COLLATE "C" AS item, a.problem, a.since
  FROM set_aside a JOIN partitions p ON p.id = a.partition_id JOIN kinds k ON k.id = p.kind_id JOIN sources o ON o.id = k.source_id`

/** What can be said of one where a record was looked for. */
export function refusedSummary({ source, kind, key, partition, message }: SetAside): string {
  const name = key === '' ? `A ${kind} of ${source}` : `The ${kind} ${key} of ${source}`
  return `${name} is there (${partition}), but it could not be read or kept: ${message.replace(/\.$/, '')}.`
}

export type QuarantineRow = {
  readonly record_id: string
  readonly source: string
  readonly kind: string
  readonly partition: string | null
  readonly key: string
  readonly locator: JsonObject
  readonly mapping: string
  readonly item: string
  readonly problem: Problem
  readonly since: Date
}
