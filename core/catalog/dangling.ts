import type { Queryable } from './db.ts'

/** A relation that must lead somewhere. */
export interface Requirement {
  readonly blueprint: string
  readonly relation: string
  readonly target: string
}

export interface Scope {
  readonly entities?: readonly string[]
  /** Everything that is required to lead to one of these names. */
  readonly targets?: readonly bigint[]
  /** Everything that asks for one of these searches. */
  readonly searches?: readonly string[]
  /** Everything of a blueprint that requires something, and everything that is noted. */
  readonly blueprints?: boolean
}

/**
 * Notes anew which relations lead nowhere although they must: required ones, and searches for one entity that found none
 * or several.
 */
export async function danglingAgain(tx: Queryable, required: readonly Requirement[], scope: Scope): Promise<void> {
  const { entities = [], targets = [], searches = [], blueprints = false } = scope
  if (required.length === 0 && searches.length === 0 && entities.length === 0 && !blueprints) return
  await tx.query(
    `WITH needed AS MATERIALIZED (SELECT * FROM unnest($1::text[], $2::text[]) n (blueprint, relation)),
     those AS MATERIALIZED (
       SELECT unnest($3::bigint[]) AS id
       UNION SELECT r.entity_id FROM refs r WHERE r.target = ANY ($4::bigint[]) AND r.search IS NULL
       UNION SELECT r.entity_id FROM refs r WHERE r.search = ANY ($5::bigint[])
       UNION SELECT e.id FROM entities e WHERE $6 AND e.blueprint IN (SELECT blueprint FROM needed) AND e.deleted IS NULL
       UNION SELECT d.entity_id FROM dangling d WHERE $6),
     said AS (
       SELECT e.id, r.relation, r.position, s.id IS NOT NULL AS searched, cardinality(s.found) AS found, s.problem,
         s.id IS NOT NULL OR EXISTS (SELECT FROM entities n WHERE n.blueprint = r.blueprint AND n.identifier = r.identifier
           AND n.deleted IS NULL AND NOT n.stub)
         OR EXISTS (SELECT FROM aliases a JOIN entities n ON n.id = a.entity_id WHERE a.blueprint = r.blueprint
           AND a.identifier = r.identifier AND n.deleted IS NULL AND NOT n.stub) AS there
       FROM those JOIN entities e ON e.id = those.id AND e.deleted IS NULL AND NOT e.stub
       JOIN refs r ON r.entity_id = e.id
       LEFT JOIN searches s ON s.id = r.search AND NOT s.due
       WHERE r.search IS NULL OR s.id IS NOT NULL),
     wrong AS (
       SELECT s.id, s.relation, n.relation IS NOT NULL AS required, CASE
         WHEN bool_or(s.problem IS NOT NULL) THEN 'refused'
         WHEN bool_or(s.found = 0 AND (s.position = -1 OR n.relation IS NOT NULL OR s.relation = '$team')) THEN 'none'
         WHEN bool_or(s.found > 1 AND s.position = -1) THEN 'many'
         WHEN n.relation IS NOT NULL AND NOT bool_and(s.there) THEN 'missing' END AS problem
       FROM said s JOIN entities e ON e.id = s.id
       LEFT JOIN needed n ON n.blueprint = e.blueprint AND n.relation = s.relation GROUP BY s.id, s.relation, n.relation
       UNION ALL
       SELECT e.id, n.relation, true, 'empty' FROM those JOIN entities e ON e.id = those.id AND e.deleted IS NULL AND NOT e.stub
       JOIN needed n ON n.blueprint = e.blueprint
       WHERE NOT EXISTS (SELECT FROM refs r WHERE r.entity_id = e.id AND r.relation = n.relation)),
     kept AS (
       INSERT INTO dangling (entity_id, relation, required, problem) SELECT id, relation, required, problem FROM wrong WHERE problem IS NOT NULL
       ON CONFLICT (entity_id, relation) DO UPDATE SET required = excluded.required, problem = excluded.problem
         WHERE (dangling.required, dangling.problem) <> (excluded.required, excluded.problem))
     DELETE FROM dangling d USING those WHERE d.entity_id = those.id
       AND NOT EXISTS (SELECT FROM wrong w WHERE w.id = d.entity_id AND w.relation = d.relation AND w.problem IS NOT NULL)`,
    [
      required.map(({ blueprint }) => blueprint),
      required.map(({ relation }) => relation),
      entities,
      targets.map(String),
      searches,
      blueprints,
    ],
  )
}
