import { applied, both, type Code, type Emit, many, type Stop, single } from '../code.ts'
import { fail } from '../errors.ts'
import { excerpt } from '../json-write.ts'
import { kindOf, type Value } from '../value.ts'

/** Makes the code of one call from the code of its arguments; there are as many as the name says (`split/2`). */
export type Build = (...parameters: readonly Code[]) => Code

/** Builtins by name and arity. To add one, add a line in the file it belongs to and a test beside it. */
export type Builtins = Readonly<Record<string, Build>>

/** A function of the input alone. */
export function ofInput(apply: (input: Value) => Value | undefined): Build {
  return () => applied(apply)
}

/** A function of the input and one argument; one output for each output of the argument. */
export function ofOne(apply: (input: Value, a: Value) => Value | undefined): Build {
  return (first = missing) => {
    const { one, constant } = first
    if (constant !== undefined) return applied((input) => apply(input, constant))
    if (one !== null) {
      return single((env, input) => {
        const value = one(env, input)
        return value === undefined ? undefined : apply(input, value)
      })
    }
    return many((env, input, emit) => first.each(env, input, (value) => give(apply(input, value), emit)))
  }
}

/** Two arguments; the last is the outer loop. */
export function ofTwo(apply: (input: Value, a: Value, b: Value) => Value | undefined): Build {
  return (first = missing, second = missing) =>
    many((env, input, emit) => both(first, second, (a, b) => apply(input, a, b)).each(env, input, emit))
}

/** Three arguments; the last is the outermost loop. */
export function ofThree(apply: (a: Value, b: Value, c: Value) => Value): Build {
  return (first = missing, second = missing, third = missing) =>
    many((env, input, emit) =>
      third.each(env, input, (c) =>
        second.each(env, input, (b) => first.each(env, input, (a) => emit(apply(a, b, c)))),
      ),
    )
}

function give(value: Value | undefined, emit: Emit): Stop {
  return value === undefined ? undefined : emit(value)
}

/** Stands in for an argument that is always there: the arity is part of the name that was looked up. */
export const missing: Code = single(() => fail('an argument is missing'))

export function typeError(value: Value, what: string): never {
  return fail(`${kindOf(value)} (${excerpt(value)}) ${what}`)
}

export function typeError2(left: Value, right: Value, what: string): never {
  return fail(`${kindOf(left)} (${excerpt(left)}) and ${kindOf(right)} (${excerpt(right)}) ${what}`)
}
