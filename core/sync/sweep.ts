import type { GuardWindow } from '../catalog/store.ts'
import { type GuardRule, guardRoom, overLimit } from './guard.ts'

/** A live presence that a scan did not see; see `Store.missing`. */
export interface Missing {
  readonly recordId: bigint
  readonly key: string
  /** End tick of its last confirmation. */
  readonly confirmed: bigint
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
  readonly begin: bigint
  /** It went on after a crash or a pause. */
  readonly resumed: boolean
  /** Keys that the scan saw. */
  readonly seen: number
  /** Live presences of the partition. */
  readonly live: number
  /** The credential may see something else than at the partition's last complete scan. */
  readonly credentialChanged: boolean
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
  const hold = (reason: string): SweepDecision<Row> => ({ ...nothing, hold: open, reason })
  if (input.seen === 0 && input.live > 0) return hold(`the listing is empty, ${input.live} were there`)
  if (input.credentialChanged) return hold('what the credential may see has changed since the last complete scan')
  if (open.length > guardRoom(input.rule, input.window)) {
    return hold(overLimit(input.rule, input.window, open.length))
  }
  // Confirmed during the scan by something that may be older than it: only the source knows.
  const sure = open.filter((row) => row.confirmed <= input.begin)
  const unsure = open.filter((row) => row.confirmed > input.begin)
  if (input.paging === 'stable') {
    return input.canAsk ? { ...nothing, remove: sure, ask: unsure } : { ...nothing, remove: sure, again: unsure }
  }
  if (input.canAsk) return { ...nothing, ask: open }
  const twice = (row: Row): boolean => row.missedBefore && !input.resumed
  return {
    ...nothing,
    remove: sure.filter((row) => twice(row)),
    again: [...sure.filter((row) => !twice(row)), ...unsure],
  }
}
