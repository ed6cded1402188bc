import type { Json, JsonObject } from '../../model/json.ts'
import { step, steps } from './budget.ts'
import {
  after,
  both,
  type Code,
  type EmitPlace,
  identity,
  isIntact,
  many,
  type One,
  type Place,
  raised,
  type Stop,
  selecting,
  single,
  type Walk,
  type Write,
} from './code.ts'
import { fail } from './errors.ts'
import type { Writer } from './hot.ts'
import { excerpt } from './json-write.ts'
import { Exact, toNumber } from './numbers.ts'
import { equal } from './order.ts'
import { sliceCharacters, textLength } from './text.ts'
import { isArray, isNumber, isObject, kindOf, own, type Value, type ValueArray, type ValueObject } from './value.ts'

/** `target.name`, the access that nearly every expression consists of. */
export function field(target: Code, name: string, optional: boolean): Code {
  const inherited = name in Object.prototype
  const read = (value: Value): Value | undefined => {
    if (typeof value === 'object') {
      if (value === null) return null
      if (!Array.isArray(value) && !(value instanceof Exact)) {
        // Neither null, array nor Exact: an object.
        const found = (value as ValueObject)[name]
        return found === undefined || (inherited && !Object.hasOwn(value, name)) ? null : found
      }
    }
    return optional ? undefined : cannotIndex(value, name)
  }
  const walk = accessWalk(target, read, () => name)
  const before = target === identity ? [] : target.names
  if (optional || inherited || before === undefined) {
    const code = selecting(after(target, read, walk), target)
    return inherited || name in exactExample ? code : { ...code, write: writeField(target, name, read) }
  }
  const names = [...before, name]
  return { ...single((_env, input) => follow(input, names), walk, writePath(names)), part: true, names }
}

/** What it has is no field of the number that it is. */
const exactExample = new Exact(false, '1', 0)

/** The common way in place; whatever else there may be, `follow` knows. */
function writePath(names: readonly string[]): Write | undefined {
  if (names.some((name) => name in exactExample)) return undefined
  return (writer, input, then) =>
    then(writeAccess(writer, input, names, `${writer.use(follow)}(${input}, ${writer.use(names)})`))
}

function writeField(target: Code, name: string, read: (value: Value) => Value | undefined): Write {
  return (writer, input, then) =>
    writer.run(target, input, (value) => {
      writer.given(writeAccess(writer, value, [name], `${writer.use(read)}(${value})`), then)
    })
}

function writeElement(target: Code, at: number, read: (value: Value) => Value | undefined): Write {
  return (writer, input, then) =>
    writer.run(target, input, (value) => {
      const element = `Array.isArray(${value}) ? (${value}[${at}] ?? null) : ${writer.use(read)}(${value})`
      writer.given(writer.name(element), then)
    })
}

/** Where each step finds an object; otherwise `slow`, from the start. */
function writeAccess(writer: Writer, value: string, names: readonly string[], slow: string): string {
  const found = writer.name(value)
  for (const name of names) {
    writer.line(`if (typeof ${found} === 'object' && ${found} !== null && !Array.isArray(${found})) {`)
    writer.line(`${found} = ${found}[${JSON.stringify(name)}]`)
  }
  writer.line(`if (${found} === undefined) ${found} = null`)
  for (const _name of names) writer.line(`} else ${found} = ${slow}`)
  return found
}

/** `.a.b.c` over plain JSON, without an engine, a budget and an environment; none where jq has something to say about it. */
export function plainPath(names: readonly string[]): Code {
  // Plain JSON is what it is given.
  const one: One = (_env, input) => followPlain(input as Json, names)
  return single(one, undefined, (writer, input, then) => {
    const slow = `${writer.use(followPlain)}(${input}, ${writer.use(names)})`
    then(writeAccess(writer, input, names, slow))
  })
}

function followPlain(input: Json, names: readonly string[]): Json | undefined {
  let value = input
  for (let at = 0; at < names.length; at++) {
    if (value === null) return null
    if (typeof value !== 'object' || Array.isArray(value)) return undefined
    // An array is no object with string keys; TypeScript does not narrow readonly arrays by isArray.
    value = (value as JsonObject)[names[at] ?? ''] ?? null
  }
  return value
}

/** `.a.b.c` at once. None of the names is one that every object inherits. */
function follow(input: Value, names: readonly string[]): Value {
  let value = input
  for (let at = 0; at < names.length; at++) {
    const name = names[at] ?? ''
    if (value === null) return null
    if (typeof value !== 'object' || Array.isArray(value)) return cannotIndex(value, name)
    // Neither null nor an array, and an Exact has no fields of its own: an object.
    const found: Value | undefined = (value as ValueObject)[name]
    if (found === undefined || value instanceof Exact) return value instanceof Exact ? cannotIndex(value, name) : null
    value = found
  }
  return value
}

/** `target[key]` with the key computed; it runs in the outer loop. */
export function index(target: Code, key: Code, optional: boolean): Code {
  const read = (value: Value, at: Value): Value | undefined => (optional ? attempt(value, at) : get(value, at))
  const fixed = key.constant
  if (typeof fixed === 'number') {
    const one = (value: Value): Value | undefined => (isArray(value) ? element(value, fixed) : read(value, fixed))
    const walk = accessWalk(target, one, () => fixed)
    const code = selecting(after(target, one, walk), target)
    return fixed >= 0 && Number.isInteger(fixed) ? { ...code, write: writeElement(target, fixed, one) } : code
  }
  const code = both(target, key, read)
  const walk: Walk = (env, input, place, emit) =>
    key.each(env, input, (at) =>
      target.walk(env, input, place, (value, found) => access(value, found, at, (from) => read(from, at), emit)),
    )
  return { ...code, walk }
}

