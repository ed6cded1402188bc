import type { faultOdds } from './faults.ts'
import type { KindName } from './thing.ts'
import type { Deed } from './world.ts'

/** How the dice of a run are weighted. */
export interface Mix {
  /** Odds of faults where they differ from `faultOdds`. */
  readonly odds: Partial<Readonly<Record<keyof typeof faultOdds, number>>>
  /** What the odds of all other faults are multiplied by. */
  readonly others: number
  /** Of faults that exclude each other: how often the one is taken that happened least so far. */
  readonly even: number
  /** In each step with faults: something happens at a source, a parcel arrives, a scan is asked for. */
  readonly happen: number
  readonly deliver: number
  readonly scan: number
  /** How often the word that something is gone is late, beyond other deliveries: what was restored meanwhile must outlive it. */
  readonly lateGone: number
  /** Kinds whose objects change. */
  readonly kinds: readonly KindName[]
  /** So many names there are for objects, and so few entities that they meet in. */
  readonly names: number
  /** Weights of what happens, where they differ. */
  readonly deeds: Partial<Readonly<Record<Deed, number>>>
  /** Steps with faults between two rests: at least, and up to so many more. */
  readonly stretch: readonly [number, number]
}

export const defaultMix: Mix = {
  odds: {},
  others: 1,
  even: 0.8,
  happen: 0.02,
  deliver: 0.05,
  scan: 0.012,
  lateGone: 0.2,
  kinds: ['repo', 'person', 'branch', 'service', 'team', 'incident'],
  names: 14,
  deeds: {},
  stretch: [1000, 2500],
}
