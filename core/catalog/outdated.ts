import type { Batch, RecordRemap } from './batch.ts'
import { array } from './binary.ts'
import { decodeBody } from './bodies.ts'
import type { Db, Queryable } from './db.ts'
import { documentFrom, type StoredDocument } from './entities.ts'
import { noRules, type Rules } from './refs.ts'
import { StaleDecision } from './refusals.ts'
import { type RulesCache, rulesFor } from './rules.ts'
import type { Store } from './store.ts'
import type { KnownEntity, OpenHold, OutdatedRecord } from './stored.ts'

/** Bytes of bodies that are read at a time, one record at least. */
const mostBytes = 8_000_000

const pageSql = `
  SELECT o.id, o.kind_id AS "kindId", o.key, o.version, encode(o.hash, 'hex') AS hash, o.mapping_id AS "mappingId", o.body,
    EXISTS (SELECT FROM quarantine q WHERE q.record_id = o.id) AS quarantined,
    (SELECT json_agg(json_build_object('what', h.what, 'partitionId', h.partition_id, 'state', h.state) ORDER BY h.id)
       FROM held h WHERE h.record_id = o.id AND h.state IN ('pending', 'approved', 'rejected')) AS holds,
    ARRAY(SELECT w.blueprint || ':' || w.identifier FROM wanted w WHERE w.record_id = o.id) AS wanted
  FROM (
    SELECT r.*, sum(octet_length(r.body)) OVER (ORDER BY r.id) AS total FROM (
      SELECT r.id, r.kind_id, r.key, r.version, r.hash, r.mapping_id, b.body FROM records r JOIN bodies b ON b.record_id = r.id
      WHERE r.kind_id = ANY (ARRAY(SELECT k.id FROM kinds k WHERE k.source_id = $1)) AND r.mapping_id <> $2 AND r.state = 'live'
        AND r.id > $3
      ORDER BY r.id LIMIT $4) r) o
  WHERE o.total - octet_length(o.body) < ${mostBytes} ORDER BY o.id`

interface Row {
  readonly id: string
  readonly kindId: number
  readonly key: string
  readonly version: string | null
  readonly hash: string
  readonly mappingId: number
  readonly body: Buffer
  readonly quarantined: boolean
  readonly holds: readonly { what: string; partitionId: number | null; state: OpenHold['state'] }[] | null
  readonly wanted: readonly string[]
}

/** A draft that the entity holds is read from there. */
const draftsSql = `
  SELECT c.record_id AS record, c.mapping, c.item,
    (c.owning OR EXISTS (SELECT FROM muted m WHERE m.record_id = c.record_id AND m.mapping = c.mapping AND m.item = c.item)) AS owning, e.id AS entity, e.blueprint, e.identifier, e.derived, e.xmin AS row, c.draft,
    CASE WHEN c.draft IS NULL THEN e.title END AS title, CASE WHEN c.draft IS NULL THEN e.team END AS team,
    CASE WHEN c.draft IS NULL THEN e.properties END AS properties, CASE WHEN c.draft IS NULL THEN e.relations END AS relations,
    CASE WHEN c.draft IS NULL THEN e.failed END AS failed
  FROM contributions c JOIN entities e ON e.id = c.entity_id WHERE c.record_id = ANY ($1::int8[]) ORDER BY c.mapping, c.item`

interface DraftRow extends StoredDocument {
  readonly record: string
  readonly mapping: string
  readonly item: string
  readonly owning: boolean
  readonly entity: string
  readonly blueprint: string
  readonly identifier: string
  readonly derived: number
  readonly row: string
  readonly draft: StoredDocument | null
}

/** What watermarks and presences say does not matter here, and to find it would cost more than all the rest. */
export function outdating(db: Db, cache: RulesCache): Pick<Store, 'outdated'> {
  return {
    async outdated(sourceId, mappingId, after, limit) {
      const { rows } = await db.query<Row>(pageSql, [sourceId, mappingId, after, limit], { name: 'outdated' })
      if (rows.length === 0) return []
      const ids = rows.map(({ id }) => BigInt(id))
      const said = await db.query<DraftRow>(draftsSql, [array('int8', ids)], { name: 'outdated_drafts' })
      const rules = await rulesFor(db, mappingId, cache)
      const drafts = Map.groupBy(said.rows, ({ record }) => record)
      return rows.map((row) => recordOf(row, drafts.get(row.id) ?? [], rules))
    },
  }
}

function recordOf(row: Row, drafts: readonly DraftRow[], rules: ReadonlyMap<string, Rules>): OutdatedRecord {
  const { kindId, key, version, hash, mappingId, body, quarantined, holds, wanted } = row
  return {
    id: BigInt(row.id),
    kindId,
    key,
    version: version ?? undefined,
    hash,
    mappingId,
    body: decodeBody(body),
    drafts: drafts.map(draftOf),
    entities: drafts.flatMap(entityOf),
    holds: (holds ?? []).map((hold) => ({ ...hold, partitionId: hold.partitionId ?? undefined })),
    wanted,
    settled:
      !quarantined && drafts.every(({ blueprint, derived }) => derived === (rules.get(blueprint) ?? noRules).digest),
  }
}

function draftOf(row: DraftRow): OutdatedRecord['drafts'][number] {
  const { mapping, item, owning, entity, blueprint, identifier } = row
  const { title, team, properties, relations, failed } = row.draft ?? row
  return {
    mapping,
    item,
    owning,
    entityId: BigInt(entity),
    draft: {
      blueprint,
      identifier,
      title,
      team: team ?? [],
      properties: properties ?? {},
      relations: relations ?? {},
      failed: failed ?? [],
    },
  }
}

/** Where the record says exactly what the entity says. */
function entityOf({ entity, row, draft, ...said }: DraftRow): readonly KnownEntity[] {
  return draft === null ? [{ id: BigInt(entity), row, document: documentFrom(said) }] : []
}

/** The records are of the batch's mapping version from now on. Throws StaleDecision when one is no longer what was mapped. */
export async function remapRecords(tx: Queryable, batch: Batch, remaps: readonly RecordRemap[]): Promise<void> {
  if (remaps.length === 0) return
  const { rowCount } = await tx.query(
    `UPDATE records r SET mapping_id = $1 FROM unnest($2::int8[], $3::bytea[], $4::int4[]) u (id, hash, mapping)
     WHERE r.id = u.id AND r.hash = u.hash AND r.mapping_id = u.mapping AND r.state = 'live' AND r.kind_id = $5`,
    [
      batch.mappingId,
      array(
        'int8',
        remaps.map(({ expected }) => expected.id),
      ),
      array(
        'hex',
        remaps.map(({ expected }) => expected.hash),
      ),
      array(
        'int4',
        remaps.map(({ expected }) => expected.mappingId),
      ),
      batch.kindId,
    ],
    { name: 'remap_records' },
  )
  if (rowCount !== remaps.length) throw new StaleDecision('a record moved since it was mapped again')
}
