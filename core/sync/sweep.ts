import type { GuardWindow } from '../catalog/stored.ts'
import { type GuardRule, guardRoom, overLimit } from './guard.ts'

/** A live presence that a scan did not see; see `Store.missing`. */
export interface Missing {
  readonly recordId: bigint
  readonly key: string
  /** End tick of its last confirmation. */
  readonly confirmed: bigint
  /** Begin tick of what last showed it to the credential: a page or an answer, not the body of a delivery. */
  readonly shown: bigint
  /** It has a hold that nobody has answered, or that a person rejected. */
  readonly held: boolean
  readonly missedBefore: boolean
}

export interface SweepInput<Row extends Missing> {
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
  /** Keys that the scan saw. */
  readonly seen: number
  /** Live presences of the partition. */
  readonly live: number
  /**
   * Tick since which the credential sees what it sees now. What was shown to it only before may be hidden from it now.
   * Undefined: it changed during the scan.
   */
  readonly seesSince: bigint | undefined
  readonly missing: readonly Row[]
  readonly window: GuardWindow
  readonly rule: GuardRule
}

export interface SweepDecision<Row extends Missing> {
  readonly remove: readonly Row[]
  readonly ask: readonly Row[]
  readonly hold: readonly Row[]
  /** Why they are held. */
  readonly reason?: string
  /** Neither removed nor asked about: another complete scan has to miss them, too. */
  readonly again: readonly Row[]
}

/** What an absence proves (I2, I3, I4). Pure: the one place that lets a listing take something away. */
export function sweep<Row extends Missing>(input: SweepInput<Row>): SweepDecision<Row> {
  const nothing: SweepDecision<Row> = { remove: [], ask: [], hold: [], again: [] }
  if (!input.complete || input.coverage === 'window') return nothing
  const open = input.missing.filter((row) => !row.held)
  if (open.length === 0) return nothing
  const empty = input.seen === 0 && input.live > 0
  // Where each is asked about, an answer and not the empty listing is the proof; the guard counts all the same.
  const askEach = empty && input.small === true && input.canAsk
  if (empty && !askEach) {
    return { ...nothing, hold: open, reason: `the listing is empty, ${input.live} were there` }
  }
  const { seesSince } = input
  const hidden = open.filter((row) => seesSince === undefined || row.shown < seesSince)
  const rest = hidden.length === 0 ? open : open.filter((row) => !hidden.includes(row))
  const reasons = hidden.length === 0 ? [] : ['what the credential may see has changed since it was last seen']
  if (rest.length > guardRoom(input.rule, input.window)) {
    const reason = [...reasons, overLimit(input.rule, input.window, rest.length)].join('; ')
    return { ...nothing, hold: open, reason }
  }
  const held = hidden.length === 0 ? nothing : { ...nothing, hold: hidden, reason: reasons.join() }
  return askEach ? { ...held, ask: rest } : { ...held, ...prove(input, rest) }
}

function prove<Row extends Missing>(
  input: SweepInput<Row>,
  open: readonly Row[],
): Pick<SweepDecision<Row>, 'remove' | 'ask' | 'again'> {
  // Confirmed during the scan by something that may be older than it: only the source knows.
  const sure = open.filter((row) => row.confirmed <= input.begin)
  const unsure = open.filter((row) => row.confirmed > input.begin)
  if (input.paging === 'stable') {
    return input.canAsk ? { remove: sure, ask: unsure, again: [] } : { remove: sure, ask: [], again: unsure }
  }
  if (input.canAsk) return { remove: [], ask: open, again: [] }
  const twice = (row: Row): boolean => row.missedBefore && !input.resumed
  return {
    remove: sure.filter((row) => twice(row)),
    ask: [],
    again: [...sure.filter((row) => !twice(row)), ...unsure],
  }
}
