import type { Json } from '../../model/json.ts'
import type { Hooks } from '../../sdk/index.ts'
import type { Queryable } from '../db.ts'
import { PIN } from '../pins.ts'
import { type HookState, MANUAL, PAUSE } from '../store.ts'
import { type Freshness, type Judged, judge, type Objectives, objectiveOf, worst } from './freshness.ts'
import { type ScanRecord, type ScanView, scanColumns, scanView } from './scans.ts'
import { setAsideCount } from './set-aside.ts'

export interface PartitionView extends Judged {
  readonly name: string
  readonly state: 'unseen' | 'known' | 'unknown'
  readonly completeScan: string | null
  readonly completeAt: string | null
  readonly ageSeconds: number | null
  /** Presences of it that a guard keeps. */
  readonly held: number
  /** The scan begun last, whatever became of it. */
  readonly scan: ScanView | null
}

export interface KindView {
  readonly name: string
  /** The worst of its partitions; unknown while it has none. */
  readonly freshness: Freshness
  /** After so long without a complete scan it is stale; null: it is not in the configuration. */
  readonly objectiveSeconds: number | null
  readonly records: number
  readonly held: number
  /** Records that a mapping failed on, and objects that could not be read or kept. */
  readonly quarantined: number
  /** Deleted entities that people keep. */
  readonly pinned: number
  readonly nextScanAt: string | null
  /** A scan was asked for and has not begun. */
  readonly scanRequested: boolean
  /** None of the source `manual`. */
  readonly partitions: readonly PartitionView[]
}

/** Which version of its mapping and blueprints a source is mapped by. */
export interface MappingState {
  readonly version: number
  readonly since: string | null
  readonly by: string | null
  readonly how: string | null
  /** Parts of its files that say something else than the active version; null: they cannot be read. */
  readonly pending: readonly string[] | null
  /** The plan that is being carried out. */
  readonly applying: string | null
}

export interface WebhooksView {
  /** Catchment looks after them now. */
  readonly managed: boolean
  readonly hooks: readonly { readonly scope: string; readonly id: string; readonly remove: string | null }[]
  /** Where it may make none, and why. */
  readonly refused: readonly { readonly scope: string; readonly reason: string }[]
}

export interface SourceView {
  readonly name: string
  readonly integration: string
  readonly state: 'active' | 'frozen'
  /** The worst of its kinds. */
  readonly freshness: Freshness
  /** The strictest of its kinds. */
  readonly objectiveSeconds: number | null
  /** Who its credential is. */
  readonly identity: string | null
  /** The source asked to wait (its rate limit is used up): until then it is not called. */
  readonly pausedUntil: string | null
  /** What the last check of the credential found wrong. */
  readonly problem: Json
  readonly deliveries: { readonly waiting: number; readonly lagSeconds: number; readonly dead: number }
  /** Keys that the source still has to be asked about. */
  readonly doubts: number
  /** Webhooks that Catchment made there. Absent: it made none, and was not asked to. */
  readonly webhooks?: WebhooksView
  readonly kinds: readonly KindView[]
  /** Only whoever can read the files knows. */
  readonly mapping?: MappingState
}

interface SourceRow {
  id: number
  name: string
  integration: string
  state: 'active' | 'frozen'
  identity: string | null
  paused: Date | null
  problem: Json
  waiting: string
  oldest: Date | null
  dead: string
  doubts: string
  hooks: Hooks
  hook_state: Partial<HookState>
}

interface KindRow {
  id: number
  source_id: number
  name: string
  records: string
  held: string
  quarantined: string
  pinned: string
  next_at: Date | null
  requested: boolean
}

type PartitionRow = Omit<ScanRecord, 'id' | 'state' | 'reason' | 'source' | 'kind' | 'partition'> & {
  kind_id: number
  name: string
  partition_state: 'unseen' | 'known' | 'unknown'
  partition_reason: string | null
  complete_scan: string | null
  complete_at: Date | null
  partition_held: string
  id: string | null
  state: string
  reason: string | null
}

