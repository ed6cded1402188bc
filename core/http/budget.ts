import { type Priority, RateLimited } from '../sdk/index.ts'
import type { RateNote } from './rate-headers.ts'

/** What is known of one credential's rate limit, for status and metrics. Times are milliseconds since the epoch. */
export interface BudgetState {
  readonly credential: string
  readonly limit?: number
  readonly remaining?: number
  readonly resetAt?: number
  /** No call at all before. Absent: none is stated. */
  readonly blockedUntil?: number
  readonly inFlight: number
  /** Since the process started. */
  readonly calls: number
  /** Answers that told us to wait. */
  readonly limited: number
}

/** Share of the reserve below which a call of this priority is refused. Scans stop where the reserve begins. */
const FLOOR: Readonly<Record<Priority, number>> = { scan: 1, confirm: 0.5, action: 0.25, live: 0 }

const FIRST_BACKOFF = 60_000
const LONGEST_BACKOFF = 3_600_000

/** One credential's budget, shared by everything that calls with it. It never waits: it refuses with the time to come back. */
export class Budget {
  readonly #credential: string
  #limit: number | undefined
  #remaining: number | undefined
  #resetAt: number | undefined
  #blockedUntil = 0
  #backoff = FIRST_BACKOFF
  #inFlight = 0
  #calls = 0
  #limited = 0

  constructor(credential: string) {
    this.#credential = credential
  }

  /** Call before every attempt, and `leave` after it. Throws RateLimited. */
  enter(priority: Priority, reserveShare: number, now: number): void {
    if (now < this.#blockedUntil) {
      throw new RateLimited('The source asked to wait; no call is made before its reset.', this.#blockedUntil)
    }
    if (this.#resetAt !== undefined && now >= this.#resetAt) this.#forget()
    if (this.#remaining !== undefined && this.#resetAt !== undefined) {
      const floor = Math.floor((this.#limit ?? 0) * reserveShare * FLOOR[priority])
      if (this.#remaining - this.#inFlight <= floor) {
        throw new RateLimited(`The rate budget for this ${priority} is used up until the reset.`, this.#resetAt)
      }
    }
    this.#inFlight += 1
    this.#calls += 1
  }

  leave(): void {
    this.#inFlight -= 1
  }

  /** Learns from an answer that was served. */
  observe(note: RateNote, now: number): void {
    this.#backoff = FIRST_BACKOFF
    this.#learn(note, now)
  }

  /** Learns from an answer that told us to wait. Returns when the next call may be made. */
  refuse(note: RateNote, now: number): number {
    this.#limited += 1
    this.#learn(note, now)
    const exhausted = note.remaining === undefined || note.remaining === 0 ? note.resetAt : undefined
    let retryAt = Math.max(note.retryAt ?? 0, exhausted ?? 0)
    if (retryAt === 0) {
      retryAt = now + this.#backoff
      this.#backoff = Math.min(this.#backoff * 2, LONGEST_BACKOFF)
    }
    // A reset in the past must not let a loop spin.
    this.#blockedUntil = Math.max(this.#blockedUntil, retryAt, now + 1000)
    return this.#blockedUntil
  }

  /** After a restart: what an earlier process had been told. */
  block(until: number): void {
    this.#blockedUntil = Math.max(this.#blockedUntil, until)
  }

  state(now: number): BudgetState {
    const current = this.#resetAt === undefined || now < this.#resetAt
    return {
      credential: this.#credential,
      ...(this.#limit === undefined ? {} : { limit: this.#limit }),
      ...(this.#remaining === undefined || !current ? {} : { remaining: this.#remaining }),
      ...(this.#resetAt === undefined || !current ? {} : { resetAt: this.#resetAt }),
      ...(now < this.#blockedUntil ? { blockedUntil: this.#blockedUntil } : {}),
      inFlight: this.#inFlight,
      calls: this.#calls,
      limited: this.#limited,
    }
  }

  #forget(): void {
    this.#remaining = undefined
    this.#resetAt = undefined
  }

  #learn(note: RateNote, now: number): void {
    if (note.remaining === undefined || note.resetAt === undefined || note.resetAt <= now) return
    if (note.limit !== undefined) this.#limit = note.limit
    // Answers overtake each other: within one window the lowest number is the newest. Resets are whole seconds, so they wobble.
    const sameWindow = this.#resetAt !== undefined && Math.abs(note.resetAt - this.#resetAt) <= 2000
    if (sameWindow && this.#remaining !== undefined) this.#remaining = Math.min(this.#remaining, note.remaining)
    else if (this.#resetAt !== undefined && note.resetAt < this.#resetAt) return
    else this.#remaining = note.remaining
    this.#resetAt = Math.max(this.#resetAt ?? 0, note.resetAt)
  }
}

/** Budgets by credential: two sources with one token share one. `credential` is a digest or a name, never the secret. */
export class Budgets {
  readonly #all = new Map<string, Budget>()

  of(credential: string): Budget {
    const known = this.#all.get(credential)
    if (known !== undefined) return known
    const fresh = new Budget(credential)
    this.#all.set(credential, fresh)
    return fresh
  }

  states(now: number): readonly BudgetState[] {
    return [...this.#all.values()].map((budget) => budget.state(now))
  }
}
