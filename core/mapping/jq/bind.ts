import { get } from './access.ts'
import { meter, step } from './budget.ts'
import {
  Cell,
  type Code,
  type Env,
  isIntact,
  many,
  type Place,
  raised,
  type Stop,
  settle,
  single,
  type Walk,
} from './code.ts'
import { fail } from './errors.ts'
import { excerpt } from './json-write.ts'
import type { Value } from './value.ts'

/** A destructuring pattern, compiled: puts what it finds into `slots` and calls `next` once per way to match. */
export type Matcher = (
  env: Env,
  value: Value,
  place: Place | null,
  slots: Value[],
  next: (place: Place | null) => Stop,
) => Stop

export interface Patterns {
  /** More than one where `?//` separates alternatives. */
  readonly matchers: readonly Matcher[]
  /** Number of variables, all patterns together; each becomes a cell, in order. */
  readonly size: number
}

export function matchVariable(slot: number | null): Matcher {
  return (_env, value, place, slots, next) => {
    if (slot !== null) slots[slot] = value
    return next(place)
  }
}

/** Elements are matched from the last to the first; which one fails first shows in the message. */
export function matchArray(items: readonly Matcher[]): Matcher {
  const from = (
    at: number,
    env: Env,
    value: Value,
    place: Place | null,
    slots: Value[],
    next: (place: Place | null) => Stop,
  ): Stop => {
    const item = items[at]
    if (item === undefined) return next(place)
    return access(value, at, place, (found, inner) =>
      item(env, found, inner, slots, (last) => from(at - 1, env, value, last, slots, next)),
    )
  }
  return (env, value, place, slots, next) => from(items.length - 1, env, value, place, slots, next)
}

export interface FieldMatcher {
  readonly key: Code
  readonly slot: number | null
  readonly inner: Matcher | null
}

export function matchObject(fields: readonly FieldMatcher[]): Matcher {
  const from = (
    at: number,
    env: Env,
    value: Value,
    place: Place | null,
    slots: Value[],
    next: (place: Place | null) => Stop,
  ): Stop => {
    const field = fields[at]
    if (field === undefined) return next(place)
    return field.key.each(env, value, (key) =>
      access(value, key, place, (found, inner) => {
        if (field.slot !== null) slots[field.slot] = found
        const rest = (last: Place | null): Stop => from(at + 1, env, value, last, slots, next)
        return field.inner === null ? rest(inner) : field.inner(env, found, inner, slots, rest)
      }),
    )
  }
  return (env, value, place, slots, next) => from(0, env, value, place, slots, next)
}

/** Destructuring moves the path like any other access; jq does not shield it. */
function access(
  value: Value,
  key: Value,
  place: Place | null,
  next: (found: Value, place: Place | null) => Stop,
): Stop {
  if (place !== null && !isIntact(value, place)) {
    fail(`Invalid path expression near attempt to access element ${excerpt(key)} of ${excerpt(value)}`)
  }
  const found = get(value, key)
  return next(found, place === null ? null : { at: found, key, up: place })
}

/** Match a value and run `body` with the variables bound, for each way to match. */
export function destructure(
  patterns: Patterns,
  env: Env,
  value: Value,
  place: Place | null,
  body: (env: Env, place: Place | null) => Stop,
): Stop {
  const { matchers, size } = patterns
  const last = matchers.length - 1
  for (let at = 0; ; at++) {
    const matcher = matchers[at]
    if (matcher === undefined) return undefined
    const slots = Array.from({ length: size }, (): Value => null)
    const bound = (found: Place | null): Stop => {
      let inner = env
      for (const slot of slots) inner = new Cell(slot, null, inner)
      return body(inner, found)
    }
    if (at === last) return matcher(env, value, place, slots, bound)
    const { depth } = meter
    try {
      const stop = matcher(env, value, place, slots, bound)
      if (!(stop instanceof Cell)) return stop
    } catch (error) {
      raised(error)
    }
    // Any error or break on the way, also one raised behind the body, leads to the next alternative.
    meter.depth = depth
  }
}

/** `source as patterns | body` */
export function bind(source: Code, patterns: Patterns, body: Code): Code {
  const { one } = source
  const inner = body.one
  const walk: Walk = (env, input, place, emit) =>
    source.each(env, input, (value) =>
      destructure(patterns, env, value, place, (bound, found) => body.walk(bound, input, found ?? place, emit)),
    )
  if (one !== null && inner !== null && isPlain(patterns)) {
    return single((env, input) => {
      const value = one(env, input)
      return value === undefined ? undefined : inner(new Cell(value, null, env), input)
    }, walk)
  }
  return many(
    (env, input, emit) =>
      source.each(env, input, (value) =>
        destructure(patterns, env, value, null, (bound) => body.each(bound, input, emit)),
      ),
    walk,
  )
}

/** Patterns of one variable are told by this matcher, so that the common `as $x` needs no slots. */
export const plainVariable: Matcher = matchVariable(0)

function isPlain(patterns: Patterns): boolean {
  return patterns.matchers.length === 1 && patterns.matchers[0] === plainVariable
}

/** A fresh item, a number say, leaves the path where it was. */
function reached(place: Place): Place {
  return place.under ?? place
}

/** `reduce source as patterns (init; update)` */
export function reduce(source: Code, patterns: Patterns, init: Code, update: Code): Code {
  const plain = isPlain(patterns)
  const next = update.one
  const run = (env: Env, input: Value, initial: Value): Value => {
    let state: Value = initial
    settle(
      source.each(env, input, (item) => {
        step()
        if (plain && next !== null) {
          state = next(new Cell(item, null, env), state) ?? null
          return undefined
        }
        return destructure(patterns, env, item, null, (bound) => {
          const before = state
          state = null
          return update.each(bound, before, (value) => {
            state = value
            return undefined
          })
        })
      }),
    )
    return state
  }
  const walk: Walk = (env, input, place, emit) =>
    init.walk(env, input, place, (initial, start) => {
      let state: Value = initial
      const stop = source.walk(env, input, start, (item, at) =>
        destructure(patterns, env, item, at, (bound, found) => {
          step()
          const before = state
          state = null
          return update.walk(bound, before, reached(found ?? at), (value) => {
            state = value
            return undefined
          })
        }),
      )
      return stop ?? emit(state, start)
    })
  const { one } = init
  if (one !== null) {
    return single((env, input) => {
      const initial = one(env, input)
      return initial === undefined ? undefined : run(env, input, initial)
    }, walk)
  }
  return many((env, input, emit) => init.each(env, input, (initial) => emit(run(env, input, initial))), walk)
}

/** `foreach source as patterns (init; update; extract)` */
export function foreach(source: Code, patterns: Patterns, init: Code, update: Code, extract: Code): Code {
  return many(
    (env, input, emit) =>
      init.each(env, input, (initial) => {
        let state: Value = initial
        return source.each(env, input, (item) =>
          destructure(patterns, env, item, null, (bound) => {
            step()
            const before = state
            state = null
            return update.each(bound, before, (value) => {
              state = value
              return extract.each(bound, value, emit)
            })
          }),
        )
      }),
    (env, input, place, emit) =>
      init.walk(env, input, place, (initial, start) => {
        let state: Value = initial
        return source.walk(env, input, start, (item, at) =>
          destructure(patterns, env, item, at, (bound, found) => {
            step()
            const before = state
            state = null
            return update.walk(bound, before, reached(found ?? at), (value, last) => {
              state = value
              return extract.walk(bound, value, last, emit)
            })
          }),
        )
      }),
  )
}
