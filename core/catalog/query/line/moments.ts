const units: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  min: 60,
  h: 3600,
  d: 86_400,
  w: 7 * 86_400,
  mo: 30 * 86_400,
  y: 365 * 86_400,
}

/** From `from` on, before `until`; milliseconds since the epoch. */
export interface Period {
  readonly from: number
  readonly until: number
}

/** `7d`, `12h`, `30min`, `2w`, `3mo`, `1y` as milliseconds. */
export function age(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,6}(?:\.\d{1,3})?)(s|min|m|h|d|w|mo|y)$/.exec(text) ?? []
  return count === undefined ? undefined : Math.min(Number(count) * (units[unit] ?? 0) * 1000, oldest)
}

const day = 86_400_000
/** Further back or ahead nothing is told apart, and dates would no longer be written with four digits. */
const oldest = 1000 * 365 * day
const latest = Date.UTC(9999, 11, 28)

/** `2026`, `2026-11`, `2026-11-28`, a whole ISO time, `today`, `yesterday`: the time that it covers, in UTC. */
export function period(text: string, now: number): Period | undefined {
  const midnight = Math.floor(now / day) * day
  if (text === 'today') return { from: midnight, until: midnight + day }
  if (text === 'yesterday') return { from: midnight - day, until: midnight }
  const parts = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/.exec(text)
  if (parts !== null) {
    const [year, month, date] = parts.slice(1).map((part) => (part === undefined ? undefined : Number(part)))
    if (year === undefined) return undefined
    const from = Date.UTC(year, (month ?? 1) - 1, date ?? 1)
    // The thirtieth of February is none.
    if (new Date(from).toISOString().slice(0, text.length) !== text) return undefined
    if (date !== undefined) return { from, until: from + day }
    return { from, until: month === undefined ? Date.UTC(year + 1, 0) : Date.UTC(year, month) }
  }
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?$/.test(text)) return undefined
  const from = Date.parse(/(?:Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`)
  return Number.isNaN(from) ? undefined : { from, until: from + (/T\d\d:\d\d(?:Z|[+-]|$)/.test(text) ? 60_000 : 1000) }
}

/** Either bound may be open. */
export interface Bounds {
  readonly from?: number
  readonly until?: number
}

/**
 * What a comparison with a moment asks for. An age compares as an age: `<7d` is younger than seven days, so later.
 * Undefined: that is no moment.
 */
export function timeBounds(comparison: string, text: string, now: number): Bounds | undefined {
  const old = age(text)
  if (old !== undefined) {
    const then = now - old
    return comparison === '>' || comparison === '>=' ? { until: then } : { from: then }
  }
  const found = period(text, now)
  if (found === undefined) return undefined
  const covered = { from: Math.min(found.from, latest), until: Math.min(found.until, latest) }
  switch (comparison) {
    case '>':
      return { from: covered.until }
    case '>=':
      return { from: covered.from }
    case '<':
      return { until: covered.from }
    case '<=':
      return { until: covered.until }
    default:
      return covered
  }
}

/** `a..b` of moments, each side may be `*`; ages may stand in either order. */
export function timeRange(low: string, high: string, now: number): Bounds | undefined {
  if (age(low) !== undefined || age(high) !== undefined) {
    const sides = [low, high].map((side) => (side === '*' ? undefined : (age(side) ?? Number.NaN)))
    if (sides.some(Number.isNaN)) return undefined
    const [younger, older] =
      sides[0] !== undefined && sides[1] !== undefined ? sides.toSorted((a, b) => (a ?? 0) - (b ?? 0)) : sides
    return {
      ...(older === undefined ? {} : { from: now - older }),
      ...(younger === undefined ? {} : { until: now - younger }),
    }
  }
  const from = low === '*' ? {} : timeBounds('>=', low, now)
  const until = high === '*' ? {} : timeBounds('<=', high, now)
  return from === undefined || until === undefined ? undefined : { ...from, ...until }
}
