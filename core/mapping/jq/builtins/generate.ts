import { iterate } from '../access.ts'
import { descend, meter, step } from '../budget.ts'
import {
  type Code,
  type Emit,
  type Env,
  enough,
  identity,
  many,
  type Place,
  type Stop,
  settle,
  single,
  type Walk,
} from '../code.ts'
import { conditional, firstOf } from '../control.ts'
import { fail } from '../errors.ts'
import { toNumber } from '../numbers.ts'
import { add } from '../operate.ts'
import { compare } from '../order.ts'
import { isNumber, isTrue, type Value } from '../value.ts'
import { type Builtins, missing, typeError2 } from './define.ts'

const none: Code = single(
  () => undefined,
  () => undefined,
)

/** Generators and the control of generators. Most keep places, so that they work in paths and assignments. */
export const generate: Builtins = {
  'empty/0': () => none,
  'select/1': (f = missing) => select(f),
  'range/1': (to = missing) => many((env, input, emit) => to.each(env, input, (end) => count(0, end, emit))),
  'range/2': (from = missing, to = missing) =>
    many((env, input, emit) => from.each(env, input, (start) => to.each(env, input, (end) => count(start, end, emit)))),
  'range/3': (from = missing, to = missing, by = missing) =>
    many((env, input, emit) =>
      from.each(env, input, (start) =>
        to.each(env, input, (end) => by.each(env, input, (width) => stride(start, end, width, emit))),
      ),
    ),
  'first/1': (f = missing) => {
    const one = firstOf(f)
    return single(one, (env, input, place, emit) => {
      let found: (() => Stop) | undefined
      const stop = f.walk(env, input, place, (value, at) => {
        found = () => emit(value, at)
        return enough
      })
      return found === undefined ? stop : found()
    })
  },
  'last/1': (f = missing) =>
    single((env, input) => {
      let last: Value | undefined
      settle(
        f.each(env, input, (value) => {
          last = value
          return undefined
        }),
      )
      return last
    }),
  'isempty/1': (f = missing) => {
    const first = firstOf(f)
    return single((env, input) => first(env, input) === undefined)
  },
  'limit/2': (n = missing, f = missing) => counted(n, (size, run) => limit(size, run, f)),
  'skip/2': (n = missing, f = missing) => counted(n, (size, run) => skip(size, run, f)),
  'nth/2': (n = missing, f = missing) => counted(n, (size, run) => nth(size, run, f)),
  'until/2': (condition = missing, next = missing) => until(condition, next),
  'while/2': (condition = missing, update = missing) => whilst(condition, update),
  'repeat/1': (f = missing) =>
    many(
      (env, input, emit) => forever(() => f.each(env, input, emit)),
      (env, input, place, emit) => forever(() => f.walk(env, input, place, emit)),
    ),
  'recurse/0': () => recurseAll,
  'recurse/1': (f = missing) => recurse(f),
  'recurse/2': (f = missing, condition = missing) =>
    recurse(
      many(
        (env, input, emit) => f.each(env, input, (value) => select(condition).each(env, value, emit)),
        (env, input, place, emit) =>
          f.walk(env, input, place, (value, at) => select(condition).walk(env, value, at, emit)),
      ),
    ),
}

function select(condition: Code): Code {
  const { one } = condition
  const code = conditional(condition, identity, none)
  if (one === null) return code
  return {
    ...code,
    ...single(
      (env, input) => {
        const value = one(env, input)
        return value === undefined || value === null || value === false ? undefined : input
      },
      code.walk,
      (writer, input, then) =>
        writer.run(condition, input, (value) => {
          writer.line(`if (${value} !== null && ${value} !== false) {`)
          then(input)
          writer.line('}')
        }),
    ),
  }
}

function count(start: Value, end: Value, emit: Emit): Stop {
  if (!isNumber(start) || !isNumber(end)) return fail('Range bounds must be numeric')
  const last = toNumber(end)
  for (let at = toNumber(start); at < last; at++) {
    step()
    const stop = emit(at)
    if (stop !== undefined) return stop
  }
  return undefined
}

/** jq counts by its own order and addition, so that strings work too. */
function stride(start: Value, end: Value, by: Value, emit: Emit): Stop {
  const direction = compare(by, 0)
  if (direction === 0) return undefined
  for (let at = start; direction > 0 ? compare(at, end) < 0 : compare(at, end) > 0; at = add(at, by)) {
    step()
    const stop = emit(at)
    if (stop !== undefined) return stop
  }
  return undefined
}

function forever(turn: () => Stop): Stop {
  for (;;) {
    step()
    const stop = turn()
    if (stop !== undefined) return stop
  }
}

type Give = (value: Value, place: Place | null) => Stop

/** Runs `f` once, in one of the two ways; `emit` takes the place along where there is one. */
type Run = (f: Code, emit: Give) => Stop

