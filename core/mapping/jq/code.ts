import { step } from './budget.ts'
import { Raised } from './errors.ts'
import type { Writer } from './hot.ts'
import { Exact } from './numbers.ts'
import type { Value } from './value.ts'

/**
 * An environment is an immutable list of cells, so a closure keeps the one it was made in and recursion needs no frames.
 * How far up a name stands is known when the expression is compiled.
 */
export class Cell {
  readonly value: Value
  /** Set where the cell holds a parameter that is an expression. */
  readonly closure: Closure | null
  readonly up: Env

  constructor(value: Value, closure: Closure | null, up: Env) {
    this.value = value
    this.closure = closure
    this.up = up
  }
}

export type Env = Cell | null

export interface Closure {
  readonly code: Code
  readonly env: Env
}

/** Undefined to go on; anything else unwinds to whoever made that object (`break`, `first`, `limit`). */
export type Stop = object | undefined

export type Emit = (value: Value) => Stop
export type One = (env: Env, input: Value) => Value | undefined
/** Writes JavaScript that does what `one` does with the value that is named `input`. */
export type Write = (writer: Writer, input: string, then: (value: string) => void) => void
export type Each = (env: Env, input: Value, emit: Emit) => Stop

/**
 * How far a path expression has come: `at` is the value the path leads to. Like jq's own path register it is threaded
 * through everything that runs inside `path(...)`; an access is valid only on the very value the path leads to.
 */
export interface Place {
  readonly at: Value
  readonly key: Value
  readonly up: Place | null
  /** Where a fresh value is no place: how far the path has come all the same. */
  readonly under?: Place
}

export type EmitPlace = (value: Value, place: Place) => Stop
export type Walk = (env: Env, input: Value, place: Place, emit: EmitPlace) => Stop

/** A compiled expression. */
export interface Code {
  /** The cheap way, for an expression with at most one output: undefined is none. Null where there may be several. */
  readonly one: One | null
  /** For `hot.ts`. Absent: `one` is called as it is. */
  readonly write?: Write
  readonly each: Each
  /** The same inside a path expression. */
  readonly walk: Walk
  /** The value of a literal, which lets operators specialise. */
  readonly constant?: Value
  /** Outputs are always the input or something in it, or null: they are no larger than it, and plain JSON if it is. */
  readonly part?: boolean
  /** The names of `.a.b.c`, which is read in one go. */
  readonly names?: readonly string[]
  /** For `target[]`: what is iterated over, so that a list made of it needs no generator. */
  readonly items?: Code
  /** What becomes of each item, for `target[] | f` with one output each. */
  readonly eachItem?: Code
}

/** Stops a generator of which no more is wanted; only ever seen by the one who returned it. */
export const enough: object = {}

/** A `break` on its way through code that gathers outputs and so cannot hand a Stop on. */
export class Unwind {
  readonly to: object
  constructor(to: object) {
    this.to = to
  }
}

/** What a generator returned to code that itself never stops it: nothing, or a `break` that must go on. */
export function settle(stop: Stop): void {
  if (stop !== undefined) throw new Unwind(stop)
}

/** All outputs. */
export function gather(code: Code, env: Env, input: Value): Value[] {
  const values: Value[] = []
  settle(
    code.each(env, input, (value) => {
      step()
      values.push(value)
      return undefined
    }),
  )
  return values
}

/** An expression with at most one output. Without `walk` its output is no place of its input. */
export function single(one: One, walk?: Walk, write?: Write): Code {
  const each: Each = (env, input, emit) => {
    const value = one(env, input)
    return value === undefined ? undefined : emit(value)
  }
  const code = { one, each, walk: walk ?? fresh(each) }
  return write === undefined ? code : { ...code, write }
}

/** A function of the input alone. */
export function applied(apply: (input: Value) => Value | undefined, walk?: Walk): Code {
  return single(
    (_env, input) => apply(input),
    walk,
    (writer, input, then) => writer.given(writer.name(`${writer.use(apply)}(${input})`), then),
  )
}

