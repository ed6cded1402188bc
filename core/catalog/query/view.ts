import type { SearchQuery } from '../../model/entity.ts'
import { reference } from '../../model/entity.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import type { Queryable } from '../db.ts'

/** An entity as people get it. Relations are references under their current names. */
export interface EntityView {
  /** Of the database, for further questions; not part of any answer. */
  readonly id: string
  readonly reference: string
  readonly blueprint: string
  readonly identifier: string
  readonly title: string | null
  readonly team: readonly string[]
  readonly properties: JsonObject
  readonly relations: Readonly<Record<string, string | readonly string[] | SearchQuery | null>>
  /** Fields that keep a last good value because their expression failed. */
  readonly failed: readonly Problem[]
  readonly revision: number
  readonly createdAt: string
  readonly updatedAt: string
}

/** Columns that `entityView` reads, of `entities e`. */
export const entityColumns = `e.id, e.blueprint, e.identifier, e.title, e.team, e.properties, e.relations, e.failed,
  e.revision, e.created_at, e.updated_at`

/** Entities that people see: a stub is only a name that something points at. */
export const visible = 'e.deleted IS NULL AND NOT e.stub'

export interface EntityRow {
  readonly id: string
  readonly blueprint: string
  readonly identifier: string
  readonly title: string | null
  readonly team: readonly string[]
  readonly properties: JsonObject
  readonly relations: Readonly<Record<string, string | readonly string[] | SearchQuery | null>>
  readonly failed: readonly Problem[] | null
  readonly revision: string
  readonly created_at: Date
  readonly updated_at: Date
}

export type Targets = ReadonlyMap<string, readonly string[]>

/** What the relations of some entities point at, by `entity id` and relation; a renamed target under its current name. */
export async function relationTargets(
  db: Queryable,
  entityIds: readonly string[],
): Promise<ReadonlyMap<string, Targets>> {
  const { rows } = await db.query<{ entity_id: string; relation: string; targets: string[] }>(
    `SELECT r.entity_id, r.relation,
       array_agg(coalesce(t.blueprint || ':' || t.identifier, r.blueprint || ':' || r.identifier) ORDER BY r.position) AS targets
     FROM refs r
     LEFT JOIN aliases a ON a.blueprint = r.blueprint AND a.identifier = r.identifier
     LEFT JOIN entities t ON t.id = a.entity_id AND t.deleted IS NULL
     WHERE r.entity_id = ANY($1::bigint[])
     GROUP BY r.entity_id, r.relation`,
    [entityIds],
  )
  const found = new Map<string, Map<string, readonly string[]>>()
  for (const row of rows) {
    const targets = found.get(row.entity_id) ?? new Map<string, readonly string[]>()
    found.set(row.entity_id, targets.set(row.relation, row.targets))
  }
  return found
}

export function entityView(row: EntityRow, targets: Targets | undefined): EntityView {
  const relations = Object.entries(row.relations).map(([name, said]) => {
    const resolved = targets?.get(name) ?? []
    if (Array.isArray(said)) return [name, resolved] as const
    return [name, typeof said === 'string' ? (resolved[0] ?? null) : said] as const
  })
  return {
    id: row.id,
    reference: reference(row.blueprint, row.identifier),
    blueprint: row.blueprint,
    identifier: row.identifier,
    title: row.title,
    team: row.team,
    properties: row.properties,
    relations: Object.fromEntries(relations),
    failed: row.failed ?? [],
    revision: Number(row.revision),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  }
}