/** A generator ruled by a number that is computed first. */
function counted(n: Code, rule: (size: Value, run: Run) => (emit: Give) => Stop): Code {
  return many(
    (env, input, emit) =>
      n.each(env, input, (size) => rule(size, (f, give) => f.each(env, input, (value) => give(value, null)))(emit)),
    (env, input, place, emit) =>
      n.each(env, input, (size) =>
        rule(size, (f, give) => f.walk(env, input, place, give))((value, at) => emit(value, at ?? place)),
      ),
  )
}

function limit(size: Value, run: Run, f: Code): (emit: Give) => Stop {
  return (emit) => {
    const order = compare(size, 0)
    if (order < 0) return fail("limit doesn't support negative count")
    if (order === 0) return undefined
    let left: number = numeric(size)
    let done = false
    const stop = run(f, (value, place) => {
      left--
      const inner = emit(value, place)
      if (inner !== undefined || left > 0) return inner
      done = true
      return enough
    })
    return done ? undefined : stop
  }
}

function skip(size: Value, run: Run, f: Code): (emit: Give) => Stop {
  return (emit) => {
    const order = compare(size, 0)
    if (order < 0) return fail("skip doesn't support negative count")
    let left = order === 0 ? 0 : numeric(size)
    return run(f, (value, place) => {
      step()
      left--
      return left < 0 ? emit(value, place) : undefined
    })
  }
}

function nth(size: Value, run: Run, f: Code): (emit: Give) => Stop {
  return (emit) => {
    if (compare(size, 0) < 0) return fail("nth doesn't support negative indices")
    let found: (() => Stop) | undefined
    const stop = skip(
      size,
      run,
      f,
    )((value, place) => {
      found = () => emit(value, place)
      return enough
    })
    return found === undefined ? stop : found()
  }
}

function numeric(size: Value): number {
  return isNumber(size) ? toNumber(size) : typeError2(size, 1, 'cannot be subtracted')
}

/** Loops where each turn has one output, and recursion where it may have several. */
function until(condition: Code, next: Code): Code {
  const test = condition.one
  const turn = next.one
  const walk: Walk = (env, input, place, emit) => {
    descend()
    const stop = condition.each(env, input, (value) =>
      isTrue(value) ? emit(input, place) : next.walk(env, input, place, (inner, at) => walk(env, inner, at, emit)),
    )
    meter.depth--
    return stop
  }
  if (test !== null && turn !== null) {
    return single((env, input) => {
      let value: Value | undefined = input
      while (value !== undefined) {
        step()
        const done = test(env, value)
        if (done === undefined) return undefined
        if (isTrue(done)) return value
        value = turn(env, value)
      }
      return undefined
    }, walk)
  }
  const each = (env: Env, input: Value, emit: Emit): Stop => {
    descend()
    const stop = condition.each(env, input, (value) =>
      isTrue(value) ? emit(input) : next.each(env, input, (inner) => each(env, inner, emit)),
    )
    meter.depth--
    return stop
  }
  return many(each, walk)
}

function whilst(condition: Code, update: Code): Code {
  const test = condition.one
  const turn = update.one
  const walk: Walk = (env, input, place, emit) => {
    descend()
    const stop = condition.each(env, input, (value) =>
      isTrue(value)
        ? (emit(input, place) ?? update.walk(env, input, place, (inner, at) => walk(env, inner, at, emit)))
        : undefined,
    )
    meter.depth--
    return stop
  }
  if (test !== null && turn !== null) {
    return many((env, input, emit) => {
      for (let value: Value | undefined = input; value !== undefined; value = turn(env, value)) {
        step()
        const going = test(env, value)
        if (going === undefined || !isTrue(going)) return undefined
        const stop = emit(value)
        if (stop !== undefined) return stop
      }
      return undefined
    }, walk)
  }
  const each = (env: Env, input: Value, emit: Emit): Stop => {
    descend()
    const stop = condition.each(env, input, (value) =>
      isTrue(value) ? (emit(input) ?? update.each(env, input, (inner) => each(env, inner, emit))) : undefined,
    )
    meter.depth--
    return stop
  }
  return many(each, walk)
}

export function recurse(f: Code): Code {
  const { one } = f
  const walk: Walk = (env, input, place, emit) => {
    descend()
    const stop = emit(input, place) ?? f.walk(env, input, place, (value, at) => walk(env, value, at, emit))
    meter.depth--
    return stop
  }
  if (one !== null) {
    return many((env, input, emit) => {
      for (let value: Value | undefined = input; value !== undefined; value = one(env, value)) {
        step()
        const stop = emit(value)
        if (stop !== undefined) return stop
      }
      return undefined
    }, walk)
  }
  const each = (env: Env, input: Value, emit: Emit): Stop => {
    descend()
    const stop = emit(input) ?? f.each(env, input, (value) => each(env, value, emit))
    meter.depth--
    return stop
  }
  return many(each, walk)
}

/** `..`: the value and everything below it. */
const recurseAll: Code = recurse(iterate(identity, true))
