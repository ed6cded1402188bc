import type { Relation } from '../model/entity.ts'
import type { Json } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import { array } from './binary.ts'
import type { Queryable } from './db.ts'
import type { Document } from './document.ts'
import type { EntityRow, StoredContribution } from './fold.ts'

interface StoredDocument {
  readonly title: string | null
  readonly team: readonly string[] | null
  readonly properties: Readonly<Record<string, Json>> | null
  readonly relations: Readonly<Record<string, Relation>> | null
  readonly failed: readonly Problem[] | null
}

export function documentFrom(stored: StoredDocument): Document {
  return {
    title: stored.title,
    team: stored.team ?? [],
    properties: stored.properties ?? {},
    relations: stored.relations ?? {},
    failed: stored.failed ?? [],
  }
}

/**
 * Locks every entity that the records say something about now, and those that go by the given names, in id order. It must
 * come before the contributions are read: what another writer adds to an entity is visible only to those who waited for it (I7).
 */
export async function lockEntities(
  tx: Queryable,
  records: readonly bigint[],
  names: readonly { readonly blueprint: string; readonly identifier: string }[],
): Promise<readonly EntityRow[]> {
  const { rows } = await tx.query<
    StoredDocument & {
      id: string
      blueprint: string
      identifier: string
      anchor: string | null
      stub: boolean
      derived: number
      revision: string
      updated_at: Date
    }
  >(
    `/* lock:entities */
     SELECT e.id, e.blueprint, e.identifier, e.anchor, e.stub, e.derived, e.revision, e.updated_at, e.title, e.team, e.properties, e.relations, e.failed
     FROM entities e WHERE e.deleted IS NULL AND e.id IN (
       SELECT c.entity_id FROM contributions c WHERE c.record_id = ANY ($1::int8[])
       UNION ALL
       SELECT n.id FROM unnest($2::text[], $3::text[]) u (blueprint, identifier)
       CROSS JOIN LATERAL (SELECT n.id FROM entities n
         WHERE n.blueprint = u.blueprint AND n.identifier = u.identifier AND n.deleted IS NULL OFFSET 0) n)
     ORDER BY e.id FOR UPDATE OF e`,
    [
      array('int8', records),
      array(
        'text',
        names.map(({ blueprint }) => blueprint),
      ),
      array(
        'text',
        names.map(({ identifier }) => identifier),
      ),
    ],
    { name: 'lock_entities' },
  )
  return rows.map((row) => ({
    id: BigInt(row.id),
    blueprint: row.blueprint,
    identifier: row.identifier,
    anchor: row.anchor === null ? null : BigInt(row.anchor),
    stub: row.stub,
    document: documentFrom(row),
    derived: row.derived,
    revision: BigInt(row.revision),
    updatedAt: row.updated_at.getTime(),
  }))
}

/** A contribution of a written record hangs on an entity that was not locked: another writer moved it. Run the transaction again. */
export class ContributionMoved extends Error {}

export async function loadContributions(
  tx: Queryable,
  rows: readonly EntityRow[],
  records: readonly bigint[],
): Promise<readonly StoredContribution[]> {
  if (rows.length + records.length === 0) return []
  const entities = new Map(rows.map((row) => [row.id, row]))
  const answer = await tx.query<{
    record: string
    mapping: string
    item: string
    entity: string
    owning: boolean
    draft: StoredDocument | null
    key: string
    version: string | null
    kind: string
    source: string
    precedence: number
  }>(
    `SELECT c.record_id AS record, c.mapping, c.item, c.entity_id AS entity, c.owning, c.draft, r.key, r.version, k.name AS kind,
       s.name AS source, s.precedence
     FROM contributions c JOIN records r ON r.id = c.record_id JOIN kinds k ON k.id = r.kind_id JOIN sources s ON s.id = k.source_id
     WHERE c.entity_id = ANY ($1::int8[]) OR c.record_id = ANY ($2::int8[])`,
    [array('int8', [...entities.keys()]), array('int8', records)],
    { name: 'load_contributions' },
  )
  return answer.rows.map((row): StoredContribution => {
    const entity = entities.get(BigInt(row.entity))
    if (entity === undefined) throw new ContributionMoved(`entity ${row.entity} has to be locked, too`)
    const { key, version, kind, source, precedence, mapping, item } = row
    return {
      recordId: BigInt(row.record),
      owning: row.owning,
      blueprint: entity.blueprint,
      identifier: entity.identifier,
      document: row.draft === null ? entity.document : documentFrom(row.draft),
      rank: { precedence, version, key, source, kind, mapping, item },
      entityId: entity.id,
      hasDraft: row.draft !== null,
    }
  })
}
