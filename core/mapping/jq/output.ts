import type { Json } from '../../model/json.ts'
import { meter, step, tooDeep } from './budget.ts'
import { Exhausted } from './errors.ts'
import { Exact } from './numbers.ts'
import { type Draft, isArray, isObject, put, type Value, type ValueObject } from './value.ts'

/** Nesting an output may have; what reads it next (JSON.stringify, a database) is recursive. */
const deepest = 1000

/** Hand a value out: check its size, and turn exact numbers into doubles. What needs no change is not copied. */
export function finish(value: Value): Json {
  if (typeof value !== 'object' || value === null) return plain(value)
  const size = { left: meter.outputBytes }
  return convert(value, size, 0)
}

function convert(value: Value, size: { left: number }, depth: number): Json {
  step()
  size.left -= typeof value === 'string' ? value.length + 2 : 4
  if (size.left < 0) throw new Exhausted(`the expression gives more than ${meter.limits.outputBytes} bytes`)
  if (typeof value !== 'object' || value === null) return plain(value)
  if (value instanceof Exact) return value.number
  if (depth > deepest) tooDeep()
  if (isArray(value)) {
    let copy: Json[] | undefined
    for (let at = 0; at < value.length; at++) {
      const old = value[at] ?? null
      const fresh = convert(old, size, depth + 1)
      if (fresh !== old) copy ??= value.slice(0, at).map(unchanged)
      copy?.push(fresh)
    }
    return copy ?? unchanged(value)
  }
  return isObject(value) ? convertObject(value, size, depth) : null
}

/** JSON has no other numbers than finite ones; jq writes them like this. */
function plain(value: null | boolean | number | string): Json {
  if (typeof value !== 'number' || Number.isFinite(value)) return value
  return Number.isNaN(value) ? null : Math.sign(value) * Number.MAX_VALUE
}

function convertObject(value: ValueObject, size: { left: number }, depth: number): Json {
  let copy: Draft | undefined
  for (const key of Object.keys(value)) {
    size.left -= key.length + 3
    const old = value[key] ?? null
    const fresh = convert(old, size, depth + 1)
    if (fresh !== old) {
      copy ??= { ...value }
      put(copy, key, fresh)
    }
  }
  return unchanged(copy ?? value)
}

/** Nothing in it is an Exact any more, so it is plain JSON. */
function unchanged(value: Value): Json {
  return value as Json
}
