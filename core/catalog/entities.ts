import type { Relation } from '../model/entity.ts'
import type { Json } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import { array } from './binary.ts'
import type { Queryable } from './db.ts'
import { type Document, same } from './document.ts'
import type { Contribution, EntityRow, StoredContribution } from './group.ts'
import type { KnownEntity } from './stored.ts'

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

const row = `e.id, e.blueprint, e.identifier, e.anchor, e.stub, e.derived, e.revision, e.updated_at, e.deleted IS NOT NULL AS dead`
const document = 'e.title, e.team, e.properties, e.relations, e.failed'

interface LockedRow {
  readonly id: string
  readonly blueprint: string
  readonly identifier: string
  readonly anchor: string | null
  readonly stub: boolean
  readonly derived: number
  readonly revision: string
  readonly updated_at: Date
  readonly dead: boolean
}

/** Entities that the records say something about now, those that go by the names, and those of the ids. */
interface Touched {
  readonly records?: readonly bigint[]
  readonly names: readonly { readonly blueprint: string; readonly identifier: string }[]
  readonly ids?: readonly bigint[]
}

/**
 * Locks entities in id order. It must come before their contributions are read: what another writer adds to one is visible
 * only to those who waited for it (I7). The document of one that is in a `known` state is not read again.
 */
export async function lockEntities(
  tx: Queryable,
  touched: Touched,
  known: readonly KnownEntity[] = [],
): Promise<readonly EntityRow[]> {
  if (known.length === 0) {
    const rows = await lock<StoredDocument>(tx, 'lock_entities', document, touched)
    return rows.map((each) => entityOf(each, documentFrom(each)))
  }
  const rows = await lock<State>(tx, 'lock_known_entities', 'e.xmin AS state', touched)
  const documents = await documentsOf(tx, rows, new Map(known.map((each) => [each.id.toString(), each])))
  return rows.map((each) => {
    const found = documents.get(each.id)
    if (found === undefined) throw new Error(`entity ${each.id} is locked and was not found`)
    return entityOf(each, found)
  })
}

interface State {
  readonly id: string
  readonly state: string
}

