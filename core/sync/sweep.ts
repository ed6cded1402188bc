import type { GuardWindow, MissingCounts, MissingRow } from '../catalog/stored.ts'
import { type GuardRule, guardRoom, overLimit } from './guard.ts'

export interface SweepInput {
  /** Every page was read and committed, and nothing said that the listing lacks something. */
  readonly complete: boolean
  readonly coverage: 'complete' | 'window'
  readonly paging: 'stable' | 'shifting'
  readonly canAsk: boolean
  /**
   * The partition hangs on a record, so it is small: that its last object is gone is nothing unusual. Absent: it does not.
   */
  readonly small?: boolean
  readonly begin: bigint
  /** It went on after a crash or a pause. */
  readonly resumed: boolean
  /**
   * Tick since which the credential sees what it sees now. What was shown to it only before may be hidden from it now.
   * Undefined: it changed during the scan.
   */
  readonly seesSince: bigint | undefined
  readonly missing: MissingCounts
  readonly window: GuardWindow
  readonly rule: GuardRule
}

type Missing = Pick<MissingRow, 'confirmed' | 'shown' | 'held' | 'missedBefore'>

/** `leave`: nothing. `again`: another complete scan has to miss it, too. */
export type Fate = 'leave' | 'remove' | 'ask' | 'hold' | 'again'

export interface SweepDecision {
  /** It may remove some. */
  readonly removes: boolean
  /** There is something to do: it does not leave all that is missing as it is. */
  readonly acts: boolean
  /** How many it held before it was interrupted. */
  readonly heldBefore: number
  /** Why what it holds is held; '' when it holds nothing. */
  readonly reason: string
  /** Of each that is missing, whoever asks in whatever order. */
  readonly of: (row: Missing) => Fate
}

/**
 * What an absence proves (I2, I3, I4). Pure: the one place that lets a listing take something away. A sweep is judged as a
 * whole, by how many are missing; so it need not hold them all to decide about each.
 */
export function sweep(input: SweepInput): SweepDecision {
  const { missing, seesSince, window, rule } = input
  if (!input.complete || input.coverage === 'window' || missing.open === 0) return all(missing, 'leave')
  const empty = missing.seen === 0 && missing.live > 0
  // Where each is asked about, an answer and not the empty listing is the proof; the guard counts all the same.
  const askEach = empty && input.small === true && input.canAsk
  if (empty && !askEach) return all(missing, 'hold', `the listing is empty, ${missing.live} were there`)
  const reasons = missing.hidden === 0 ? [] : ['what the credential may see has changed since it was last seen']
  const rest = missing.open - missing.hidden
  // What it held before it was interrupted is a part of the same sweep.
  const taken = rest + missing.held
  if (taken > guardRoom(rule, window))
    return all(missing, 'hold', [...reasons, overLimit(rule, window, taken)].join('; '))
  return {
    acts: true,
    removes: !askEach && rest > 0 && !(input.paging === 'shifting' && input.canAsk),
    heldBefore: missing.held,
    reason: reasons.join(),
    of(row) {
      if (row.held) return 'leave'
      if (seesSince === undefined || row.shown < seesSince) return 'hold'
      return askEach ? 'ask' : proven(input, row)
    },
  }
}

function all(missing: MissingCounts, fate: 'leave' | 'hold', reason = ''): SweepDecision {
  return {
    acts: fate !== 'leave',
    removes: false,
    heldBefore: missing.held,
    reason,
    of: ({ held }) => (held ? 'leave' : fate),
  }
}

function proven(input: SweepInput, row: Missing): 'remove' | 'ask' | 'again' {
  // Confirmed during the scan by something that may be older than it: only the source knows.
  const sure = row.confirmed <= input.begin
  if (input.paging === 'stable' && sure) return 'remove'
  if (input.canAsk) return 'ask'
  const twice = row.missedBefore && !input.resumed
  return input.paging === 'shifting' && sure && twice ? 'remove' : 'again'
}
