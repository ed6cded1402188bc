import { get, sliceBounds } from './access.ts'
import { step, steps } from './budget.ts'
import { type Code, type Env, isIntact, keysTo, many, type Place, type Stop, settle } from './code.ts'
import { fail } from './errors.ts'
import { excerpt } from './json-write.ts'
import { toNumber } from './numbers.ts'
import { compare, equal } from './order.ts'
import {
  type Draft,
  isArray,
  isNumber,
  isObject,
  kindOf,
  put,
  type Value,
  type ValueArray,
  type ValueObject,
} from './value.ts'

const deepest = 10_000
/** jq's limit on how long an array may become by assignment. */
const longest = (2 ** 31 - 1) >> 2

/** The places `code` leads to, from the top of `input`. */
export function eachPath(code: Code, env: Env, input: Value, emit: (path: Value[], place: Place) => Stop): Stop {
  return code.walk(env, input, { at: input, key: null, up: null }, (value, place) => {
    step()
    if (!isIntact(value, place)) fail(`Invalid path expression with result ${excerpt(value)}`)
    return emit(keysTo(place), place)
  })
}

/** `path(code)` */
export function path(code: Code): Code {
  return many((env, input, emit) => eachPath(code, env, input, (keys) => emit(keys)))
}

export function gatherPaths(code: Code, env: Env, input: Value): Value[][] {
  const paths: Value[][] = []
  settle(
    eachPath(code, env, input, (keys) => {
      paths.push(keys)
      return undefined
    }),
  )
  return paths
}

function checkPath(path: Value): ValueArray {
  if (!isArray(path)) return fail('Path must be specified as an array')
  if (path.length > deepest) return fail('Path too deep')
  steps(1 + path.length)
  return path
}

export function getPath(root: Value, path: Value): Value {
  let value = root
  for (const key of checkPath(path)) value = get(value, key)
  return value
}

export function setPath(root: Value, path: Value, value: Value): Value {
  return new PathWriter().update(root, checkPath(path), () => value)
}

/** Changes a value along paths. What it has copied once is its own and is changed in place from then on. */
export class PathWriter {
  readonly #copies = new Set<Value>()

  /** Replace what is at a path by what `change` makes of it, copying only along the path. */
  update(root: Value, path: ValueArray, change: (old: Value) => Value): Value {
    return this.change(root, path, change) ?? null
  }

  /** The same where `change` may make nothing; then the result is undefined. */
  change(root: Value, path: ValueArray, change: (old: Value) => Value | undefined): Value | undefined {
    const parents: Value[] = []
    let value = root
    for (const key of path) {
      parents.push(value)
      value = get(value, key)
    }
    let result = change(value)
    if (result === undefined) return undefined
    for (let at = path.length - 1; at >= 0; at--) result = this.set(parents[at] ?? null, path[at] ?? null, result)
    return result
  }

  set(target: Value, key: Value, value: Value): Value {
    if (typeof key === 'string' && (target === null || isObject(target))) {
      const draft = this.#draft(target ?? {})
      put(draft, key, value)
      return draft
    }
    if (isNumber(key) && (target === null || isArray(target))) return this.#element(target ?? [], toNumber(key), value)
    if (isObject(key) && (target === null || isArray(target))) {
      const array = target ?? []
      const { start, end } = sliceBounds(array.length, key)
      if (!isArray(value)) return fail('A slice of an array can only be assigned another array')
      steps(1 + array.length + value.length)
      return [...array.slice(0, start), ...value, ...array.slice(end)]
    }
    if (isObject(key) && typeof target === 'string') return fail('Cannot update string slices')
    return fail(`Cannot update field at ${kindOf(key)} index of ${kindOf(target)}`)
  }

  #draft(object: ValueObject): Draft {
    // What is in the set was made here, as a draft.
    if (this.#copies.has(object)) return object as Draft
    const draft: Draft = { ...object }
    steps(1 + (Object.keys(draft).length >> 2))
    this.#copies.add(draft)
    return draft
  }

  #element(array: ValueArray, position: number, value: Value): Value {
    if (Number.isNaN(position)) return fail('Cannot set array element at NaN index')
    const whole = Math.trunc(position)
    const at = whole < 0 ? whole + array.length : whole
    if (at < 0) return fail('Out of bounds negative array index')
    if (at > longest) return fail('Array index too large')
    let draft: Value[]
    // As above: an array in the set is one that was copied here.
    if (this.#copies.has(array)) draft = array as Value[]
    else {
      steps(1 + (array.length >> 3))
      draft = [...array]
      this.#copies.add(draft)
    }
    steps(Math.max(at - draft.length, 0))
    while (draft.length < at) draft.push(null)
    draft[at] = value
    return draft
  }
}

/** `delpaths`: paths are sorted so that nothing moves before it is deleted. */
export function deletePaths(root: Value, paths: Value): Value {
  if (!isArray(paths)) return fail('Paths must be specified as an array')
  steps(1 + paths.length)
  const sorted = [...paths].sort(compare)
  const checked = sorted.map((path) => {
    if (!isArray(path)) return fail(`Path must be specified as array, not ${kindOf(path)}`)
    return checkPath(path)
  })
  const [first] = checked
  if (first === undefined) return root
  return first.length === 0 ? null : deleteBelow(root, checked, 0)
}

/** Delete what paths with a common beginning of `start` keys name below here. */
function deleteBelow(root: Value, paths: readonly ValueArray[], start: number): Value {
  let value = root
  const writer = new PathWriter()
  const keys: Value[] = []
  for (let from = 0; from < paths.length; ) {
    step()
    const key = paths[from]?.[start] ?? null
    let to = from + 1
    while (to < paths.length && equal(key, paths[to]?.[start] ?? null)) to++
    if (paths[from]?.length === start + 1) keys.push(key)
    else {
      const inner = get(value, key)
      if (inner !== null) value = writer.set(value, key, deleteBelow(inner, paths.slice(from, to), start + 1))
    }
    from = to
  }
  return deleteKeys(value, keys)
}

function deleteKeys(value: Value, keys: ValueArray): Value {
  if (value === null || keys.length === 0) return value
  if (isArray(value)) return deleteElements(value, keys)
  if (!isObject(value)) return fail(`Cannot delete fields from ${kindOf(value)}`)
  const draft: Draft = { ...value }
  for (const key of keys) {
    if (typeof key !== 'string') return fail(`Cannot delete ${kindOf(key)} field of object`)
    delete draft[key]
  }
  return draft
}

function deleteElements(array: ValueArray, keys: ValueArray): Value {
  const gone = new Set<number>()
  for (const key of keys) {
    if (isNumber(key)) {
      const position = Math.trunc(toNumber(key))
      gone.add(position < 0 || (Object.is(position, -0) && toNumber(key) < 0) ? position + array.length : position)
    } else if (isObject(key)) {
      const { start, end } = sliceBounds(array.length, key)
      steps(end - start)
      for (let at = start; at < end; at++) gone.add(at)
    } else return fail(`Cannot delete ${kindOf(key)} element of array`)
  }
  steps(1 + (array.length >> 2))
  return array.filter((_value, at) => !gone.has(at))
}
