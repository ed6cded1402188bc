import type { Queryable } from '../db.ts'

export const directions = ['out', 'in', 'both'] as const
export type Direction = (typeof directions)[number]

/** One relation that leads to it, from an entity that is nearer to the one asked about. */
export interface Step {
  readonly relation: string
  /** `out`: `from` points at it; `in`: it points at `from`. */
  readonly direction: 'out' | 'in'
  readonly from: string
}

export interface RelatedView {
  readonly reference: string
  readonly title: string | null
  /** How many relations lie between. */
  readonly depth: number
  readonly by: readonly Step[]
}

interface Edge {
  readonly from: string
  readonly to: string
  readonly relation: string
  readonly direction: 'out' | 'in'
}

/**
 * What is related to an entity, breadth first, each once at its least depth. Both directions are found by index. `limit`:
 * entities at most; `truncated`: there are more.
 */
export async function relatedEntities(
  db: Queryable,
  entityId: string,
  { depth, direction, limit }: { readonly depth: number; readonly direction: Direction; readonly limit: number },
): Promise<{ readonly items: readonly RelatedView[]; readonly truncated?: true }> {
  const reached = new Map<string, { depth: number; edges: Edge[] }>([[entityId, { depth: 0, edges: [] }]])
  let border: readonly string[] = [entityId]
  let truncated = false
  for (let level = 1; level <= depth && border.length > 0; level++) {
    const next: string[] = []
    for (const edge of await edgesOf(db, border, direction, limit)) {
      const known = reached.get(edge.to)
      if (known !== undefined) {
        if (known.depth === level) known.edges.push(edge)
      } else if (reached.size > limit) truncated = true
      else {
        reached.set(edge.to, { depth: level, edges: [edge] })
        next.push(edge.to)
      }
    }
    border = next
  }
  const names = await namesOf(db, [...reached.keys()])
  const items = [...reached].flatMap(([id, found]): RelatedView[] => {
    const name = names.get(id)
    if (name === undefined || found.depth === 0) return []
    const by = found.edges.map(({ relation, direction: way, from }) => ({
      relation,
      direction: way,
      from: names.get(from)?.reference ?? '',
    }))
    return [{ ...name, depth: found.depth, by }]
  })
  const ordered = items.toSorted((a, b) => a.depth - b.depth || (a.reference < b.reference ? -1 : 1))
  return truncated ? { items: ordered, truncated } : { items: ordered }
}

const live = 'deleted IS NULL AND NOT stub'

const outward = `
  SELECT r.entity_id AS "from", coalesce(n.id, t.id) AS "to", r.relation, 'out' AS direction FROM refs r
  LEFT JOIN entities n ON n.blueprint = r.blueprint AND n.identifier = r.identifier AND n.deleted IS NULL AND NOT n.stub
  LEFT JOIN aliases a ON n.id IS NULL AND a.blueprint = r.blueprint AND a.identifier = r.identifier
  LEFT JOIN entities t ON t.id = a.entity_id AND t.deleted IS NULL AND NOT t.stub
  WHERE r.entity_id = ANY ($1::bigint[]) AND r.search IS NULL AND coalesce(n.id, t.id) IS NOT NULL
  UNION ALL
  SELECT r.entity_id, f.id, r.relation, 'out' FROM refs r
  JOIN searches s ON s.id = r.search AND (r.position = 0 OR cardinality(s.found) = 1)
  CROSS JOIN LATERAL unnest(s.found) f (id) WHERE r.entity_id = ANY ($1::bigint[])`

const inward = `
  SELECT n.id AS "from", r.entity_id AS "to", r.relation, 'in' AS direction FROM (
    SELECT id, blueprint, identifier FROM entities WHERE id = ANY ($1::bigint[])
    UNION ALL SELECT entity_id, blueprint, identifier FROM aliases WHERE entity_id = ANY ($1::bigint[])) n
  JOIN refs r ON r.target = ref_target(n.blueprint, n.identifier) AND r.blueprint = n.blueprint AND r.identifier = n.identifier
    AND r.search IS NULL
  UNION ALL
  SELECT f.id, r.entity_id, r.relation, 'in' FROM searches s
  JOIN refs r ON r.search = s.id AND (r.position = 0 OR cardinality(s.found) = 1)
  CROSS JOIN LATERAL unnest(s.found) f (id) WHERE s.found && $1::bigint[] AND f.id = ANY ($1::bigint[])`

async function edgesOf(
  db: Queryable,
  ids: readonly string[],
  direction: Direction,
  limit: number,
): Promise<readonly Edge[]> {
  const parts = [...(direction === 'in' ? [] : [outward]), ...(direction === 'out' ? [] : [inward])]
  const { rows } = await db.query<Edge>(
    `SELECT DISTINCT "from", "to", relation, direction FROM (${parts.join(' UNION ALL ')}) each
     WHERE EXISTS (SELECT FROM entities e WHERE e.id = each."to" AND ${live})
     ORDER BY "to", relation, direction, "from" LIMIT ${limit * 4 + 1}`,
    [ids],
  )
  return rows
}

async function namesOf(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, { readonly reference: string; readonly title: string | null }>> {
  const { rows } = await db.query<{ id: string; reference: string; title: string | null }>(
    `SELECT id, blueprint || ':' || identifier AS reference, title FROM entities WHERE id = ANY ($1::bigint[]) AND ${live}`,
    [ids],
  )
  return new Map(rows.map(({ id, reference, title }) => [id, { reference, title }]))
}

/** By its current name or a former one. */
export async function entityIdOf(
  db: Queryable,
  blueprint: string,
  identifier: string,
): Promise<{ readonly id: string; readonly reference: string } | undefined> {
  const { rows } = await db.query<{ id: string; reference: string }>(
    `SELECT id, blueprint || ':' || identifier AS reference FROM entities WHERE blueprint = $1 AND identifier = $2 AND ${live}
     UNION ALL SELECT e.id, e.blueprint || ':' || e.identifier FROM aliases a JOIN entities e ON e.id = a.entity_id
     WHERE a.blueprint = $1 AND a.identifier = $2 AND e.deleted IS NULL AND NOT e.stub LIMIT 1`,
    [blueprint, identifier],
  )
  return rows[0]
}
