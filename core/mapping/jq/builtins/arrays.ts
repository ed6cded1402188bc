import { forEach, get, positions } from '../access.ts'
import { step, steps } from '../budget.ts'
import { type Code, type Env, enough, gather, many, settle, single } from '../code.ts'
import { overItems, writeItems } from '../construct.ts'
import { fail } from '../errors.ts'
import { toNumber } from '../numbers.ts'
import { add } from '../operate.ts'
import { compare, equal } from '../order.ts'
import { occurrences } from '../text.ts'
import { isArray, isNumber, isTrue, type Value, type ValueArray } from '../value.ts'
import { type Builtins, missing, ofInput, ofOne, typeError, typeError2 } from './define.ts'
import { length } from './values.ts'

/** Sorting, grouping, searching and folding of arrays. */
export const arrays: Builtins = {
  'map/1': (f = missing) => map(f),
  'sort/0': ofInput((input) => sorted(checkSortable(input), checkSortable(input))),
  'sort_by/1': byKeys((input, keys) => sorted(input, keys)),
  'group_by/1': byKeys((input, keys) => groups(input, keys)),
  'unique/0': ofInput((input) => groups(checkSortable(input), checkSortable(input)).map((group) => group[0] ?? null)),
  'unique_by/1': byKeys((input, keys) => groups(input, keys).map((group) => group[0] ?? null)),
  'min/0': ofInput((input) => extreme(input, input, true)),
  'max/0': ofInput((input) => extreme(input, input, false)),
  'min_by/1': (f = missing) => single((env, input) => extreme(input, keysOf(f, env, input), true)),
  'max_by/1': (f = missing) => single((env, input) => extreme(input, keysOf(f, env, input), false)),
  'add/0': ofInput((input) => {
    const items: Value[] = []
    forEach(input, false, (value) => {
      items.push(value)
      return undefined
    })
    return sum(items)
  }),
  'add/1': (f = missing) => single((env, input) => sum(gather(f, env, input))),
  'any/0': () => quantifier(null, null, true),
  'all/0': () => quantifier(null, null, false),
  'any/1': (f = missing) => quantifier(null, f, true),
  'all/1': (f = missing) => quantifier(null, f, false),
  'any/2': (g = missing, f = missing) => quantifier(g, f, true),
  'all/2': (g = missing, f = missing) => quantifier(g, f, false),
  'flatten/0': ofInput((input) => flatten(input, Number.POSITIVE_INFINITY)),
  'flatten/1': ofOne((input, depth) => {
    if (compare(depth, 0) < 0) return fail('flatten depth must not be negative')
    return flatten(input, isNumber(depth) ? toNumber(depth) : Number.POSITIVE_INFINITY)
  }),
  'reverse/0': ofInput(reverse),
  'transpose/0': ofInput(transpose),
  'bsearch/1': ofOne(search),
  'indices/1': ofOne(indices),
  'index/1': ofOne((input, wanted) => get(indices(input, wanted), 0)),
  'rindex/1': ofOne((input, wanted) => get(get(indices(input, wanted), { start: -1, end: null }), 0)),
  'combinations/0': () => many((_env, input, emit) => combine(input, [], emit)),
  'combinations/1': (n = missing) =>
    many((env, input, emit) => {
      const axes: Value[] = []
      const stop = n.each(env, input, (count) => {
        if (!isNumber(count)) return fail('Range bounds must be numeric')
        for (let at = 0; at < toNumber(count); at++) {
          step()
          axes.push(input)
        }
        return undefined
      })
      return stop ?? combine(axes, [], emit)
    }),
}

function map(f: Code): Code {
  const { one } = f
  if (one !== null) {
    const collect = overItems(one)
    return single(
      (env, input) => collect(env, input),
      undefined,
      (writer, input, then) => {
        const found = writer.name('[]')
        writeItems(writer, input, found, collect, f)
        then(found)
      },
    )
  }
  return single((env, input) => {
    const results: Value[] = []
    settle(
      forEach(input, false, (item) =>
        f.each(env, item, (value) => {
          step()
          results.push(value)
          return undefined
        }),
      ),
    )
    return results
  })
}

/** The sort key of each element: all outputs of `f`, as an array. */
function keysOf(f: Code, env: Env, input: Value): Value[] {
  const keys: Value[] = []
  forEach(input, false, (item) => {
    keys.push(gather(f, env, item))
    return undefined
  })
  return keys
}

function byKeys(apply: (input: ValueArray, keys: ValueArray) => Value): (f?: Code) => Code {
  return (f = missing) =>
    single((env, input) => {
      const keys = keysOf(f, env, input)
      return isArray(input) ? apply(input, keys) : notBothArrays(input, keys)
    })
}

