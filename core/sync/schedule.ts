import { createTask, parse } from 'node-cron'

const DAY = 86_400_000
/** Every cron expression that can match at all does so within this (a 29 February on a given weekday). */
const HORIZON_DAYS = 366 * 40

/**
 * First moment strictly after `after` that a cron expression (five fields, or six with seconds) names, in UTC; both in
 * milliseconds since the epoch. Throws for an expression that cannot be read or never matches.
 */
export function nextRun(expression: string, after: number): number {
  const fields = parse(expression)
  // The parser's own matcher knows its day tokens (L, 1#2); the task is never started.
  const matcher = createTask(expression, () => undefined, { timezone: 'Etc/UTC' })
  try {
    const from = Math.floor(after / 1000) * 1000 + 1000
    for (let day = Math.floor(from / DAY) * DAY, left = HORIZON_DAYS; left > 0; day += DAY, left--) {
      if (!fields.month.includes(new Date(day).getUTCMonth() + 1)) continue
      for (const time of timesOfDay(fields)) {
        if (day + time < from) continue
        // Hour, minute and second are right, so it is the day that does not match.
        if (!matcher.match(new Date(day + time))) break
        return day + time
      }
    }
  } finally {
    void matcher.destroy()
  }
  throw new Error(`The schedule "${expression}" never comes.`)
}

function* timesOfDay(fields: { hour: number[]; minute: number[]; second: number[] }): Iterable<number> {
  for (const hour of ascending(fields.hour)) {
    for (const minute of ascending(fields.minute)) {
      for (const second of ascending(fields.second)) yield ((hour * 60 + minute) * 60 + second) * 1000
    }
  }
}

function ascending(numbers: readonly number[]): number[] {
  return numbers.toSorted((left, right) => left - right)
}
