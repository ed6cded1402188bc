import { meter } from './budget.ts'
import {
  broken,
  Cell,
  type Code,
  type Env,
  enough,
  many,
  raised,
  type Stop,
  selecting,
  settle,
  single,
  Unwind,
  type Walk,
} from './code.ts'
import type { Raised } from './errors.ts'
import { isTrue, type Value } from './value.ts'

export function pipe(left: Code, right: Code): Code {
  const code = selecting(piped(left, right), left, right)
  const { items, eachItem } = left
  if (items === undefined || right.one === null) return code
  return { ...code, items, eachItem: eachItem === undefined ? right : piped(eachItem, right) }
}

function piped(left: Code, right: Code): Code {
  const a = left.one
  const b = right.one
  const walk: Walk = (env, input, place, emit) =>
    left.walk(env, input, place, (value, found) => right.walk(env, value, found, emit))
  if (a !== null && b !== null) {
    return single(
      (env, input) => {
        const value = a(env, input)
        return value === undefined ? undefined : b(env, value)
      },
      walk,
      (writer, input, then) => writer.run(left, input, (value) => writer.run(right, value, then)),
    )
  }
  if (a !== null) {
    return many((env, input, emit) => {
      const value = a(env, input)
      return value === undefined ? undefined : right.each(env, value, emit)
    }, walk)
  }
  if (b !== null) {
    return many(
      (env, input, emit) =>
        left.each(env, input, (value) => {
          const result = b(env, value)
          return result === undefined ? undefined : emit(result)
        }),
      walk,
    )
  }
  return many((env, input, emit) => left.each(env, input, (value) => right.each(env, value, emit)), walk)
}

export function comma(left: Code, right: Code): Code {
  return many(
    (env, input, emit) => left.each(env, input, emit) ?? right.each(env, input, emit),
    (env, input, place, emit) => left.walk(env, input, place, emit) ?? right.walk(env, input, place, emit),
  )
}

export function conditional(condition: Code, then: Code, otherwise: Code): Code {
  return selecting(branch(condition, then, otherwise), then, otherwise)
}

function branch(condition: Code, consequence: Code, otherwise: Code): Code {
  const test = condition.one
  const yes = consequence.one
  const no = otherwise.one
  const walk: Walk = (env, input, place, emit) =>
    condition.each(env, input, (value) => (isTrue(value) ? consequence : otherwise).walk(env, input, place, emit))
  if (test !== null && yes !== null && no !== null) {
    return single(
      (env, input) => {
        const value = test(env, input)
        if (value === undefined) return undefined
        return value === null || value === false ? no(env, input) : yes(env, input)
      },
      walk,
      (writer, input, then) =>
        writer.run(condition, input, (value) => {
          const result = writer.name('undefined')
          const keep = (output: string): void => writer.line(`${result} = ${output}`)
          writer.line(`if (${value} === null || ${value} === false) {`)
          writer.run(otherwise, input, keep)
          writer.line('} else {')
          writer.run(consequence, input, keep)
          writer.line('}')
          writer.given(result, then)
        }),
    )
  }
  return many(
    (env, input, emit) =>
      condition.each(env, input, (value) => (isTrue(value) ? consequence : otherwise).each(env, input, emit)),
    walk,
  )
}

/** `and` and `or`. The operands are not protected from a surrounding path expression; jq does not either. */
export function logic(operator: 'and' | 'or', left: Code, right: Code): Code {
  const decided = operator === 'or'
  const a = left.one
  const b = right.one
  const walk: Walk = (env, input, place, emit) =>
    left.walk(env, input, place, (value, found) =>
      isTrue(value) === decided
        ? emit(decided, found)
        : right.walk(env, input, found, (other, last) => emit(isTrue(other), last)),
    )
  if (a !== null && b !== null) {
    return single(
      (env, input) => {
        const value = a(env, input)
        if (value === undefined) return undefined
        if (isTrue(value) === decided) return decided
        const other = b(env, input)
        return other === undefined ? undefined : isTrue(other)
      },
      walk,
      (writer, input, then) =>
        writer.run(left, input, (value) => {
          const result = writer.name('undefined')
          writer.line(`if ((${value} !== null && ${value} !== false) === ${decided}) ${result} = ${decided}`)
          writer.line('else {')
          writer.run(right, input, (other) => writer.line(`${result} = ${other} !== null && ${other} !== false`))
          writer.line('}')
          writer.given(result, then)
        }),
    )
  }
  return many(
    (env, input, emit) =>
      left.each(env, input, (value) =>
        isTrue(value) === decided ? emit(decided) : right.each(env, input, (other) => emit(isTrue(other))),
      ),
    walk,
  )
}

