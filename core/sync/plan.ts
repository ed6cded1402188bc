import type { Cause, Confirmation, Hold, Mute, PageWrite, RecordRemap, RecordWrite, Removal } from '../catalog/batch.ts'
import type { Doubt, StoredRecord } from '../catalog/stored.ts'
import type { JsonObject } from '../sdk/index.ts'
import { Moves } from './moves.ts'
import type { Reconciled, Said, Take } from './reconcile.ts'

/** What a record is to say. */
interface Planned {
  /** Absent for a key that is not stored yet. */
  readonly recordId: bigint | undefined
  readonly drafts: readonly Said[]
  /** What the guard may put back. */
  readonly takes: readonly Take[]
  readonly settled: Reconciled['settled']
}

export interface PlannedWrite extends Planned {
  readonly record: Omit<RecordWrite, 'drafts'>
}

export interface PlannedRemap extends Planned {
  readonly record: Omit<RecordRemap, 'drafts'>
}

export interface PlannedRemoval extends Removal {
  /** The source's own word for this key, or a person's approval: it is not held. */
  readonly signed: boolean
}

export interface SettledHold {
  readonly recordId: bigint
  readonly what: string
  readonly partitionId?: number
  readonly state: 'dissolved' | 'released'
}

/** What one transaction is to write, before the guard has looked at it. */
export interface Plan {
  readonly cause: Cause
  readonly moves: Moves
  readonly writes: PlannedWrite[]
  readonly remaps: PlannedRemap[]
  readonly confirmations: Confirmation[]
  readonly removals: PlannedRemoval[]
  readonly holds: Hold[]
  readonly settledHolds: SettledHold[]
  readonly deliveries: { readonly id: bigint; readonly error?: JsonObject }[]
  readonly doubts: Omit<Doubt, 'attempts'>[]
  readonly settledDoubts: { readonly key: string; readonly partitionId: number; readonly serial: bigint }[]
  readonly requestedScans: Set<string>
  /** Contributions that own nothing from now on, or own again (deleteDependentEntities). */
  readonly mutes: Mute[]
  readonly unmutes: Mute[]
  /** Of the mutes, how many the guard counts. */
  counted: number
  page?: PageWrite
}

export function newPlan(cause: Cause): Plan {
  return {
    cause,
    moves: new Moves(),
    writes: [],
    remaps: [],
    confirmations: [],
    removals: [],
    holds: [],
    settledHolds: [],
    deliveries: [],
    doubts: [],
    settledDoubts: [],
    requestedScans: new Set(),
    mutes: [],
    unmutes: [],
    counted: 0,
  }
}

export function isEmpty(plan: Plan): boolean {
  return (
    plan.page === undefined &&
    plan.requestedScans.size === 0 &&
    [
      plan.writes,
      plan.remaps,
      plan.confirmations,
      plan.removals,
      plan.holds,
      plan.settledHolds,
      plan.deliveries,
      plan.doubts,
      plan.settledDoubts,
      plan.mutes,
      plan.unmutes,
    ].every((list) => list.length === 0)
  )
}

/** Ends one presence of a stored record, unless it has ended or a hold keeps it that only more than this proof may open. */
export function planRemoval(
  plan: Plan,
  record: StoredRecord,
  removal: Omit<Removal, 'recordId' | 'confirmed'> & { readonly signed: boolean },
): boolean {
  const { partitionId } = removal
  const presence = record.presences.find((each) => each.partitionId === partitionId)
  if (record.state === 'gone' || presence === undefined || presence.ended) return false
  const hold = presenceHold(record, partitionId)
  if (hold !== undefined) {
    if (!removal.signed) return false
    plan.moves.add('hold', hold.state, 'sign')
    plan.settledHolds.push({ recordId: record.id, what: 'presence', partitionId, state: 'released' })
  }
  plan.removals.push({ recordId: record.id, confirmed: presence.span.end, ...removal })
  return true
}

/** The record was seen in the partition: what was held because it seemed gone is answered. */
export function dissolvePresenceHold(plan: Plan, record: StoredRecord, partitionId: number): void {
  const hold = presenceHold(record, partitionId)
  if (hold === undefined) return
  plan.moves.add('hold', hold.state, 'see again')
  plan.settledHolds.push({ recordId: record.id, what: 'presence', partitionId, state: 'dissolved' })
}

function presenceHold(record: StoredRecord, partitionId: number): StoredRecord['holds'][number] | undefined {
  return record.holds.find((each) => each.what === 'presence' && each.partitionId === partitionId)
}
