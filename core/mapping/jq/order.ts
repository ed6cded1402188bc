import { step, steps } from './budget.ts'
import { fail } from './errors.ts'
import { compareNumbers, type Exact, toNumber } from './numbers.ts'
import { readsNumber } from './precision.ts'
import {
  type Draft,
  isArray,
  isNumber,
  isObject,
  own,
  put,
  type Value,
  type ValueArray,
  type ValueObject,
} from './value.ts'

/** How deep two values may be compared; jq's own limit is 10000, which the stack of JavaScript does not carry. */
const deepest = 2000

/** null < false < true < numbers < strings < arrays < objects. */
function rank(value: Value): number {
  if (value === null) return 0
  if (typeof value === 'boolean') return value ? 2 : 1
  if (isNumber(value)) return 3
  if (typeof value === 'string') return 4
  return isArray(value) ? 5 : 6
}

/** jq's total order: negative, zero or positive. */
export function compare(left: Value, right: Value, depth = 0): number {
  if (typeof left === 'string' && typeof right === 'string') return compareStrings(left, right)
  const difference = rank(left) - rank(right)
  if (difference !== 0) return difference
  if (isNumber(left) && isNumber(right)) {
    return digitsCompared(left, right)
  }
  if (left === null || typeof left !== 'object') return 0
  if (depth > deepest) fail('Comparison too deep')
  step()
  if (isArray(left) && isArray(right)) return compareArrays(left, right, depth)
  return isObject(left) && isObject(right) ? compareObjects(left, right, depth) : 0
}

function digitsCompared(left: number | Exact, right: number | Exact): number {
  // Two doubles that are equal may still be two numbers in the text.
  if (toNumber(left) === toNumber(right)) {
    if (typeof left === 'number') readsNumber(left)
    if (typeof right === 'number') readsNumber(right)
  }
  return compareNumbers(left, right)
}

function compareArrays(left: ValueArray, right: ValueArray, depth: number): number {
  const shared = Math.min(left.length, right.length)
  for (let at = 0; at < shared; at++) {
    const order = compare(left[at] ?? null, right[at] ?? null, depth + 1)
    if (order !== 0) return order
  }
  return left.length - right.length
}

/** First the sorted keys as arrays, then the values in that order. */
function compareObjects(left: ValueObject, right: ValueObject, depth: number): number {
  const keys = sortedKeys(left)
  const order = compareArrays(keys, sortedKeys(right), depth)
  if (order !== 0) return order
  for (const key of keys) {
    const inner = compare(left[key] ?? null, right[key] ?? null, depth + 1)
    if (inner !== 0) return inner
  }
  return 0
}

/** By code point. UTF-16 order differs where a surrogate meets a character from U+E000 on. */
export function compareStrings(left: string, right: string): number {
  if (left === right) return 0
  const shared = Math.min(left.length, right.length)
  for (let at = 0; at < shared; at++) {
    const a = left.charCodeAt(at)
    const b = right.charCodeAt(at)
    if (a !== b) {
      const lifted = a >= 0xd800 && b >= 0xd800
      return lifted ? ((a - 0xe000) & 0xffff) - ((b - 0xe000) & 0xffff) : a - b
    }
  }
  return left.length - right.length
}

export function sortedKeys(object: ValueObject): string[] {
  const keys = Object.keys(object)
  steps(1 + keys.length)
  return keys.sort(compareStrings)
}

export function equal(left: Value, right: Value, depth = 0): boolean {
  if (typeof left === 'string') return left === right
  if (left === right && typeof left !== 'number') return true
  if (isNumber(left)) {
    if (!isNumber(right)) return false
    return digitsCompared(left, right) === 0
  }
  if (left === null || right === null || typeof left !== 'object' || typeof right !== 'object') return false
  if (depth > deepest) fail('Equality check too deep')
  step()
  if (isArray(left)) {
    if (!isArray(right) || left.length !== right.length) return false
    for (let at = 0; at < left.length; at++) {
      if (!equal(left[at] ?? null, right[at] ?? null, depth + 1)) return false
    }
    return true
  }
  if (!isObject(left) || !isObject(right)) return false
  const keys = Object.keys(left)
  if (keys.length !== Object.keys(right).length) return false
  for (const key of keys) {
    const other = own(right, key)
    if (other === undefined || !equal(left[key] ?? null, other, depth + 1)) return false
  }
  return true
}

/** jq's `contains` for two values of the same kind; inside containers, other kinds are simply not contained. */
export function contains(outer: Value, inner: Value, depth = 0): boolean {
  if (depth > deepest) fail('Containment check too deep')
  step()
  if (typeof outer === 'string' && typeof inner === 'string') return outer.includes(inner)
  if (isArray(outer) && isArray(inner)) {
    for (const wanted of inner) if (!anyContains(outer, wanted, depth)) return false
    return true
  }
  if (isObject(outer) && isObject(inner)) {
    for (const key of Object.keys(inner)) {
      const value = own(outer, key)
      if (value === undefined || !contains(value, inner[key] ?? null, depth + 1)) return false
    }
    return true
  }
  return equal(outer, inner, depth)
}

function anyContains(outer: ValueArray, wanted: Value, depth: number): boolean {
  for (const value of outer) if (contains(value, wanted, depth + 1)) return true
  return false
}

/** `*` of two objects: fields of the right win, and where both are objects they merge. Without recursion. */
export function merge(left: ValueObject, right: ValueObject): ValueObject {
  const result: Draft = { ...left }
  const work: { into: Draft; from: ValueObject; depth: number }[] = [{ into: result, from: right, depth: 0 }]
  for (let task = work.pop(); task !== undefined; task = work.pop()) {
    if (task.depth > 10_000) fail('Object merge too deep')
    for (const key of Object.keys(task.from)) {
      step()
      const old = own(task.into, key)
      const fresh = task.from[key] ?? null
      if (old !== undefined && isObject(old) && isObject(fresh)) {
        const copy: Draft = { ...old }
        put(task.into, key, copy)
        work.push({ into: copy, from: fresh, depth: task.depth + 1 })
      } else put(task.into, key, fresh)
    }
  }
  return result
}
