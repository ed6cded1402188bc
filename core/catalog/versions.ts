import type { Json } from '../model/json.ts'
import { CatchmentError } from '../sdk/index.ts'
import type { Queryable } from './db.ts'
import type { Activation } from './plan-books.ts'

/** One version of a source's mapping and blueprints. Ids grow over all sources, so that the change feed can name one. */
export interface VersionRow {
  readonly id: number
  readonly source: string
  readonly hash: string
  readonly content: Json
  readonly active: boolean
  /** Each time that it became the active one, newest first. */
  readonly activations: readonly {
    readonly at: string
    readonly who: string
    readonly how: Activation['how']
    readonly plan: string | null
  }[]
}

const select = `SELECT m.id, s.name AS source, m.hash, m.content, s.mapping_id IS NOT DISTINCT FROM m.id AS active,
    (SELECT coalesce(json_agg(json_build_object('at', to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       'who', a.who, 'how', a.how, 'plan', a.plan_id::text) ORDER BY a.id DESC), '[]')
     FROM activations a WHERE a.mapping_id = m.id) AS activations
  FROM mappings m JOIN sources s ON s.id = m.source_id`

/** Newest first. */
export async function listVersions(
  db: Queryable,
  filter: { readonly source?: string; readonly before?: string; readonly limit: number },
): Promise<readonly VersionRow[]> {
  const { rows } = await db.query<VersionRow>(
    `${select} WHERE ($1::text IS NULL OR s.name = $1) AND ($2::bigint IS NULL OR m.id < $2) ORDER BY m.id DESC LIMIT $3`,
    [filter.source ?? null, filter.before ?? null, filter.limit],
  )
  return rows
}

/** Throws `version_unknown`. */
export async function getVersion(db: Queryable, id: string): Promise<VersionRow> {
  const { rows } = await db.query<VersionRow>(`${select} WHERE m.id = $1::bigint`, [id])
  const [row] = rows
  if (row !== undefined) return row
  throw new CatchmentError(`There is no mapping version ${id}.`, {
    code: 'version_unknown',
    status: 404,
    exitCode: 2,
    hint: 'List them with: catchment mapping versions',
  })
}

export interface ActiveVersion {
  readonly source: string
  readonly sourceId: number
  readonly id: number
  readonly hash: string
  readonly content: Json
  readonly at: Date | null
  readonly who: string | null
  readonly how: Activation['how'] | null
}

/** Of each source that has one. */
export async function activeVersions(db: Queryable, source?: string): Promise<readonly ActiveVersion[]> {
  const { rows } = await db.query<ActiveVersion>(
    `SELECT s.name AS source, s.id AS "sourceId", m.id, m.hash, m.content, a.at, a.who, a.how
     FROM sources s JOIN mappings m ON m.id = s.mapping_id
     LEFT JOIN LATERAL (SELECT * FROM activations a WHERE a.source_id = s.id AND a.mapping_id = m.id ORDER BY a.id DESC LIMIT 1) a ON true
     WHERE $1::text IS NULL OR s.name = $1 ORDER BY s.name`,
    [source ?? null],
  )
  return rows
}

/** The version that was active before the one that is now; undefined: there was none. */
export async function formerVersion(db: Queryable, sourceId: number, activeId: number): Promise<number | undefined> {
  const { rows } = await db.query<{ mapping_id: number }>(
    'SELECT mapping_id FROM activations WHERE source_id = $1 AND mapping_id <> $2 ORDER BY id DESC LIMIT 1',
    [sourceId, activeId],
  )
  return rows[0]?.mapping_id
}
