import type { Json, JsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import type { Queryable } from '../db.ts'
import { entityPartitions } from './entity-freshness.ts'
import type { ExplainedContribution, Insight } from './explanation.ts'

interface ContributionRow {
  record_id: string
  source: string
  kind: string
  key: string
  state: 'live' | 'gone'
  version: string | null
  locator: JsonObject
  mapping: string
  item: string
  mapping_id: number
  owning: boolean
  partitions: { name: string; state: string; reason: string | null; present: boolean; scan: Json; at: string | null }[]
  problems: Problem[]
}

/** What records say about the entity, owning ones first; a hundred at most. */
export async function contributionsOf(
  db: Queryable,
  entityId: string,
  insight: Insight,
): Promise<readonly ExplainedContribution[]> {
  const judged = await entityPartitions(db, entityId, insight.objectives, insight.now)
  const { rows } = await db.query<ContributionRow>(
    `SELECT c.record_id, o.name AS source, k.name AS kind, r.key, r.state, r.version, r.locator, c.mapping, c.item, r.mapping_id, c.owning,
       coalesce((SELECT jsonb_agg(jsonb_build_object('name', p.name, 'state', p.state, 'reason', p.reason, 'present', NOT x.ended,
           'scan', p.complete_scan::text, 'at', p.complete_at) ORDER BY p.name)
         FROM presences x JOIN partitions p ON p.id = x.partition_id WHERE x.record_id = r.id), '[]') AS partitions,
       coalesce((SELECT jsonb_agg(q.problem) FROM quarantine q WHERE q.record_id = r.id AND q.mapping = c.mapping), '[]') AS problems
     FROM contributions c JOIN records r ON r.id = c.record_id JOIN kinds k ON k.id = r.kind_id JOIN sources o ON o.id = k.source_id
     WHERE c.entity_id = $1::bigint ORDER BY c.owning DESC, o.precedence, r.key, c.mapping, c.item LIMIT 100`,
    [entityId],
    { name: 'explain_contributions' },
  )
  return rows.map((row) => ({
    source: row.source,
    kind: row.kind,
    key: row.key,
    recordState: row.state,
    version: row.version,
    locator: row.locator,
    mapping: row.mapping,
    item: row.item,
    mappingVersion: row.mapping_id,
    owning: row.owning,
    partitions: row.partitions.map((partition) => ({
      name: partition.name,
      state: partition.state,
      reason: partition.reason,
      present: partition.present,
      freshness: judged.get(`${row.source}/${row.kind}/${partition.name}`) ?? 'unknown',
      scan: typeof partition.scan === 'string' ? partition.scan : null,
      scannedAt: partition.at === null ? null : new Date(partition.at).toISOString(),
    })),
    problems: row.problems,
  }))
}
