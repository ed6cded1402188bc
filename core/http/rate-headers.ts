/** What an answer says about its rate limit. Times are milliseconds since the epoch by our own clock. */
export interface RateNote {
  readonly limit?: number
  readonly remaining?: number
  readonly resetAt?: number
  /** From Retry-After. */
  readonly retryAt?: number
}

/**
 * Reads `x-ratelimit-*` (GitHub: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api),
 * `ratelimit-*` (PagerDuty, GitLab) and `retry-after`. A reset is epoch seconds, epoch milliseconds or seconds from now,
 * told apart by their size. Absolute times are taken relative to the answer's own Date, because our clock may be wrong by hours.
 */
export function readRateHeaders(headers: Headers, now: number): RateNote {
  const served = Date.parse(headers.get('date') ?? '')
  const skew = Number.isNaN(served) ? 0 : now - served
  const field = (name: string): number | undefined =>
    numeric(headers.get(`x-ratelimit-${name}`) ?? headers.get(`ratelimit-${name}`))
  const limit = field('limit')
  const remaining = field('remaining')
  const resetAt = resetTime(field('reset'), now, skew)
  const retryAt = retryTime(headers.get('retry-after'), now, skew)
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(remaining === undefined ? {} : { remaining }),
    ...(resetAt === undefined ? {} : { resetAt }),
    ...(retryAt === undefined ? {} : { retryAt }),
  }
}

function numeric(text: string | null): number | undefined {
  // "100, 100;w=60" of the draft standard begins with the number that counts.
  const digits = /^\s*(\d+)/.exec(text ?? '')?.[1]
  return digits === undefined ? undefined : Number(digits)
}

function resetTime(value: number | undefined, now: number, skew: number): number | undefined {
  if (value === undefined) return undefined
  if (value > 1e11) return value + skew
  if (value > 1e9) return value * 1000 + skew
  return now + value * 1000
}

function retryTime(text: string | null, now: number, skew: number): number | undefined {
  if (text === null || text.trim() === '') return undefined
  if (/^\s*\d+(\.\d+)?\s*$/.test(text)) return now + Number(text) * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : date + skew
}