async function lock<More>(
  tx: Queryable,
  name: string,
  more: string,
  { records = [], names, ids = [] }: Touched,
): Promise<readonly (LockedRow & More)[]> {
  const wanted = [...new Map(names.map((each) => [`${each.blueprint}:${each.identifier}`, each])).values()]
  const { rows } = await tx.query<LockedRow & More>(
    `/* lock:entities */
     SELECT ${row}, ${more}
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
      array('int8', ids),
    ],
    { name },
  )
  // Not in the condition: to find the few that are not deleted the planner would read the whole index of names.
  return rows.filter(({ dead }) => !dead)
}

function entityOf(each: LockedRow, said: Document): EntityRow {
  return {
    id: BigInt(each.id),
    blueprint: each.blueprint,
    identifier: each.identifier,
    anchor: each.anchor === null ? null : BigInt(each.anchor),
    hidden: each.stub,
    document: said,
    derived: each.derived,
    revision: BigInt(each.revision),
    updatedAt: each.updated_at.getTime(),
  }
}

/** Of locked entities: as they are known where the row is still the one that was read, and read otherwise. */
async function documentsOf(
  tx: Queryable,
  locked: readonly State[],
  known: ReadonlyMap<string, KnownEntity>,
): Promise<Map<string, Document>> {
  const documents = new Map<string, Document>()
  const others: bigint[] = []
  for (const { id, state } of locked) {
    const before = known.get(id)
    if (before?.row === state) documents.set(id, before.document)
    else others.push(BigInt(id))
  }
  if (others.length === 0) return documents
  const { rows } = await tx.query<StoredDocument & { readonly id: string }>(
    `SELECT e.id, ${document} FROM entities e WHERE e.id = ANY ($1::int8[])`,
    [array('int8', others)],
    { name: 'entity_documents' },
  )
  for (const each of rows) documents.set(each.id, documentFrom(each))
  return documents
}

/** A contribution of a written record hangs on an entity that was not locked: another writer moved it. Run the transaction again. */
export class ContributionMoved extends Error {}

/** Of a record whose rank is known that is null. */
interface ContributionRow extends RecordRank {
  readonly record: string
  readonly mapping: string
  readonly item: string
  readonly entity: string
  readonly owning: boolean
  readonly draft: StoredDocument | null
  readonly stands: boolean
}

/** What of a rank is its record's. */
export type RecordRank = Omit<Contribution['rank'], 'mapping' | 'item'>

const contribution = 'c.record_id AS record, c.mapping, c.item, c.entity_id AS entity, c.owning, c.draft'
const rank = 'r.key, r.version, k.name AS kind, s.name AS source, s.precedence'
const joined =
  'JOIN records r ON r.id = c.record_id JOIN kinds k ON k.id = r.kind_id JOIN sources s ON s.id = k.source_id'

/**
 * Contributions of the entities, those of `records` in full. Thousands of records may say the same of one entity (the
 * domain that they belong to), so of the others that agree with it only one is read: it stands for all of them. `ranks`: of
 * records, as far as they are known; those of most are, and to read them is the greater part of the work.
 */
export async function loadContributions(
  tx: Queryable,
  rows: readonly EntityRow[],
  records: readonly bigint[],
  said: readonly Contribution[],
  ranks: ReadonlyMap<bigint, RecordRank> = new Map(),
): Promise<readonly StoredContribution[]> {
  if (rows.length + records.length === 0) return []
  const entities = new Map(rows.map((row) => [row.id, row]))
  const all = array('int8', records)
  const [ranked, unranked] = [records.filter((id) => ranks.has(id)), records.filter((id) => !ranks.has(id))]
  const answer = await tx.query<ContributionRow>(
    `SELECT ${contribution}, false AS stands, NULL::text AS key, NULL::text AS version, NULL::text AS kind, NULL::text AS source, NULL::int4 AS precedence
     FROM contributions c WHERE c.record_id = ANY ($3::int8[])
     UNION ALL
     SELECT ${contribution}, false, ${rank} FROM contributions c ${joined}
     WHERE c.record_id = ANY ($4::int8[])
     UNION ALL
     SELECT ${contribution}, false, ${rank} FROM contributions c ${joined}
     WHERE c.entity_id = ANY ($1::int8[]) AND c.draft IS NOT NULL AND c.record_id <> ALL ($2::int8[])
     UNION ALL
     SELECT ${contribution}, true, ${rank} FROM unnest($1::int8[]) e (id) CROSS JOIN LATERAL (
       SELECT c.* FROM contributions c WHERE c.entity_id = e.id AND c.draft IS NULL AND c.record_id <> ALL ($2::int8[])
       ORDER BY c.owning DESC LIMIT 1) c ${joined}`,
    [array('int8', [...entities.keys()]), all, array('int8', ranked), array('int8', unranked)],
    { name: 'load_contributions' },
  )
  const loaded = answer.rows.map((row) => contributionOf(row, entities, ranks.get(BigInt(row.record))))
  const contested = contestedEntities(entities, loaded, new Set(records), said)
  if (contested.size === 0) return loaded
  const first = await tx.query<ContributionRow>(
    `SELECT DISTINCT ON (c.entity_id) ${contribution}, true AS stands, ${rank} FROM contributions c ${joined}
     WHERE c.entity_id = ANY ($1::int8[]) AND c.draft IS NULL AND c.record_id <> ALL ($2::int8[])
     ORDER BY c.entity_id, s.precedence, r.version DESC NULLS LAST, r.key, s.name, k.name, c.mapping, c.item`,
    [array('int8', [...contested]), all],
    { name: 'highest_contributions' },
  )
  const highest = new Map(first.rows.map((row) => [BigInt(row.entity), contributionOf(row, entities).rank]))
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

function contributionOf(
  row: ContributionRow,
  entities: ReadonlyMap<bigint, EntityRow>,
  known: RecordRank = row,
): StoredContribution {
  const entity = entities.get(BigInt(row.entity))
  if (entity === undefined) throw new ContributionMoved(`entity ${row.entity} has to be locked, too`)
  const { mapping, item } = row
  const { key, version, kind, source, precedence } = known
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