/** `left // right`: the true outputs of the left, or else the right. An error of the left stays an error. */
export function alternative(left: Code, right: Code): Code {
  return selecting(either(left, right), left, right)
}

function either(left: Code, right: Code): Code {
  const a = left.one
  const b = right.one
  const walk: Walk = (env, input, place, emit) => {
    let found = false
    const stop = left.walk(env, input, place, (value, at) => {
      if (!isTrue(value)) return undefined
      found = true
      return emit(value, at)
    })
    return found || stop !== undefined ? stop : right.walk(env, input, place, emit)
  }
  if (a !== null && b !== null) {
    return single(
      (env, input) => {
        const value = a(env, input)
        return value === undefined || value === null || value === false ? b(env, input) : value
      },
      walk,
      (writer, input, then) => {
        const value = writer.value(left, input)
        writer.line(`if (${value} === undefined || ${value} === null || ${value} === false) {`)
        writer.line(`${value} = undefined`)
        writer.run(right, input, (other) => writer.line(`${value} = ${other}`))
        writer.line('}')
        writer.given(value, then)
      },
    )
  }
  return many((env, input, emit) => {
    let found = false
    const stop = left.each(env, input, (value) => {
      if (!isTrue(value)) return undefined
      found = true
      return emit(value)
    })
    return found || stop !== undefined ? stop : right.each(env, input, emit)
  }, walk)
}

/** `try body catch handler`. What goes wrong behind an output of the body is none of its business. */
export function attempt(body: Code, handler: Code | null): Code {
  const a = body.one
  /** `run` gets a function that marks what is downstream; `rescue` is for an error or a `break` of the body itself. */
  const guard = (run: (downstream: (emit: () => Stop) => Stop) => Stop, rescue: (value: Value) => Stop): Stop => {
    let outside = false
    let passed: Stop
    const { depth } = meter
    let failure: Raised
    try {
      const stop = run((emit) => {
        outside = true
        passed = emit()
        outside = false
        return passed
      })
      if (stop === passed || !(stop instanceof Cell)) return stop
      failure = broken
    } catch (error) {
      if (outside) throw error
      failure = raised(error)
    }
    meter.depth = depth
    return rescue(failure.value)
  }
  const walk: Walk = (env, input, place, emit) =>
    guard(
      (downstream) => body.walk(env, input, place, (value, at) => downstream(() => emit(value, at))),
      (value) => handler?.walk(env, value, place, emit),
    )
  if (a !== null && (handler === null || handler.one !== null)) {
    const rescue = handler?.one
    return single((env, input) => {
      const { depth } = meter
      try {
        return a(env, input)
      } catch (error) {
        const { value } = raised(error)
        meter.depth = depth
        return rescue?.(env, value)
      }
    }, walk)
  }
  return many(
    (env, input, emit) =>
      guard(
        (downstream) => body.each(env, input, (value) => downstream(() => emit(value))),
        (value) => handler?.each(env, value, emit),
      ),
    walk,
  )
}

/** `label $name | body`: the cell that is pushed is what a `break` unwinds to. */
export function label(body: Code): Code {
  const within = (env: Env, run: (cell: Cell) => Stop): Stop => {
    const cell = new Cell(null, null, env)
    const { depth } = meter
    try {
      const stop = run(cell)
      return stop === cell ? undefined : stop
    } catch (error) {
      if (!(error instanceof Unwind) || error.to !== cell) throw error
      meter.depth = depth
      return undefined
    }
  }
  return many(
    (env, input, emit) => within(env, (cell) => body.each(cell, input, emit)),
    (env, input, place, emit) => within(env, (cell) => body.walk(cell, input, place, emit)),
  )
}

export function breakTo(hops: number): Code {
  return many((env) => ancestor(env, hops))
}

export function ancestor(env: Env, hops: number): Cell {
  let cell = env
  for (let left = hops; left > 0; left--) cell = cell?.up ?? null
  if (cell === null) throw new Error('the compiler counted the environment wrongly')
  return cell
}

/** The first output, by the cheap way where there is one. */
export function firstOf(code: Code): (env: Env, input: Value) => Value | undefined {
  if (code.one !== null) return code.one
  return (env, input) => {
    let found: Value | undefined
    const stop = code.each(env, input, (value) => {
      found = value
      return enough
    })
    if (stop !== enough) settle(stop)
    return found
  }
}
