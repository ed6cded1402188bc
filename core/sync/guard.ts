import type { GuardWindow } from '../catalog/stored.ts'

export interface GuardRule {
  /** Of the highest number of the last 24 hours, 0 to 1. */
  readonly share: number
  /** So many may always go. */
  readonly minimum: number
}

/** How many of a kind may be taken away in 24 hours (I4). */
export function guardLimit(rule: GuardRule, window: GuardWindow): number {
  return Math.max(rule.minimum, Math.floor(rule.share * Math.max(window.high, window.live)))
}

/** How many more may go now. */
export function guardRoom(rule: GuardRule, window: GuardWindow): number {
  return Math.max(0, guardLimit(rule, window) - window.removed)
}

/** The same for one property that turns from a value to null. `property` as in `Batch.taken.nulled`. */
export function guardRoomOf(rule: GuardRule, window: GuardWindow, property: string): number {
  const nulled = Object.hasOwn(window.nulled, property) ? (window.nulled[property] ?? 0) : 0
  return Math.max(0, guardLimit(rule, window) - nulled)
}

/** For people, where something is held. */
export function overLimit(rule: GuardRule, window: GuardWindow, asked: number): string {
  const share = `${Math.round(rule.share * 100)} %`
  return `${asked} to take away, ${window.removed} in the last 24 hours already, limit ${guardLimit(rule, window)} (${share} of ${Math.max(window.high, window.live)}, at least ${rule.minimum})`
}
