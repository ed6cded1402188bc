import { isQuery, parseReference, reference, type SearchQuery, TEAM } from '../../model/entity.ts'
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
  /** Relations lead to it, and nothing owns it. Absent: it is none. */
  readonly stub?: true
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
  e.revision, e.anchor, e.created_at, e.updated_at`

/** Entities that people see. A hidden stub is only a name that something was written about. */
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
  /** The record that it hangs on; null: a stub. */
  readonly anchor: string | null
  readonly created_at: Date
  readonly updated_at: Date
}

/** By relation. Of one by search query: what it found, one or many as the blueprint has it; null: none, or not one. */
export type Targets = ReadonlyMap<string, readonly string[] | string | null>

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
     WHERE r.entity_id = ANY($1::bigint[]) AND r.search IS NULL
     GROUP BY r.entity_id, r.relation`,
    [entityIds],
    { name: 'relation_targets' },
  )
  const found = new Map<string, Map<string, readonly string[] | string | null>>()
  for (const row of rows) {
    const targets = found.get(row.entity_id) ?? new Map<string, readonly string[] | string | null>()
    found.set(row.entity_id, targets.set(row.relation, row.targets))
  }
  for (const row of await searchTargets(db, entityIds)) {
    const targets = found.get(row.entity_id) ?? new Map<string, readonly string[] | string | null>()
    const one = row.targets.length === 1 ? (row.targets[0] ?? null) : null
    found.set(row.entity_id, targets.set(row.relation, row.single ? one : row.targets))
  }
  return found
}

async function searchTargets(
  db: Queryable,
  entityIds: readonly string[],
): Promise<readonly { entity_id: string; relation: string; single: boolean; targets: readonly string[] }[]> {
  const { rows } = await db.query<{ entity_id: string; relation: string; single: boolean; targets: string[] }>(
    `SELECT r.entity_id, r.relation, r.position = -1 AS single, ARRAY(
       SELECT t.blueprint || ':' || t.identifier FROM unnest(s.found) WITH ORDINALITY f (id, place)
       JOIN entities t ON t.id = f.id AND t.deleted IS NULL AND NOT t.stub ORDER BY f.place) AS targets
     FROM refs r JOIN searches s ON s.id = r.search WHERE r.entity_id = ANY($1::bigint[])`,
    [entityIds],
  )
  return rows
}

export function entityView(row: EntityRow, targets: Targets | undefined): EntityView {
  const relations = Object.entries(row.relations).flatMap(([name, said]) => {
    const resolved = targets?.get(name)
    if (name === TEAM) return []
    // Before it was first answered, and of what was: the query itself.
    if (isQuery(said)) return [[name, resolved === undefined ? said : resolved] as const]
    const list = Array.isArray(resolved) ? resolved : []
    if (Array.isArray(said)) return [[name, list] as const]
    return [[name, typeof said === 'string' ? (list[0] ?? null) : said] as const]
  })
  const teams = targets?.get(TEAM)
  const found = Array.isArray(teams) ? teams.flatMap((team: string) => parseReference(team)?.identifier ?? []) : []
  return {
    id: row.id,
    reference: reference(row.blueprint, row.identifier),
    blueprint: row.blueprint,
    identifier: row.identifier,
    title: row.title,
    ...(row.anchor === null ? { stub: true } : {}),
    team: found.length === 0 ? row.team : [...new Set([...row.team, ...found])],
    properties: row.properties,
    relations: Object.fromEntries(relations),
    failed: row.failed ?? [],
    revision: Number(row.revision),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  }
}