export function slice(target: Code, from: Code | null, to: Code | null, optional: boolean): Code {
  const bounds = both(to ?? nothing, from ?? nothing, (end, start): Value => ({ start, end }))
  return index(target, bounds, optional)
}

const nothing: Code = single(() => null)

export function iterate(target: Code, optional: boolean): Code {
  const code = many(
    (env, input, emit) =>
      target === identity
        ? forEach(input, optional, emit)
        : target.each(env, input, (value) => forEach(value, optional, emit)),
    (env, input, place, emit) =>
      target.walk(env, input, place, (value, found) => {
        if (!isIntact(value, found)) fail(`Invalid path expression near attempt to iterate through ${excerpt(value)}`)
        if (isArray(value)) {
          for (let at = 0; at < value.length; at++) {
            step()
            const inner = value[at] ?? null
            const stop = emit(inner, { at: inner, key: at, up: found })
            if (stop !== undefined) return stop
          }
          return undefined
        }
        return forEachField(value, optional, (key, inner) => emit(inner, { at: inner, key, up: found }))
      }),
  )
  return optional ? selecting(code, target) : { ...selecting(code, target), items: target }
}

/** Each element of an array, each value of an object. */
export function forEach(value: Value, optional: boolean, emit: (value: Value) => Stop): Stop {
  if (!isArray(value)) return forEachField(value, optional, (_key, inner) => emit(inner))
  for (let at = 0; at < value.length; at++) {
    step()
    const stop = emit(value[at] ?? null)
    if (stop !== undefined) return stop
  }
  return undefined
}

function forEachField(value: Value, optional: boolean, emit: (key: string, value: Value) => Stop): Stop {
  if (!isObject(value)) {
    return optional ? undefined : fail(`Cannot iterate over ${kindOf(value)} (${excerpt(value)})`)
  }
  for (const key of Object.keys(value)) {
    step()
    const stop = emit(key, value[key] ?? null)
    if (stop !== undefined) return stop
  }
  return undefined
}

function accessWalk(target: Code, read: (value: Value) => Value | undefined, key: () => Value): Walk {
  return (env, input, place, emit) =>
    target.walk(env, input, place, (value, found) => access(value, found, key(), read, emit))
}

/** One step along a path. That this is the place comes before whether the access is possible. */
function access(
  value: Value,
  place: Place,
  key: Value,
  read: (value: Value) => Value | undefined,
  emit: EmitPlace,
): Stop {
  if (!isIntact(value, place)) {
    fail(`Invalid path expression near attempt to access element ${excerpt(key)} of ${excerpt(value)}`)
  }
  const found = read(value)
  return found === undefined ? undefined : emit(found, { at: found, key, up: place })
}

function attempt(value: Value, key: Value): Value | undefined {
  try {
    return get(value, key)
  } catch (error) {
    raised(error)
    return undefined
  }
}

function cannotIndex(value: Value, key: Value): never {
  return fail(`Cannot index ${kindOf(value)} with ${kindOf(key)} (${excerpt(key)})`)
}

/** `value[key]` for every kind of key: a name, a number, a slice, a list to look for. */
export function get(value: Value, key: Value): Value {
  if (typeof key === 'string') {
    if (value === null) return null
    if (isObject(value)) return own(value, key) ?? null
  } else if (isNumber(key)) {
    if (value === null) return null
    if (isArray(value)) return element(value, toNumber(key))
  } else if (isObject(key)) {
    if (value === null) return null
    if (isArray(value)) {
      const { start, end } = sliceBounds(value.length, key)
      steps(end - start)
      return value.slice(start, end)
    }
    if (typeof value === 'string') {
      const { start, end } = sliceBounds(textLength(value), key)
      return sliceCharacters(value, start, end)
    }
  } else if (isArray(key) && isArray(value)) return positions(value, key)
  return cannotIndex(value, key)
}

function element(array: ValueArray, position: number): Value {
  const at = Math.trunc(position)
  return array[at < 0 ? at + array.length : at] ?? null
}

/** Clamp a slice to a length: the start rounds down, the end up, negative ones count from the back. */
export function sliceBounds(length: number, key: ValueObject): { start: number; end: number } {
  const from = own(key, 'start')
  const to = own(key, 'end')
  if (!isBound(from) || !isBound(to)) return fail('Array/string slice indices must be integers')
  const first = from === null ? 0 : toNumber(from)
  const last = to === null ? length : toNumber(to)
  const start = Math.floor(clamp(Number.isNaN(first) ? 0 : first, length))
  const end = Number.isNaN(last) ? length : Math.ceil(clamp(last, length))
  return { start, end: Math.max(start, end) }
}

function isBound(value: Value | undefined): value is number | Exact | null {
  return value === null || (value !== undefined && isNumber(value))
}

function clamp(position: number, length: number): number {
  return Math.min(Math.max(position < 0 ? position + length : position, 0), length)
}

/** Where `wanted` occurs in `array` as a run. */
export function positions(array: ValueArray, wanted: ValueArray): number[] {
  const found: number[] = []
  if (wanted.length === 0) return found
  for (let at = 0; at + wanted.length <= array.length; at++) {
    step()
    let same = 0
    while (same < wanted.length && equal(array[at + same] ?? null, wanted[same] ?? null)) same++
    if (same === wanted.length) found.push(at)
  }
  return found
}
