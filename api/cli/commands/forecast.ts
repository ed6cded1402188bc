import type { Check, Connection, Kind } from '../../../core/sdk/index.ts'
import type { Meter } from './meter.ts'

export interface Cost {
  /** Of a first scan of all kinds. */
  readonly requests: number
  /** Those of them that count against the rate limit. */
  readonly quota: number
  readonly byKind: Readonly<Record<string, number>>
}

export interface Forecast extends Cost {
  /** About; with the waits for the rate limit. */
  readonly seconds: number
  /** What the source states of the rate limit, and what of it is left to the credential's other users. */
  readonly limit?: { readonly limit: number; readonly remaining: number; readonly reserve: number }
}

/** Requests of a first scan of these kinds; a question that is repeated before each kind is "not modified" then, and free. */
export function costOf(forecast: NonNullable<Check['forecast']>, kinds: readonly string[]): Cost {
  const { calls, listings, look = 0 } = forecast
  if (listings === undefined) return { requests: calls, quota: calls, byKind: {} }
  const byKind = Object.fromEntries(kinds.map((kind) => [kind, listings[kind] ?? 1]))
  const listed = sum(Object.values(byKind))
  return { requests: listed + look * kinds.length, quota: listed + look, byKind }
}

/** `small`: milliseconds of a question. A full page is slower, so one page of the costliest kind is read to know how slow. */
export async function forecastOf(
  cost: Cost,
  how: {
    readonly connection: Connection
    readonly partition: string | undefined
    readonly meter: Meter
    readonly small: number
    /** 0 to 1. */
    readonly reserve: number
  },
): Promise<Forecast> {
  const { connection, partition, meter, small } = how
  const costliest = Object.entries(cost.byKind).sort(([, a], [, b]) => b - a)[0]?.[0]
  const kind = connection.kinds.find(({ name }) => name === costliest)
  const page =
    kind === undefined || partition === undefined ? small : ((await pageTime(kind, partition, meter)) ?? small)
  const listed = sum(Object.values(cost.byKind))
  const busy = (page * listed + small * (cost.requests - listed)) / 1000
  const { limit, remaining, resetAt } = meter.budget()
  if (limit === undefined || remaining === undefined) return { ...cost, seconds: busy }
  const kept = Math.floor(limit * how.reserve)
  const untilReset = resetAt === undefined ? 3600 : Math.max(0, (resetAt - Date.now()) / 1000)
  const waiting = secondsOfWaiting(cost.quota, { share: limit - kept, now: remaining - kept, untilReset })
  return { ...cost, seconds: busy + waiting, limit: { limit, remaining, reserve: kept } }
}

/** Milliseconds of a request for a first page; undefined if it is refused, which the check says with its reason. */
async function pageTime(kind: Kind, partition: string, meter: Meter): Promise<number | undefined> {
  const before = meter.took.length
  const pages = kind
    .list({
      partition: { name: partition },
      known: () => undefined,
      signal: AbortSignal.timeout(60_000),
    })
    [Symbol.asyncIterator]()
  try {
    await pages.next()
    await pages.return?.()
  } catch {
    return undefined
  }
  const took = meter.took.slice(before)
  return took.length === 0 ? undefined : sum(took) / took.length
}

/** How long a scan is parked because its share of the hourly limit does not suffice. `now`: what it may use before the reset. */
export function secondsOfWaiting(
  quota: number,
  allowance: { readonly share: number; readonly now: number; readonly untilReset: number },
): number {
  const beyond = quota - Math.max(0, allowance.now)
  if (beyond <= 0) return 0
  return allowance.untilReset + 3600 * (Math.ceil(beyond / Math.max(1, allowance.share)) - 1)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
