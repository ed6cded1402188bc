import type { Json } from '../../model/json.ts'
import { meter, step, tooDeep } from './budget.ts'
import { Exhausted } from './errors.ts'
import { Exact } from './numbers.ts'
import { type Draft, isArray, put, type Value, type ValueArray, type ValueObject } from './value.ts'

/** Nesting an output may have; what reads it next (JSON.stringify, a database) is recursive. */
const deepest = 1000

/** Bytes that the output under way may still have. */
let left = 0

/** Hand a value out: check its size, and turn exact numbers into doubles. What needs no change is not copied. */
export function finish(value: Value): Json {
  if (typeof value !== 'object' || value === null) return plain(value)
  left = meter.outputBytes
  return convert(value, 0)
}

/** The same for a value that is part of plain JSON. */
export function finishPart(value: Value): Json {
  return typeof value === 'number' ? plain(value) : unchanged(value)
}

function convert(value: ValueArray | ValueObject | Exact, depth: number): Json {
  if (value instanceof Exact) return plain(value.number)
  step()
  if (depth > deepest) tooDeep()
  return isArray(value) ? convertArray(value, depth) : convertObject(value, depth)
}

function spend(bytes: number): void {
  left -= bytes
  if (left < 0) throw new Exhausted(`the expression gives more than ${meter.limits.outputBytes} bytes`)
}

function convertArray(value: ValueArray, depth: number): Json {
  let copy: Json[] | undefined
  for (let at = 0; at < value.length; at++) {
    const old = value[at] ?? null
    if (typeof old === 'string') {
      spend(old.length + 3)
      copy?.push(old)
      continue
    }
    spend(5)
    const fresh = typeof old === 'object' && old !== null ? convert(old, depth + 1) : plain(old)
    if (fresh !== old) copy ??= value.slice(0, at).map(unchanged)
    copy?.push(fresh)
  }
  return copy ?? unchanged(value)
}

function convertObject(value: ValueObject, depth: number): Json {
  let copy: Draft | undefined
  for (const key of Object.keys(value)) {
    const old = value[key] ?? null
    spend(key.length + 4 + (typeof old === 'string' ? old.length : 5))
    const fresh = typeof old === 'object' && old !== null ? convert(old, depth + 1) : plain(old)
    if (fresh !== old) {
      copy ??= { ...value }
      put(copy, key, fresh)
    }
  }
  return unchanged(copy ?? value)
}

/** JSON has no other numbers than finite ones; jq writes them like this. */
function plain(value: null | boolean | number | string): Json {
  if (typeof value !== 'number' || Number.isFinite(value)) return value
  return Number.isNaN(value) ? null : Math.sign(value) * Number.MAX_VALUE
}

/** Nothing in it is an Exact any more, so it is plain JSON. */
function unchanged(value: Value): Json {
  // See above.
  return value as Json
}
