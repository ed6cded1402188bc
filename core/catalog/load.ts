import type { Relation } from '../model/entity.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import { array } from './binary.ts'
import type { Queryable } from './db.ts'
import { seenSql } from './seen.ts'
import type { OpenHold, Span, StoredRecord } from './stored.ts'

export interface LoadedRecord {
  readonly record: StoredRecord
  readonly kindId: number
  /** As stored; see body.ts. Absent unless asked for and kept. */
  readonly body: Buffer | undefined
}

interface Tick {
  readonly partition: number
  readonly begin: string
  readonly end: string
}

interface Row {
  readonly id: string
  readonly kind_id: number
  readonly key: string
  readonly state: 'live' | 'gone'
  readonly version: string | null
  readonly hash: string
  readonly begin_tick: string
  readonly end_tick: string
  readonly mapping_id: number
  readonly locator: JsonObject
  readonly body: Buffer | null
  readonly presences: readonly (Tick & { readonly ended: boolean })[] | null
  readonly seen: readonly Tick[] | null
  readonly drafts: readonly DraftRow[] | null
  readonly holds: readonly { what: string; partition: number | null; state: OpenHold['state'] }[] | null
}

interface DraftRow {
  readonly mapping: string
  readonly item: string
  readonly owning: boolean
  readonly entity: string
  readonly blueprint: string
  readonly identifier: string
  readonly title: string | null
  readonly team: readonly string[] | null
  readonly properties: Readonly<Record<string, Json>> | null
  readonly relations: Readonly<Record<string, Relation>> | null
  readonly failed: readonly Problem[] | null
}

/** One statement, so that a record, its presences and its drafts are of the same moment. A sole contribution's draft is the entity. */
const loadSql = `
  WITH seen AS MATERIALIZED (${seenSql('$1::int8[]', '$2::int4')})
  SELECT r.id, r.kind_id, r.key, r.state, r.version, encode(r.hash, 'hex') AS hash, r.begin_tick, r.end_tick, r.mapping_id,
    r.locator, (SELECT b.body FROM bodies b WHERE b.record_id = r.id AND $3) AS body,
    (SELECT json_agg(json_build_object('partition', p.partition_id, 'ended', p.ended, 'begin', p.begin_tick::text, 'end', p.end_tick::text)
       ORDER BY p.partition_id) FROM presences p WHERE p.record_id = r.id) AS presences,
    (SELECT json_agg(json_build_object('partition', s.partition_id, 'begin', s.begin_tick::text, 'end', s.end_tick::text))
       FROM seen s WHERE s.record_id = r.id) AS seen,
    (SELECT json_agg(json_build_object('mapping', c.mapping, 'item', c.item, 'owning', (c.owning OR EXISTS (SELECT FROM muted m WHERE m.record_id = c.record_id AND m.mapping = c.mapping AND m.item = c.item)), 'entity', e.id::text,
         'blueprint', e.blueprint, 'identifier', e.identifier,
         'title', CASE WHEN c.draft IS NULL THEN to_jsonb(e.title) ELSE c.draft -> 'title' END,
         'team', CASE WHEN c.draft IS NULL THEN to_jsonb(e.team) ELSE c.draft -> 'team' END,
         'properties', CASE WHEN c.draft IS NULL THEN e.properties ELSE c.draft -> 'properties' END,
         'relations', CASE WHEN c.draft IS NULL THEN e.relations ELSE c.draft -> 'relations' END,
         'failed', CASE WHEN c.draft IS NULL THEN e.failed ELSE c.draft -> 'failed' END)
       ORDER BY c.mapping, c.item)
       FROM contributions c JOIN entities e ON e.id = c.entity_id WHERE c.record_id = r.id) AS drafts,
    (SELECT json_agg(json_build_object('what', h.what, 'partition', h.partition_id, 'state', h.state) ORDER BY h.id)
       FROM held h WHERE h.record_id = r.id AND h.state IN ('pending', 'approved', 'rejected')) AS holds
  FROM records r WHERE r.id = ANY ($1)
  ORDER BY r.id`

/** In id order. `scanning`: the partition whose scan asks; see `seenSql`. */
export async function loadRecords(
  db: Queryable,
  ids: readonly bigint[],
  options: { readonly scanning?: number; readonly body?: boolean } = {},
): Promise<readonly LoadedRecord[]> {
  if (ids.length === 0) return []
  const values = [array('int8', ids), options.scanning ?? 0, options.body ?? false]
  const { rows } = await db.query<Row>(loadSql, values, { name: 'load_records' })
  return rows.map((row) => ({ record: recordOf(row), kindId: row.kind_id, body: row.body ?? undefined }))
}

function recordOf(row: Row): StoredRecord {
  const seen = new Map(row.seen?.map((tick) => [tick.partition, spanOf(tick)]))
  const presences = (row.presences ?? []).map((tick) => {
    const page = tick.ended ? undefined : seen.get(tick.partition)
    return { partitionId: tick.partition, ended: tick.ended, span: newest([spanOf(tick), ...(page ? [page] : [])]) }
  })
  const own = { begin: BigInt(row.begin_tick), end: BigInt(row.end_tick) }
  const sighted = presences.flatMap(({ partitionId, ended }) => (ended ? [] : (seen.get(partitionId) ?? [])))
  return {
    id: BigInt(row.id),
    key: row.key,
    state: row.state,
    version: row.version ?? undefined,
    hash: row.hash,
    span: newest([own, ...sighted]),
    mappingId: row.mapping_id,
    locator: row.locator,
    presences,
    drafts: (row.drafts ?? []).map((draft) => ({
      mapping: draft.mapping,
      item: draft.item,
      owning: draft.owning,
      entityId: BigInt(draft.entity),
      draft: {
        blueprint: draft.blueprint,
        identifier: draft.identifier,
        title: draft.title,
        team: draft.team ?? [],
        properties: draft.properties ?? {},
        relations: draft.relations ?? {},
        failed: draft.failed ?? [],
      },
    })),
    holds: (row.holds ?? []).map((hold) => ({ ...hold, partitionId: hold.partition ?? undefined })),
  }
}

function spanOf(tick: { readonly begin: string; readonly end: string }): Span {
  return { begin: BigInt(tick.begin), end: BigInt(tick.end) }
}

/** All of them say the same content, so each end of the span is the greatest known. */
function newest(spans: readonly Span[]): Span {
  return spans.reduce((a, b) => ({ begin: a.begin > b.begin ? a.begin : b.begin, end: a.end > b.end ? a.end : b.end }))
}
