import type { Parameters } from '../sql.ts'
import { type Bounds, timeBounds, timeRange } from './moments.ts'
import { type Comparison, lineError, type Value } from './parse.ts'

/** `*` outside of quotes stands for anything. */
export function isPattern(value: Value): boolean {
  return !value.quoted && value.text.includes('*')
}

export function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}

/**
 * A condition about a text. Without a sign case does not matter; `=` takes it as it is written. `segments`: what comes
 * after the last slash will do, so that `payments` finds `acme/payments`.
 */
export function textTest(
  text: string,
  comparison: Comparison,
  value: Value,
  parameters: Parameters,
  segments = false,
): string {
  const folded = `lower(${text} COLLATE "default")`
  const wanted = (): string => `lower(${parameters.add(value.text)}::text)`
  const like = (pattern: string): string => `${folded} LIKE lower(${parameters.add(pattern)}::text)`
  if (isPattern(value) && comparison !== '~') {
    const pattern = escapeLike(value.text).replaceAll('*', '%')
    return comparison === '=' ? `${text} LIKE ${parameters.add(pattern)}::text` : like(pattern)
  }
  switch (comparison) {
    case '':
      return segments
        ? `(${folded} = ${wanted()} OR ${like(`%/${escapeLike(value.text)}`)})`
        : `${folded} = ${wanted()}`
    case '=':
      return `${text} = ${parameters.add(value.text)}::text`
    case '~':
      return `position(${wanted()} IN ${folded}) > 0`
    case '>':
    case '>=':
    case '<':
    case '<=':
      return `${folded} COLLATE "C" ${comparison} ${wanted()} COLLATE "C"`
  }
}

export function numeric(value: Value): string | undefined {
  return !value.quoted && /^-?(?:0|[1-9]\d{0,99})(?:\.\d{1,99})?$/.test(value.text) ? value.text : undefined
}

/** `low..high`, either may be `*`. */
export function range(value: Value): readonly [string, string] | undefined {
  const [, low, high] = value.quoted ? [] : (/^(\*|[^.].*?)\.\.(\*|[^.].*)$/.exec(value.text) ?? [])
  return low === undefined || high === undefined || (low === '*' && high === '*') ? undefined : [low, high]
}

export function numberRange(value: Value): readonly [string, string] | undefined {
  const sides = range(value)
  return sides?.every((side) => side === '*' || numeric({ ...value, text: side }) !== undefined) ? sides : undefined
}

/** Undefined: the value is no moment. */
export function bounds(comparison: Comparison, value: Value, now: number): Bounds | undefined {
  if (value.quoted || comparison === '~') return undefined
  const sides = range(value)
  if (sides !== undefined && comparison === '') return timeRange(sides[0], sides[1], now)
  return timeBounds(comparison, value.text, now)
}

export function noMoment(name: string, value: Value): Error {
  return lineError(
    `${name} is a time, and "${value.text}" is none.`,
    value.place,
    `Write an age (${name}:<7d is younger; s min h d w mo y), a day (${name}:>2026-11-01) or a range (2026-11-01..2026-11-28).`,
  )
}
