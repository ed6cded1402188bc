import type { Cause } from '../catalog/batch.ts'
import { saysTheSame } from '../catalog/said.ts'
import type { OutdatedRecord, Span, StoredRecord } from '../catalog/stored.ts'
import type { Json, Key, Kind, Version } from '../sdk/index.ts'
import { type Decision, decide, type Observation } from './decide.ts'
import { contentOf, type Written } from './hash.ts'
import { withinLimits } from './limits.ts'
import type { Plan, PlannedWrite } from './plan.ts'
import { type Reconciled, reconcile } from './reconcile.ts'
import { type KindSession, now, type PartitionSession, type Session } from './session.ts'
import { wantedBy, wantsTheSame } from './wants.ts'

/** A raw item, read by its kind. */
export interface Seen {
  readonly key: Key
  readonly raw: Json
  /** Plain JSON; numbers that a double cannot hold have all their digits only in `text`. */
  readonly canonical: Json
  readonly version: Version | undefined
  /** Canonical JSON text. */
  readonly text: string
  readonly hash: string
}

/** Throws what the kind throws: the item is set aside then, its neighbours go on. `version`: of a kind whose items have none. */
export function readItem(kind: Kind, key: Key, raw: Json, version?: Version): Seen {
  const canonical = kind.canonical(raw)
  const own = kind.version?.(raw)
  const content = contentOf(canonical, own)
  const { text, hash } = content
  return { key, raw, canonical: plainOf(canonical, content), version: own ?? version, text, hash }
}

/** What mappings see of a canonical form. */
export function plainOf(canonical: Json, { text, long }: Written): Json {
  // It was written from JSON.
  return long ? (JSON.parse(text) as Json) : canonical
}

export interface Where {
  readonly via: Observation['via']
  readonly partition: PartitionSession
  readonly span: Span
  /** All partitions that it was seen in. */
  readonly presences: readonly number[]
}

export function decideSeen(
  session: Session,
  kind: KindSession,
  seen: Seen,
  where: Where,
  stored?: StoredRecord,
): Decision {
  const { partition, via, span } = where
  const observation = { via, span, partitionId: partition.row.id, hash: seen.hash, version: seen.version }
  return decide(observation, stored, {
    mappingId: session.mappingId,
    canAsk: kind.kind.get !== undefined,
    ...(partition.completeBegin === undefined ? {} : { completeBegin: partition.completeBegin }),
  })
}

/** Maps the item and plans its record, its contributions and what the guard must look at. Throws what `locator` throws. */
export function planWrite(
  session: Session,
  kind: KindSession,
  plan: Plan,
  seen: Seen,
  where: Pick<Where, 'span' | 'presences'>,
  stored: StoredRecord | undefined,
): void {
  // What a tombstone said before it was found gone is gone with it.
  const live = stored?.state === 'live' ? stored : undefined
  const { quarantined, ...said } = mapped(session, kind, plan, { canonical: seen.canonical, text: seen.text }, live)
  const record: PlannedWrite['record'] = {
    key: seen.key,
    version: seen.version,
    hash: seen.hash,
    body: session.runtime.keeping?.hashOnly(kind.name) === true ? undefined : seen.text,
    locator: kind.kind.locator(seen.raw),
    span: where.span,
    presences: where.presences,
    quarantined,
    ...(stored === undefined ? {} : { expected: expectedOf(stored) }),
  }
  plan.writes.push({ record, recordId: stored?.id, ...said })
  const before = stored === undefined ? 'none' : presenceState(stored, where.presences[0])
  plan.moves.add('presence', before, before === 'live' ? 'replace' : 'observe')
}

/** What the active mapping makes of a body, against what its live record says now. */
function mapped(
  session: Session,
  kind: KindSession,
  plan: Plan,
  body: { readonly canonical: Json; readonly text: string },
  live: Pick<StoredRecord, 'drafts' | 'holds'> | undefined,
): Reconciled {
  const { canonical, text } = body
  const context = { now: Math.floor(now(session) / 1000), text }
  const outputs = withinLimits(session.mappings.apply(kind.name, canonical, context))
  const reconciled = reconcile(live?.drafts ?? [], outputs, live?.holds)
  for (const { what, state } of reconciled.settled) {
    const hold = live?.holds.find((each) => each.what === what)
    if (hold !== undefined) plan.moves.add('hold', hold.state, state === 'released' ? 'carry out' : 'see again')
  }
  return reconciled
}

/** Maps a stored record again. Nothing is known anew of the source. */
export function planRemap(
  session: Session,
  kind: KindSession,
  plan: Plan,
  stored: Omit<OutdatedRecord, 'kindId' | 'settled' | 'wanted' | 'entities'> &
    Partial<Pick<OutdatedRecord, 'wanted' | 'entities'>>,
  settled = false,
): void {
  const { id, key, version, hash, mappingId, body } = stored
  // It was stored as the text of a JSON value.
  const canonical = JSON.parse(body) as Json
  const { quarantined, ...said } = mapped(session, kind, plan, { canonical, text: body }, stored)
  const same =
    settled &&
    quarantined.length === 0 &&
    saysTheSame(stored.drafts, said.drafts) &&
    wantsTheSame(stored.wanted ?? [], wantedBy(session.mappings, said.drafts))
  const { entities = [] } = stored
  const record = { key, version, quarantined, expected: { id, hash, mappingId }, same, entities }
  plan.remaps.push({ record, recordId: id, ...said })
}

function expectedOf(stored: StoredRecord): NonNullable<PlannedWrite['record']['expected']> {
  return { id: stored.id, hash: stored.hash, end: stored.span.end, state: stored.state }
}

export function presenceState(
  stored: StoredRecord | undefined,
  partitionId: number | undefined,
): 'none' | 'live' | 'gone' {
  const presence = stored?.presences.find((each) => each.partitionId === partitionId)
  if (presence === undefined) return stored?.state === 'gone' ? 'gone' : 'none'
  return presence.ended || stored?.state === 'gone' ? 'gone' : 'live'
}

/** The source is asked about the key; a kind that cannot be asked is listed again. */
export function planDoubt(
  kind: KindSession,
  plan: Plan,
  partition: PartitionSession,
  doubt: {
    readonly key: Key
    readonly reason: string
    readonly serial: bigint
    readonly signed: boolean
    readonly locator: Plan['doubts'][number]['locator']
  },
  presence: 'none' | 'live' | 'gone',
): void {
  if (kind.kind.get === undefined) {
    plan.requestedScans.add(kind.name)
    return
  }
  plan.doubts.push({ kindId: kind.id, partitionId: partition.row.id, ...doubt })
  plan.moves.add('presence', presence, 'doubt')
  plan.moves.add('doubt', 'none', 'raise')
}

export function scanCause(scan: bigint, partition: string): Cause {
  return { type: 'scan', scan: scan.toString(), partition }
}