function notBothArrays(input: Value, keys: Value): never {
  return typeError2(input, keys, 'cannot be sorted, as they are not both arrays')
}

function checkSortable(input: Value): ValueArray {
  return isArray(input) ? input : typeError(input, 'cannot be sorted, as it is not an array')
}

/** Positions in the order of their keys; equal keys keep their order. */
function ranking(keys: ValueArray): number[] {
  steps(1 + keys.length)
  const order = keys.map((_key, at) => at)
  return order.sort((a, b) => {
    step()
    return compare(keys[a] ?? null, keys[b] ?? null)
  })
}

function sorted(input: ValueArray, keys: ValueArray): Value[] {
  return ranking(keys).map((at) => input[at] ?? null)
}

function groups(input: ValueArray, keys: ValueArray): Value[][] {
  const result: Value[][] = []
  let last: Value | undefined
  for (const at of ranking(keys)) {
    const key = keys[at] ?? null
    if (last === undefined || !equal(last, key)) result.push([])
    last = key
    result.at(-1)?.push(input[at] ?? null)
  }
  return result
}

/** The first of the smallest, or the last of the greatest. */
function extreme(input: Value, keys: Value, least: boolean): Value {
  if (!isArray(input) || !isArray(keys)) return typeError2(input, keys, 'cannot be iterated over')
  let best = 0
  for (let at = 1; at < input.length; at++) {
    step()
    if (compare(keys[at] ?? null, keys[best] ?? null) < 0 === least) best = at
  }
  return input[best] ?? null
}

/** Sum from null on; strings and arrays are put together at once, not one after the other. */
function sum(items: ValueArray): Value {
  if (items.length > 2 && items.every(isArray)) {
    steps(items.reduce((total, item) => total + item.length, 0))
    return items.flat()
  }
  let total: Value = null
  for (const item of items) {
    step()
    total = add(total, item)
  }
  return total
}

/** `any` and `all`: stops at the first output that decides. Without a generator, the elements of the input. */
function quantifier(generator: Code | null, condition: Code | null, decisive: boolean): Code {
  return single((env, input) => {
    let decided = false
    const judge = (value: Value) => {
      step()
      if (isTrue(value) !== decisive) return undefined
      decided = true
      return enough
    }
    const test = condition === null ? judge : (item: Value) => condition.each(env, item, judge)
    const stop = generator === null ? forEach(input, false, test) : generator.each(env, input, test)
    if (!decided) settle(stop)
    return decided === decisive
  })
}

/** Without recursion, as nesting may be deeper than the stack. */
function flatten(input: Value, depth: number): Value {
  const result: Value[] = []
  const items: Value[] = []
  forEach(input, false, (item) => {
    items.push(item)
    return undefined
  })
  const stack: { readonly items: ValueArray; next: number }[] = [{ items, next: 0 }]
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const item = top.items[top.next++]
    if (item === undefined) {
      stack.pop()
      continue
    }
    step()
    if (isArray(item) && stack.length <= Math.ceil(depth)) stack.push({ items: item, next: 0 })
    else result.push(item)
  }
  return result
}

function reverse(input: Value): Value {
  if (isArray(input)) {
    steps(1 + input.length)
    return input.toReversed()
  }
  const size = length(input)
  if (!isNumber(size) || toNumber(size) <= 0) return []
  return get(input, toNumber(size) - 1)
}

function transpose(input: Value): Value {
  const rows: Value[] = []
  let width = 0
  forEach(input, false, (row) => {
    rows.push(row)
    const size = length(row)
    width = Math.max(width, isNumber(size) ? toNumber(size) : 0)
    return undefined
  })
  const columns: Value[][] = []
  for (let at = 0; at < width; at++) {
    steps(1 + rows.length)
    columns.push(rows.map((row) => get(row, at)))
  }
  return columns
}

function search(input: Value, target: Value): Value {
  if (!isArray(input)) return typeError(input, 'cannot be searched from')
  let start = 0
  let end = input.length
  while (start < end) {
    step()
    const middle = (start + end) >> 1
    const order = compare(target, input[middle] ?? null)
    if (order === 0) return middle
    if (order < 0) end = middle
    else start = middle + 1
  }
  return -1 - start
}

function indices(input: Value, wanted: Value): Value {
  if (isArray(input)) return positions(input, isArray(wanted) ? wanted : [wanted])
  if (typeof input === 'string' && typeof wanted === 'string') return occurrences(input, wanted)
  return get(input, wanted)
}

function combine(axes: Value, chosen: ValueArray, emit: (value: Value) => object | undefined): object | undefined {
  step()
  const left = length(axes)
  if (left === 0) return emit(chosen)
  return forEach(get(axes, 0), false, (item) => combine(get(axes, { start: 1, end: null }), [...chosen, item], emit))
}
