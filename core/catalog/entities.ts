import type { Relation } from '../model/entity.ts'
import type { Json } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import { array } from './binary.ts'
import type { Queryable } from './db.ts'
import { type Document, same } from './document.ts'
import type { Contribution, EntityRow, StoredContribution } from './group.ts'

export interface StoredDocument {
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
 * Locks every entity that the records say something about now, those that go by the given names, and those `beside`, in id
 * order. It must come before the contributions are read: what another writer adds to an entity is visible only to those who waited for it (I7).
 */
export async function lockEntities(
  tx: Queryable,
  records: readonly bigint[],
  names: readonly { readonly blueprint: string; readonly identifier: string }[],
  beside: readonly bigint[] = [],
): Promise<readonly EntityRow[]> {
  const wanted = [...new Map(names.map((each) => [`${each.blueprint}:${each.identifier}`, each])).values()]
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
      dead: boolean
    }
  >(
    `/* lock:entities */
     SELECT e.id, e.blueprint, e.identifier, e.anchor, e.stub, e.derived, e.revision, e.updated_at, e.title, e.team, e.properties,
       e.relations, e.failed, e.deleted IS NOT NULL AS dead
     FROM entities e WHERE e.id = ANY (ARRAY (
       SELECT c.entity_id FROM contributions c WHERE c.record_id = ANY ($1::int8[])
       UNION
       SELECT n.id FROM unnest($2::text[], $3::text[]) u (blueprint, identifier)
       CROSS JOIN LATERAL (SELECT n.id FROM entities n
         WHERE n.blueprint = u.blueprint AND n.identifier = u.identifier AND n.deleted IS NULL OFFSET 0) n
       UNION SELECT unnest($4::int8[])))
     ORDER BY e.id FOR UPDATE OF e`,
    [
      array('int8', records),
      array(
        'text',
        wanted.map(({ blueprint }) => blueprint),
      ),
      array(
        'text',
        wanted.map(({ identifier }) => identifier),
      ),
      array('int8', beside),
    ],
    { name: 'lock_entities' },
  )
  // Not in the condition: to find the few that are not deleted the planner would read the whole index of names.
  const live = rows.filter(({ dead }) => !dead)
  return live.map((row) => ({
    id: BigInt(row.id),
    blueprint: row.blueprint,
    identifier: row.identifier,
    anchor: row.anchor === null ? null : BigInt(row.anchor),
    hidden: row.stub,
    document: documentFrom(row),
    derived: row.derived,
    revision: BigInt(row.revision),
    updatedAt: row.updated_at.getTime(),
  }))
}

/** A contribution of a written record hangs on an entity that was not locked: another writer moved it. Run the transaction again. */
export class ContributionMoved extends Error {}

interface ContributionRow {
  readonly record: string
  readonly mapping: string
  readonly item: string
  readonly entity: string
  readonly owning: boolean
  readonly draft: StoredDocument | null
  readonly stands: boolean
  readonly key: string
  readonly version: string | null
  readonly kind: string
  readonly source: string
  readonly precedence: number
}

const columns = `c.record_id AS record, c.mapping, c.item, c.entity_id AS entity, c.owning, c.draft, r.key, r.version,
  k.name AS kind, s.name AS source, s.precedence`
const joined =
  'JOIN records r ON r.id = c.record_id JOIN kinds k ON k.id = r.kind_id JOIN sources s ON s.id = k.source_id'

/**
 * Contributions of the entities, those of `records` in full. Thousands of records may say the same of one entity (the
 * domain that they belong to), so of the others that agree with it only one is read: it stands for all of them.
 */
export async function loadContributions(
  tx: Queryable,
  rows: readonly EntityRow[],
  records: readonly bigint[],
  said: readonly Contribution[],
): Promise<readonly StoredContribution[]> {
  if (rows.length + records.length === 0) return []
  const entities = new Map(rows.map((row) => [row.id, row]))
  const values = [array('int8', [...entities.keys()]), array('int8', records)]
  const answer = await tx.query<ContributionRow>(
    `SELECT ${columns}, false AS stands FROM contributions c ${joined}
     WHERE c.record_id = ANY ($2::int8[])
     UNION ALL
     SELECT ${columns}, false FROM contributions c ${joined}
     WHERE c.entity_id = ANY ($1::int8[]) AND c.draft IS NOT NULL AND c.record_id <> ALL ($2::int8[])
     UNION ALL
     SELECT ${columns}, true FROM unnest($1::int8[]) e (id) CROSS JOIN LATERAL (
       SELECT c.* FROM contributions c WHERE c.entity_id = e.id AND c.draft IS NULL AND c.record_id <> ALL ($2::int8[])
       ORDER BY c.owning DESC LIMIT 1) c ${joined}`,
    values,
    { name: 'load_contributions' },
  )
  const loaded = answer.rows.map((row) => contributionOf(row, entities))
  const contested = contestedEntities(entities, loaded, new Set(records), said)
  if (contested.size === 0) return loaded
  const ranked = await tx.query<ContributionRow>(
    `SELECT DISTINCT ON (c.entity_id) ${columns}, true AS stands FROM contributions c ${joined}
     WHERE c.entity_id = ANY ($1::int8[]) AND c.draft IS NULL AND c.record_id <> ALL ($2::int8[])
     ORDER BY c.entity_id, s.precedence, r.version DESC NULLS LAST, r.key, s.name, k.name, c.mapping, c.item`,
    [array('int8', [...contested]), array('int8', records)],
    { name: 'highest_contributions' },
  )
  const highest = new Map(ranked.rows.map((row) => [BigInt(row.entity), contributionOf(row, entities).rank]))
  return loaded.map((each) => (each.stands ? { ...each, rank: highest.get(each.entityId) ?? each.rank } : each))
}

/** Those where the rank of the one that stands for others decides, because something else is said as well. */
function contestedEntities(
  entities: ReadonlyMap<bigint, EntityRow>,
  loaded: readonly StoredContribution[],
  replaced: ReadonlySet<bigint>,
  said: readonly Contribution[],
): ReadonlySet<bigint> {
  const standing = loaded.filter((each) => each.stands)
  if (standing.length === 0) return new Set()
  const byName = Map.groupBy(said, ({ blueprint, identifier }) => `${blueprint}:${identifier}`)
  const drafted = new Set(
    loaded.flatMap((each) => (each.hasDraft && !replaced.has(each.recordId) ? [each.entityId] : [])),
  )
  const contested = standing.filter(({ entityId, blueprint, identifier }) => {
    const now = entities.get(entityId)?.document
    return (
      drafted.has(entityId) || byName.get(`${blueprint}:${identifier}`)?.some(({ document }) => !same(document, now))
    )
  })
  return new Set(contested.map(({ entityId }) => entityId))
}

function contributionOf(row: ContributionRow, entities: ReadonlyMap<bigint, EntityRow>): StoredContribution {
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
    stands: row.stands,
  }
}