/** `now`: milliseconds. */
export async function listSources(db: Queryable, objectives: Objectives, now: number): Promise<readonly SourceView[]> {
  const { rows: sources } = await db.query<SourceRow>(
    `SELECT o.id, o.name, o.integration, o.state, o.identity, o.problem, o.hooks, o.hook_state, q.next_at AS paused, i.waiting, i.oldest,
       (SELECT count(*) FROM inbox d WHERE d.source_id = o.id AND d.state = 'dead') AS dead,
       (SELECT count(*) FROM doubts d JOIN kinds k ON k.id = d.kind_id WHERE k.source_id = o.id) AS doubts
     FROM sources o LEFT JOIN schedules q ON q.source_id = o.id AND q.kind = $1 CROSS JOIN LATERAL (
       SELECT count(*) AS waiting, min(received_at) AS oldest FROM inbox i WHERE i.source_id = o.id AND i.state = 'accepted') i
     ORDER BY o.name`,
    [PAUSE],
  )
  const { rows: kinds } = await db.query<KindRow>(
    `SELECT k.id, k.source_id, k.name, k.live AS records, s.next_at, coalesce(s.requested, false) AS requested,
       (SELECT count(*) FROM held h WHERE h.kind_id = k.id AND h.state = 'pending') AS held,
       (SELECT count(*) FROM quarantine q JOIN records r ON r.id = q.record_id WHERE r.kind_id = k.id) + ${setAsideCount} AS quarantined,
       (SELECT count(*) FROM pins n JOIN records r ON r.id = n.record_id WHERE r.kind_id = k.id
          AND EXISTS (SELECT FROM contributions c WHERE c.record_id = n.record_id AND c.mapping = '${PIN}')) AS pinned
     FROM kinds k LEFT JOIN schedules s ON s.source_id = k.source_id AND s.kind = k.name ORDER BY k.id`,
  )
  const { rows: partitions } = await db.query<PartitionRow>(
    `SELECT p.kind_id, p.name, p.state AS partition_state, p.reason AS partition_reason, p.complete_scan, p.complete_at,
       (SELECT count(*) FROM held h WHERE h.partition_id = p.id AND h.kind_id = p.kind_id AND h.state = 'pending') AS partition_held,
       ${scanColumns}
     FROM partitions p
     LEFT JOIN LATERAL (SELECT * FROM scans s WHERE s.partition_id = p.id ORDER BY s.id DESC LIMIT 1) s ON true
     WHERE p.state <> 'dropped' ORDER BY p.kind_id, p.name`,
  )
  return sources.map((source) => {
    const lagSeconds = source.oldest === null ? 0 : Math.max(0, (now - source.oldest.getTime()) / 1000)
    const views = kinds
      .filter((kind) => kind.source_id === source.id)
      .map((kind): KindView => {
        const objective = objectiveOf(objectives, source.name, kind.name)
        const own = partitions
          .filter((row) => row.kind_id === kind.id)
          .map((row) => partitionView(row, source, kind.name, lagSeconds, objective, now))
        const written = source.name === MANUAL
        return {
          name: kind.name,
          // What people write is not listed anywhere: it is as they left it.
          freshness: written ? 'fresh' : worst(own.map((partition) => partition.freshness)),
          objectiveSeconds: objective ?? null,
          records: Number(kind.records),
          held: Number(kind.held),
          quarantined: Number(kind.quarantined),
          pinned: Number(kind.pinned),
          nextScanAt: kind.next_at?.toISOString() ?? null,
          scanRequested: kind.requested,
          partitions: written ? [] : own,
        }
      })
    const strictest = views.flatMap(({ objectiveSeconds }) => objectiveSeconds ?? [])
    return {
      name: source.name,
      integration: source.integration,
      state: source.state,
      freshness: worst(views.map((kind) => kind.freshness)),
      objectiveSeconds: strictest.length === 0 ? null : Math.min(...strictest),
      identity: source.identity,
      pausedUntil: source.paused !== null && source.paused.getTime() > now ? source.paused.toISOString() : null,
      problem: source.problem,
      deliveries: { waiting: Number(source.waiting), lagSeconds: Math.round(lagSeconds), dead: Number(source.dead) },
      doubts: Number(source.doubts),
      ...webhooksOf(source),
      kinds: views,
    }
  })
}

function webhooksOf({ state, hooks, hook_state }: SourceRow): { webhooks?: WebhooksView } {
  const { managed = false, refused = [], remove = {} } = hook_state
  if (!managed && Object.keys(hooks).length === 0) return {}
  return {
    webhooks: {
      // A source that is not configured any more has nobody who looks after them.
      managed: managed && state === 'active',
      hooks: Object.entries(hooks).map(([scope, remembered]) => {
        return { scope, id: remembered.split(' ')[0] ?? '', remove: remove[scope] ?? null }
      }),
      refused,
    },
  }
}

function partitionView(
  row: PartitionRow,
  source: SourceRow,
  kind: string,
  lagSeconds: number,
  objective: number | undefined,
  now: number,
): PartitionView {
  const scan =
    row.id === null ? null : scanView({ ...row, id: row.id, source: source.name, kind, partition: row.name }, now)
  const completeAt = row.complete_at?.getTime()
  return {
    name: row.name,
    state: row.partition_state,
    ...judge(
      {
        source: source.name,
        kind,
        sourceState: source.state,
        state: row.partition_state,
        reason: row.partition_reason,
        completeAt,
        scan: scan ?? undefined,
        lagSeconds,
      },
      objective,
      now,
    ),
    completeScan: row.complete_scan,
    completeAt: row.complete_at?.toISOString() ?? null,
    ageSeconds: completeAt === undefined ? null : Math.max(0, Math.round((now - completeAt) / 1000)),
    held: Number(row.partition_held),
    scan,
  }
}
