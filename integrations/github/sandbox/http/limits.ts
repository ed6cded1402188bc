// Rate limits counted as GitHub counts them: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
import { Refusal } from './refusal.ts'

export interface LimitSettings {
  /** Primary: requests an hour, of a person over all of their tokens, and of an address that is not signed in. */
  hourly: number
  unauthenticated: number
  /** Secondary. */
  concurrent: number
  pointsPerMinute: number
  creationsPerMinute: number
  creationsPerHour: number
}

export const githubLimits: LimitSettings = {
  hourly: 5000,
  unauthenticated: 60,
  concurrent: 100,
  pointsPerMinute: 900,
  creationsPerMinute: 80,
  creationsPerHour: 500,
}

const hour = 3_600_000
const minute = 60_000

interface Window {
  start: number
  used: number
}

export interface Rate {
  limit: number
  used: number
  remaining: number
  /** Seconds since 1970. */
  reset: number
}

const secondaryMessage =
  'You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to GitHub Support for help, please include the request ID.'

export const secondaryRefusal = (seconds: number): Refusal =>
  new Refusal(403, secondaryMessage, { headers: { 'Retry-After': String(seconds) } })

export class Limits {
  settings: LimitSettings
  readonly #clock: () => number
  #ahead = 0
  readonly #windows = new Map<string, Window>()
  readonly #running = new Map<string, number>()

  constructor(settings: LimitSettings, clock: () => number) {
    this.settings = settings
    this.#clock = clock
  }

  /** The clock of the limits in milliseconds; `advance` moves it, nothing else in the sandbox. */
  readonly now = (): number => this.#clock() + this.#ahead

  advance(seconds: number): void {
    this.#ahead += seconds * 1000
  }

  #window(name: string, who: string, length: number): Window {
    const key = `${name} ${who}`
    const found = this.#windows.get(key)
    if (found && this.now() < found.start + length) return found
    const fresh = { start: this.now(), used: 0 }
    this.#windows.set(key, fresh)
    return fresh
  }

  #left(window: Window, length: number): number {
    return Math.max(1, Math.ceil((window.start + length - this.now()) / 1000))
  }

  /** `who` is `graphql user:ID`, which has a limit of its own, `user:ID`, `installation:ID`, `app:ID` or `address:IP`. */
  rate(who: string): Rate {
    const limit = who.startsWith('address:') ? this.settings.unauthenticated : this.settings.hourly
    const { start, used } = this.#window('hour', who, hour)
    return { limit, used, remaining: Math.max(0, limit - used), reset: Math.ceil((start + hour) / 1000) }
  }

  /** Uses up what is left of the primary limit: for tests of an exhausted credential. */
  exhaust(who: string): void {
    this.#window('hour', who, hour).used = this.rate(who).limit
  }

  /** False if this one is one too many at the same time; it must be left all the same. */
  begin(who: string): boolean {
    const running = (this.#running.get(who) ?? 0) + 1
    this.#running.set(who, running)
    return running <= this.settings.concurrent
  }

  end(who: string): void {
    const running = (this.#running.get(who) ?? 1) - 1
    if (running > 0) this.#running.set(who, running)
    else this.#running.delete(who)
  }

  /** The secondary limits over time; refuses before any work is done. */
  spend(who: string, method: string): void {
    const points = this.#window('points', who, minute)
    if (points.used >= this.settings.pointsPerMinute) throw secondaryRefusal(this.#left(points, minute))
    if (method === 'POST') {
      const short = this.#window('creations a minute', who, minute)
      if (short.used >= this.settings.creationsPerMinute) throw secondaryRefusal(this.#left(short, minute))
      const long = this.#window('creations an hour', who, hour)
      if (long.used >= this.settings.creationsPerHour) throw secondaryRefusal(this.#left(long, hour))
      short.used += 1
      long.used += 1
    }
    points.used += method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? 1 : 5
  }

  count(who: string): void {
    this.#window('hour', who, hour).used += 1
  }
}

export const rateHeaders = (rate: Rate, resource = 'core'): Record<string, string> => ({
  'X-RateLimit-Limit': String(rate.limit),
  'X-RateLimit-Remaining': String(rate.remaining),
  'X-RateLimit-Reset': String(rate.reset),
  'X-RateLimit-Used': String(rate.used),
  'X-RateLimit-Resource': resource,
})
