import type { Queryable } from '../db.ts'
import { PIN } from '../pins.ts'
import { MANUAL } from '../store.ts'
import { type Freshness, judge, type Objectives, objectiveOf, worst } from './freshness.ts'

/** How true what is said about one entity is: the worst of the partitions that its records were seen in. */
export interface EntityFreshness {
  readonly freshness: Freshness
  /** End of the oldest of their last complete scans; null where one was never completed, or none has to be. */
  readonly confirmedAt: string | null
  /** Why it is not fresh. */
  readonly freshnessReason?: string
}

interface PartitionRow {
  id: number
  source: string
  source_state: 'active' | 'frozen'
  kind: string
  name: string
  state: 'unseen' | 'known' | 'unknown'
  reason: string | null
  complete_at: Date | null
  scan_state: string | null
  scan_reason: string | null
  oldest: Date | null
}

interface Origin {
  readonly source: string
  /** Null: its record is in no partition (any more). */
  readonly partition: number | null
  /** A person keeps it; its source does not show it. */
  readonly pinned: boolean
}

/** By entity id; entities that nothing contributes to are unknown. `now`: milliseconds. */
export async function entityFreshness(
  db: Queryable,
  entityIds: readonly string[],
  objectives: Objectives,
  now: number,
): Promise<ReadonlyMap<string, EntityFreshness>> {
  const origins = await originsOf(db, entityIds)
  const partitions = await judgedPartitions(
    db,
    [...new Set([...origins.values()].flat().flatMap(({ partition }) => partition ?? []))],
    objectives,
    now,
  )
  return new Map(
    entityIds.map((id) => [
      id,
      rollUp(
        (origins.get(id) ?? []).map(
          ({ source, partition, pinned }) =>
            (pinned ? kept(source) : undefined) ??
            (partition === null ? nowhere(source) : partitions.get(partition)) ??
            nowhere(source),
        ),
      ),
    ]),
  )
}

async function originsOf(db: Queryable, entityIds: readonly string[]): Promise<ReadonlyMap<string, readonly Origin[]>> {
  if (entityIds.length === 0) return new Map()
  const { rows } = await db.query<Origin & { entity_id: string }>(
    `SELECT DISTINCT c.entity_id, o.name AS source, c.mapping = '${PIN}' AS pinned,
       CASE WHEN c.mapping <> '${PIN}' THEN x.partition_id END AS partition
     FROM contributions c JOIN records r ON r.id = c.record_id JOIN kinds k ON k.id = r.kind_id JOIN sources o ON o.id = k.source_id
     LEFT JOIN presences x ON x.record_id = c.record_id AND NOT x.ended
     WHERE c.entity_id = ANY($1::bigint[])`,
    [entityIds],
  )
  return Map.groupBy(rows, (row) => row.entity_id)
}

/** Of the partitions that the records of an entity were seen in, by `source/kind/partition`. */
export async function entityPartitions(
  db: Queryable,
  entityId: string,
  objectives: Objectives,
  now: number,
): Promise<ReadonlyMap<string, Freshness>> {
  const { rows } = await db.query<{ id: number; name: string }>(
    `SELECT DISTINCT p.id, o.name || '/' || k.name || '/' || p.name AS name
     FROM contributions c JOIN presences x ON x.record_id = c.record_id JOIN partitions p ON p.id = x.partition_id
     JOIN kinds k ON k.id = p.kind_id JOIN sources o ON o.id = k.source_id WHERE c.entity_id = $1::bigint LIMIT 100`,
    [entityId],
  )
  const judged = await judgedPartitions(
    db,
    rows.map(({ id }) => id),
    objectives,
    now,
  )
  return new Map(rows.map(({ id, name }) => [name, judged.get(id)?.freshness ?? 'unknown']))
}

/** Every partition that is not fresh. */
export async function unsoundPartitions(
  db: Queryable,
  objectives: Objectives,
  now: number,
): Promise<Readonly<Record<'stale' | 'unknown', readonly number[]>>> {
  const { rows } = await db.query<{ id: number }>('SELECT id FROM partitions')
  const judged = await judgedPartitions(
    db,
    rows.map(({ id }) => id),
    objectives,
    now,
  )
  const that = (wanted: Freshness): readonly number[] =>
    [...judged].flatMap(([id, { freshness }]) => (freshness === wanted ? [id] : []))
  return { stale: that('stale'), unknown: that('unknown') }
}

async function judgedPartitions(
  db: Queryable,
  ids: readonly number[],
  objectives: Objectives,
  now: number,
): Promise<ReadonlyMap<number, EntityFreshness>> {
  if (ids.length === 0) return new Map()
  const { rows } = await db.query<PartitionRow>(
    `SELECT p.id, o.name AS source, o.state AS source_state, k.name AS kind, p.name, p.state, p.reason, p.complete_at,
       s.state AS scan_state, s.reason AS scan_reason,
       (SELECT min(i.received_at) FROM inbox i WHERE i.source_id = o.id AND i.state = 'accepted') AS oldest
     FROM partitions p JOIN kinds k ON k.id = p.kind_id JOIN sources o ON o.id = k.source_id
     LEFT JOIN LATERAL (SELECT state, reason FROM scans s WHERE s.partition_id = p.id ORDER BY s.id DESC LIMIT 1) s ON true
     WHERE p.id = ANY($1::int[])`,
    [ids],
  )
  return new Map(rows.map((row) => [row.id, judged(row, objectives, now)]))
}

function judged(row: PartitionRow, objectives: Objectives, now: number): EntityFreshness {
  const { freshness, reason } = judge(
    {
      source: row.source,
      kind: row.kind,
      sourceState: row.source_state,
      state: row.state,
      reason: row.reason,
      completeAt: row.complete_at?.getTime(),
      scan: row.scan_state === null ? undefined : { state: row.scan_state, reason: row.scan_reason },
      lagSeconds: row.oldest === null ? 0 : Math.max(0, (now - row.oldest.getTime()) / 1000),
    },
    objectiveOf(objectives, row.source, row.kind),
    now,
  )
  const why = reason === undefined ? {} : { freshnessReason: `${row.source} ${row.kind} in ${row.name}: ${reason}` }
  return { freshness, confirmedAt: row.complete_at?.toISOString() ?? null, ...why }
}

function nowhere(source: string): EntityFreshness {
  if (source === MANUAL) return { freshness: 'fresh', confirmedAt: null }
  return {
    freshness: 'unknown',
    confirmedAt: null,
    freshnessReason: `${source}: it is listed nowhere any more, and nothing has said that it is gone.`,
  }
}

function kept(source: string): EntityFreshness {
  const freshnessReason = `a person pinned it: ${source} does not show it.`
  return { freshness: 'unknown', confirmedAt: null, freshnessReason }
}

function rollUp(all: readonly EntityFreshness[]): EntityFreshness {
  const freshness = worst(all.map((one) => one.freshness))
  const why = all.find((one) => one.freshness === freshness)?.freshnessReason
  const times = all.flatMap(({ confirmedAt }) => confirmedAt ?? []).sort()
  const never = all.some((one) => one.confirmedAt === null && one.freshness !== 'fresh')
  return {
    freshness,
    confirmedAt: never ? null : (times[0] ?? null),
    ...(why === undefined ? {} : { freshnessReason: why }),
  }
}
