import type { Queryable } from '../db.ts'
import { byRank } from '../merge.ts'

/** One of several records that claim a name that only one may have. */
export interface Claim {
  readonly source: string
  readonly kind: string
  readonly key: string
  /** It is the one that the entity says; the others are not heard. */
  readonly wins: boolean
}

export interface ConflictView {
  readonly reference: string
  readonly claims: readonly Claim[]
}

interface Row {
  readonly reference: string
  readonly source: string
  readonly kind: string
  readonly key: string
  readonly version: string | null
  readonly precedence: number
  readonly mapping: string
  readonly item: string
}

/** Conflicts shown at most. */
const most = 1000

/** Entities of blueprints with `identity: conflict` that several records claim. `entityId`: only of that one. */
export async function listConflicts(db: Queryable, entityId?: string): Promise<readonly ConflictView[]> {
  const { rows } = await db.query<Row>(
    `WITH contested AS (
       SELECT e.id FROM entities e JOIN contributions c ON c.entity_id = e.id AND c.owning
       WHERE e.blueprint = ANY (ARRAY(SELECT identifier FROM blueprints WHERE document ->> 'identity' = 'conflict'))
         AND e.deleted IS NULL AND NOT e.stub AND ($1::bigint IS NULL OR e.id = $1)
       GROUP BY e.id HAVING count(DISTINCT c.record_id) > 1 ORDER BY e.id LIMIT ${most})
     SELECT e.blueprint || ':' || e.identifier AS reference, s.name AS source, k.name AS kind, r.key, r.version, s.precedence,
       c.mapping, c.item
     FROM contested JOIN entities e ON e.id = contested.id JOIN contributions c ON c.entity_id = e.id AND c.owning
     JOIN records r ON r.id = c.record_id JOIN kinds k ON k.id = r.kind_id JOIN sources s ON s.id = k.source_id
     ORDER BY 1`,
    [entityId ?? null],
  )
  return [...Map.groupBy(rows, ({ reference }) => reference)].map(([reference, claims]) => {
    const ranked = claims.map((rank) => ({ rank, document: nothing })).toSorted(byRank)
    const records = new Map(
      ranked.map(({ rank: { source, kind, key } }) => [`${source} ${kind} ${key}`, { source, kind, key }]),
    )
    return { reference, claims: [...records.values()].map((claim, index) => ({ ...claim, wins: index === 0 })) }
  })
}

const nothing = { title: null, team: [], properties: {}, relations: {}, failed: [] }
