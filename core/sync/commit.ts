import type { Batch, Committed, Hold, RecordWrite } from '../catalog/batch.ts'
import { StaleDecision } from '../catalog/refusals.ts'
import type { GuardWindow } from '../catalog/stored.ts'
import { type GuardRule, guardRoom, guardRoomOf, overLimit } from './guard.ts'
import { isEmpty, type Plan, type PlannedRemap, type PlannedRemoval, type PlannedWrite } from './plan.ts'
import { type Take, withHeld } from './reconcile.ts'
import { emit, guardOf, type KindSession, now, type Session } from './session.ts'
import { wantedBy } from './wants.ts'

/** Decisions are made again when what they were based on has moved; inside the source's turn nobody else moves it. */
const ATTEMPTS = 5

/** A plan that was made outside of the source's turn, while another commits. */
export interface Ready {
  readonly plan: Plan
  /** `session.turns.holds` before it was made. */
  readonly holds: number
}

/**
 * Writes a plan in one transaction. One that was made ahead is made again when a record has moved meanwhile, or a hold: what
 * a person approved and another commit carried out must not be put back.
 */
export async function commitPlan(
  session: Session,
  kind: KindSession,
  prepare: () => Promise<Plan>,
  ready?: Ready,
): Promise<Committed> {
  return session.write(async () => {
    for (let attempt = 1; ; attempt++) {
      const made = attempt === 1 && ready?.holds === session.turns.holds ? ready.plan : undefined
      const plan = made ?? (await prepare())
      try {
        return await commitPlanOnce(session, kind, plan)
      } catch (error) {
        if (!(error instanceof StaleDecision) || attempt === ATTEMPTS) throw error
      }
    }
  })
}

/** Inside the source's turn. Throws StaleDecision when something moved. */
export async function commitPlanOnce(session: Session, kind: KindSession, plan: Plan): Promise<Committed> {
  if (isEmpty(plan)) return { created: 0, updated: 0, renamed: 0, deleted: 0 }
  const { batch, held, reason } = await guarded(session, kind, plan)
  const committed = await session.ports.store.commit(batch)
  if (plan.cause.type !== 'remap') session.turns.others += 1
  if ((batch.holds?.length ?? 0) + (batch.settledHolds?.length ?? 0) > 0) session.turns.holds += 1
  plan.moves.report(session.settings.onTransition)
  if (plan.removals.length > 0) session.orphans.lookAt = 0
  if (plan.requestedScans.size > 0) session.onScanRequest?.()
  const { created, updated, renamed, deleted } = committed
  if (created + updated + renamed + deleted > 0) {
    emit(session, { type: 'changes', source: session.runtime.name, created, updated, renamed, deleted })
  }
  if (held > 0) emit(session, { type: 'held', source: session.runtime.name, kind: kind.name, count: held, reason })
  return committed
}

/** The guard stands before every write that takes something away (I4). */
async function guarded(
  session: Session,
  kind: KindSession,
  plan: Plan,
): Promise<{ batch: Batch; held: number; reason: string }> {
  const takes = [...plan.writes, ...plan.remaps].flatMap((write) => write.takes)
  const guardable = plan.removals.filter((removal) => !removal.signed)
  const holds: Hold[] = [...plan.holds]
  let reason = plan.holds[0]?.reason ?? ''
  let removals: readonly PlannedRemoval[] = plan.removals
  let heldTakes: ReadonlySet<Take> = new Set()
  if (takes.length + guardable.length > 0) {
    const window = await session.ports.store.guardWindow(kind.id, now(session))
    const rule = guardOf(session)
    const room = guardRoom(rule, window)
    const heldRemovals = new Set(guardable.slice(room))
    removals = plan.removals.filter((removal) => !heldRemovals.has(removal))
    heldTakes = overruled(takes, window, rule, Math.max(0, room - guardable.length))
    if (heldRemovals.size + heldTakes.size > 0) {
      reason = overLimit(rule, window, guardable.length + takes.length)
      for (const { recordId, partitionId } of heldRemovals) {
        holds.push({ recordId, partitionId, what: 'presence', reason })
      }
    }
  }
  const counted = { contributions: plan.counted, nulled: {} as Record<string, number> }
  const settledHolds = [...plan.settledHolds]
  /** What a record says, with what is held put back. */
  const said = (write: PlannedWrite | PlannedRemap): RecordWrite['drafts'] => {
    const held = write.takes.filter((take) => heldTakes.has(take))
    for (const take of write.takes) if (!heldTakes.has(take)) count(counted, take)
    // Only what is stored can be taken away, so the id is there.
    if (write.recordId !== undefined) {
      for (const take of held) holds.push({ recordId: write.recordId, what: take.what, reason: reasonOf(take, reason) })
      for (const each of write.settled) settledHolds.push({ recordId: write.recordId, ...each })
    }
    return withHeld(write.drafts, held)
  }
  const wanted = (drafts: RecordWrite['drafts']): Pick<RecordWrite, 'drafts' | 'wanted'> => {
    const names = wantedBy(session.mappings, drafts)
    return names === undefined ? { drafts } : { drafts, wanted: names }
  }
  const writes = plan.writes.map((write) => ({ ...write.record, ...wanted(said(write)) }))
  const remaps = plan.remaps.map((write) => ({ ...write.record, ...wanted(said(write)) }))
  if (holds.length > 0) plan.moves.add('hold', 'none', 'hold')
  if (removals.length > 0) plan.moves.add('presence', 'live', 'remove')
  if (holds.some((hold) => hold.what === 'presence')) plan.moves.add('presence', 'live', 'hold')
  const taking = counted.contributions > 0 || Object.keys(counted.nulled).length > 0
  const batch: Batch = {
    sourceId: session.source.id,
    kindId: kind.id,
    fence: session.fence,
    mappingId: session.mappingId,
    cause: plan.cause,
    now: now(session),
    writes,
    remaps,
    confirmations: plan.confirmations,
    removals,
    holds,
    settledHolds,
    ...(plan.page === undefined ? {} : { page: plan.page }),
    deliveries: plan.deliveries,
    doubts: plan.doubts,
    settledDoubts: plan.settledDoubts,
    requestedScans: [...plan.requestedScans],
    ...(plan.mutes.length === 0 ? {} : { mute: plan.mutes }),
    ...(plan.unmutes.length === 0 ? {} : { unmute: plan.unmutes }),
    ...(taking ? { taken: counted } : {}),
  }
  return { batch, held: holds.length, reason }
}

/** Which of the takes have to be held: what goes beyond the room, counted by contributions and by each property. */
function overruled(takes: readonly Take[], window: GuardWindow, rule: GuardRule, room: number): Set<Take> {
  const held = new Set<Take>()
  const left = new Map<string, number>()
  for (const take of takes) {
    const counter = take.type === 'contribution' ? '' : take.property
    const before = left.get(counter) ?? (take.type === 'contribution' ? room : guardRoomOf(rule, window, take.property))
    if (before <= 0) held.add(take)
    left.set(counter, before - 1)
  }
  return held
}

function count(counted: { contributions: number; nulled: Record<string, number> }, take: Take): void {
  if (take.type === 'contribution') counted.contributions += 1
  else counted.nulled[take.property] = (counted.nulled[take.property] ?? 0) + 1
}

function reasonOf(take: Take, counted: string): string {
  return take.type === 'contribution' ? `no longer selected; ${counted}` : `"${take.name}" turned null; ${counted}`
}