export function many(each: Each, walk?: Walk): Code {
  return { one: null, each, walk: walk ?? fresh(each) }
}

export function constant(value: Value): Code {
  const write: Write = (writer, _input, then) => then(writer.literal(value))
  return { ...single(() => value, undefined, write), constant: value }
}

/** Mark code as selecting from its input, if all of these do. */
export function selecting(code: Code, ...parts: readonly Code[]): Code {
  return parts.every((part) => part.part === true) ? { ...code, part: true } : code
}

export const identity: Code = {
  part: true,
  one: (_env, input) => input,
  write: (_writer, input, then) => then(input),
  each: (_env, input, emit) => emit(input),
  walk: (_env, input, place, emit) => emit(input, place),
}

/** Outputs that do not move the path, but may be the value it leads to: variables, parameters. */
export function still(each: Each): Walk {
  return (env, input, place, emit) => each(env, input, (value) => emit(value, place))
}

/** No value is this one. */
const nowhere: Value = Object.freeze({})

/** Fresh outputs. A string or number made here is not the one in the input, even if it looks the same. */
function fresh(each: Each): Walk {
  return (env, input, place, emit) =>
    each(env, input, (value) => {
      const same = typeof value === 'boolean' || (typeof value === 'object' && !(value instanceof Exact))
      return emit(value, same ? place : { at: nowhere, key: place.key, up: place.up, under: place })
    })
}

/** Run a one-output function behind an expression. */
export function after(target: Code, apply: (value: Value) => Value | undefined, walk?: Walk): Code {
  const { one } = target
  if (target === identity) return applied(apply, walk)
  if (one !== null) {
    return single(
      (env, input) => {
        const value = one(env, input)
        return value === undefined ? undefined : apply(value)
      },
      walk,
      (writer, input, then) =>
        writer.run(target, input, (value) => writer.given(writer.name(`${writer.use(apply)}(${value})`), then)),
    )
  }
  return many(
    (env, input, emit) =>
      target.each(env, input, (value) => {
        const result = apply(value)
        return result === undefined ? undefined : emit(result)
      }),
    walk,
  )
}

/** Evaluate `second` in the outer loop and `first` in the inner one, as jq does with operands and arguments. */
export function both(first: Code, second: Code, apply: (a: Value, b: Value) => Value | undefined): Code {
  const a = first.one
  const b = second.one
  if (a !== null && b !== null) {
    return single(
      (env, input) => {
        const right = b(env, input)
        if (right === undefined) return undefined
        const left = a(env, input)
        return left === undefined ? undefined : apply(left, right)
      },
      undefined,
      (writer, input, then) =>
        writer.run(second, input, (right) =>
          writer.run(first, input, (left) =>
            writer.given(writer.name(`${writer.use(apply)}(${left}, ${right})`), then),
          ),
        ),
    )
  }
  return many((env, input, emit) =>
    second.each(env, input, (right) =>
      first.each(env, input, (left) => {
        const result = apply(left, right)
        return result === undefined ? undefined : emit(result)
      }),
    ),
  )
}

/** Whether `input` is the very value the path leads to. Strings have no identity here, so equal ones pass. */
export function isIntact(input: Value, place: Place): boolean {
  return Object.is(input, place.at)
}

/** The keys that lead to a place, from the top. */
export function keysTo(place: Place): Value[] {
  const keys: Value[] = []
  for (let at = place; at.up !== null; at = at.up) keys.push(at.key)
  return keys.reverse()
}

/** A `break` is an error to jq, and what it carries is seen by a `try` around it. */
export const broken = new Raised({ __jq: 0 })

/** The raised error, or throws on whatever is not one: a budget, a defect. */
export function raised(error: unknown): Raised {
  if (error instanceof Raised) return error
  if (error instanceof Unwind) return broken
  throw error
}
