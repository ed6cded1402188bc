import type { GuardWindow } from '../catalog/stored.ts'

export interface GuardRule {
  /** Of the highest number of the last 24 hours, 0 to 1. */
  readonly share: number
  /** So many may always go. */
  readonly minimum: number
  /** The mapping file's own share (entityDeletionThreshold): no more goes, whatever the others say. */
  readonly threshold?: number
}

/** How many of a kind may be taken away in 24 hours (I4). */
export function guardLimit(rule: GuardRule, window: GuardWindow): number {
  const limit = usualLimit(rule, window)
  return rule.threshold === undefined ? limit : Math.min(limit, shareOf(rule.threshold, window))
}

function usualLimit({ share, minimum }: GuardRule, window: GuardWindow): number {
  return Math.max(minimum, shareOf(share, window))
}

/** 0.29 of 100 is 28.999999999999996 to a computer. */
function shareOf(share: number, { high, live }: GuardWindow): number {
  return Math.floor(share * Math.max(high, live) + 1e-6)
}

/** How many more may go now. */
export function guardRoom(rule: GuardRule, window: GuardWindow): number {
  return Math.max(0, guardLimit(rule, window) - window.removed)
}

/** The same for one property that turns from a value to null, which is no deletion. `property` as in `Batch.taken.nulled`. */
export function guardRoomOf(rule: GuardRule, window: GuardWindow, property: string): number {
  const nulled = Object.hasOwn(window.nulled, property) ? (window.nulled[property] ?? 0) : 0
  return Math.max(0, usualLimit(rule, window) - nulled)
}

/** For people, where something is held. */
export function overLimit(rule: GuardRule, window: GuardWindow, asked: number): string {
  const limit = guardLimit(rule, window)
  const all = Math.max(window.high, window.live)
  const why =
    rule.threshold !== undefined && limit < usualLimit(rule, window)
      ? `${percent(rule.threshold)} of ${all} by the mapping file's entityDeletionThreshold`
      : `${percent(rule.share)} of ${all}, at least ${rule.minimum}`
  return `${asked} to take away, ${window.removed} in the last 24 hours already, limit ${limit} (${why})`
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`
}
