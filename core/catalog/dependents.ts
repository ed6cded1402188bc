import type { Mute } from './batch.ts'
import type { Db, Queryable } from './db.ts'
import { PIN } from './pins.ts'
import type { Store } from './store.ts'

export interface Dependent extends Mute {
  readonly kindId: number
  /** Of an open hold on it. */
  readonly hold: 'pending' | 'approved' | 'rejected' | undefined
}

export function depending(db: Db): Pick<Store, 'dependents' | 'returning' | 'dependentHolds'> {
  return {
    dependents: (source) => dependents(db, source),
    returning: (source, all) => returning(db, source, all),
    dependentHolds: (source) => dependentHolds(db, source),
  }
}

interface Row {
  readonly record: string
  readonly kind: number
  readonly mapping: string
  readonly item: string
  readonly entity: string
  readonly relation: string
  readonly blueprint: string
  readonly identifier: string
  readonly hold: Dependent['hold'] | null
}

/** Looked at together. */
export const mostDependents = 5000

const there = (name: string): string => `(EXISTS (SELECT FROM entities n WHERE n.blueprint = ${name}.blueprint
    AND n.identifier = ${name}.identifier AND n.deleted IS NULL AND NOT n.stub)
  OR EXISTS (SELECT FROM aliases a JOIN entities n ON n.id = a.entity_id WHERE a.blueprint = ${name}.blueprint
    AND a.identifier = ${name}.identifier AND n.deleted IS NULL AND NOT n.stub))`
const was = (name: string): string => `(EXISTS (SELECT FROM entities n WHERE n.blueprint = ${name}.blueprint
    AND n.identifier = ${name}.identifier AND n.deleted IS NOT NULL AND n.anchor IS NOT NULL)
  OR EXISTS (SELECT FROM aliases a JOIN entities n ON n.id = a.entity_id WHERE a.blueprint = ${name}.blueprint
    AND a.identifier = ${name}.identifier AND n.deleted IS NOT NULL))`

/**
 * Contributions of the source that say of an entity that it must lead to something, where all that it leads to was there
 * and was deleted. What was never seen is no reason.
 */
async function dependents(db: Queryable, sourceId: number): Promise<readonly Dependent[]> {
  const { rows } = await db.query<Row>(
    `SELECT DISTINCT ON (c.record_id, c.mapping, c.item) c.record_id AS record, k.id AS kind, c.mapping, c.item, e.id AS entity,
       r.relation, r.blueprint, r.identifier, h.state AS hold
     FROM dangling d JOIN entities e ON e.id = d.entity_id AND e.deleted IS NULL AND NOT e.stub
     JOIN refs r ON r.entity_id = e.id AND r.relation = d.relation AND r.search IS NULL
     JOIN contributions c ON c.entity_id = e.id AND c.owning AND c.mapping <> '${PIN}'
     JOIN records o ON o.id = c.record_id JOIN kinds k ON k.id = o.kind_id AND k.source_id = $1
     LEFT JOIN held h ON h.record_id = c.record_id AND h.what = 'dependent ' || c.mapping || '/' || c.item
       AND h.state IN ('pending', 'approved', 'rejected')
     WHERE d.required AND d.problem = 'missing'
       AND (coalesce(c.draft -> 'relations', e.relations) -> r.relation) @> to_jsonb(r.identifier)
       AND NOT EXISTS (SELECT FROM refs x WHERE x.entity_id = e.id AND x.relation = r.relation
         AND (x.search IS NOT NULL OR ${there('x')} OR NOT ${was('x')}))
     ORDER BY c.record_id, c.mapping, c.item, r.position LIMIT ${mostDependents}`,
    [sourceId],
  )
  return rows.map(dependentOf)
}

/** Muted contributions of the source of which what they depend on is there again; `all`: all of them. */
async function returning(db: Queryable, sourceId: number, all: boolean): Promise<readonly Dependent[]> {
  const { rows } = await db.query<Row>(
    `SELECT m.record_id AS record, k.id AS kind, m.mapping, m.item, m.entity_id AS entity, m.relation, m.blueprint, m.identifier,
       NULL AS hold
     FROM muted m JOIN records o ON o.id = m.record_id JOIN kinds k ON k.id = o.kind_id AND k.source_id = $1
     WHERE $2 OR ${there('m')} ORDER BY 1, 3, 4 LIMIT ${mostDependents}`,
    [sourceId, all],
  )
  return rows.map(dependentOf)
}

/** Open holds on contributions because of what they depend on. */
async function dependentHolds(
  db: Queryable,
  sourceId: number,
): Promise<readonly { readonly kindId: number; readonly recordId: bigint; readonly what: string }[]> {
  const { rows } = await db.query<{ kind: number; record: string; what: string }>(
    `SELECT h.kind_id AS kind, h.record_id AS record, h.what FROM held h JOIN kinds k ON k.id = h.kind_id AND k.source_id = $1
     WHERE h.state IN ('pending', 'approved', 'rejected') AND starts_with(h.what, 'dependent ')`,
    [sourceId],
  )
  return rows.map(({ kind, record, what }) => ({ kindId: kind, recordId: BigInt(record), what }))
}

function dependentOf(row: Row): Dependent {
  const { mapping, item, relation, blueprint, identifier } = row
  return {
    recordId: BigInt(row.record),
    kindId: row.kind,
    mapping,
    item,
    entityId: BigInt(row.entity),
    relation,
    blueprint,
    identifier,
    hold: row.hold ?? undefined,
  }
}
