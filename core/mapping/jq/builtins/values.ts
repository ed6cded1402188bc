import { step, steps } from '../budget.ts'
import { identity, single } from '../code.ts'
import { fail, Raised } from '../errors.ts'
import { formatter, toText } from '../formats.ts'
import { fromJson } from '../json-read.ts'
import { toJson } from '../json-write.ts'
import { Exact, parseNumber, toNumber } from '../numbers.ts'
import { negate } from '../operate.ts'
import { compare, contains, sortedKeys } from '../order.ts'
import { textLength } from '../text.ts'
import { isArray, isNumber, isObject, isTrue, kindOf, own, type Value } from '../value.ts'
import { type Builtins, ofInput, ofOne, typeError, typeError2 } from './define.ts'

/** What any value can be asked, and conversions. */
export const values: Builtins = {
  'not/0': ofInput((input) => !isTrue(input)),
  'type/0': ofInput(kindOf),
  'length/0': ofInput(length),
  'utf8bytelength/0': ofInput((input) =>
    typeof input === 'string' ? Buffer.byteLength(input) : typeError(input, 'only strings have UTF-8 byte length'),
  ),
  'keys/0': ofInput((input) => (isObject(input) ? sortedKeys(input) : indexes(input))),
  'keys_unsorted/0': ofInput((input) => (isObject(input) ? Object.keys(input) : indexes(input))),
  'has/1': ofOne(has),
  'in/1': ofOne((input, container) => has(container, input)),
  'contains/1': ofOne((input, other) => checkContains(input, other)),
  'inside/1': ofOne((input, other) => checkContains(other, input)),
  'tostring/0': ofInput(toText),
  'tojson/0': ofInput(toJson),
  'fromjson/0': ofInput((input) =>
    typeof input === 'string' ? fromJson(input) : typeError(input, 'only strings can be parsed'),
  ),
  'tonumber/0': ofInput((input) => {
    if (isNumber(input)) return input
    const number = typeof input === 'string' ? parseNumber(input) : undefined
    return number ?? typeError(input, 'cannot be parsed as a number')
  }),
  'toboolean/0': ofInput((input) => {
    if (typeof input === 'boolean') return input
    if (input === 'true' || input === 'false') return input === 'true'
    return typeError(input, 'cannot be parsed as a boolean')
  }),
  'toarray/0': ofInput((input) => (isArray(input) ? input : [input])),
  'abs/0': ofInput((input) => (compare(input, 0) < 0 ? negate(input) : input)),
  'format/1': ofOne((input, name) =>
    typeof name === 'string' ? formatter(name)(input) : typeError(name, 'is not a valid format'),
  ),
  'error/0': ofInput((input) => {
    throw new Raised(input)
  }),
  'error/1': ofOne((_input, message) => {
    throw new Raised(message)
  }),
  'infinite/0': ofInput(() => Number.POSITIVE_INFINITY),
  'nan/0': ofInput(() => Number.NaN),
  'isinfinite/0': ofInput((input) => isNumber(input) && Math.abs(toNumber(input)) === Number.POSITIVE_INFINITY),
  'isfinite/0': ofInput((input) => isNumber(input) && Math.abs(toNumber(input)) !== Number.POSITIVE_INFINITY),
  'isnan/0': ofInput((input) => isNumber(input) && Number.isNaN(toNumber(input))),
  'isnormal/0': ofInput(isNormal),
  'have_decnum/0': ofInput(() => true),
  'have_literal_numbers/0': ofInput(() => true),
  ...selectors(),
}

/** `strings`, `numbers` and the like let an input of that kind through, also as a place. */
function selectors(): Builtins {
  const tests: { readonly [name: string]: (input: Value) => boolean } = {
    arrays: isArray,
    objects: isObject,
    iterables: (input) => isArray(input) || isObject(input),
    booleans: (input) => typeof input === 'boolean',
    numbers: isNumber,
    normals: isNormal,
    finites: (input) => isNumber(input) && Math.abs(toNumber(input)) !== Number.POSITIVE_INFINITY,
    strings: (input) => typeof input === 'string',
    nulls: (input) => input === null,
    values: (input) => input !== null,
    scalars: (input) => !isArray(input) && !isObject(input),
  }
  return Object.fromEntries(
    Object.entries(tests).map(([name, test]) => [
      `${name}/0`,
      () =>
        single(
          (_env, input) => (test(input) ? input : undefined),
          (env, input, place, emit) => (test(input) ? identity.walk(env, input, place, emit) : undefined),
        ),
    ]),
  )
}

const smallest = 2 ** -1022

function isNormal(input: Value): boolean {
  if (!isNumber(input)) return false
  const size = Math.abs(toNumber(input))
  return size >= smallest && size < Number.POSITIVE_INFINITY
}

export function length(input: Value): Value {
  if (typeof input === 'string') {
    steps(1 + (input.length >> 6))
    return textLength(input)
  }
  if (isArray(input)) return input.length
  if (input === null) return 0
  if (typeof input === 'number') return Math.abs(input)
  if (input instanceof Exact) return input.withSign(false)
  if (isObject(input)) return Object.keys(input).length
  return typeError(input, 'has no length')
}

function indexes(input: Value): Value {
  if (!isArray(input)) return typeError(input, 'has no keys')
  steps(input.length)
  return input.map((_value, at) => at)
}

export function has(input: Value, key: Value): Value {
  if (input === null) return false
  if (isObject(input) && typeof key === 'string') return own(input, key) !== undefined
  if (isArray(input) && isNumber(key)) {
    const at = Math.trunc(toNumber(key))
    return at >= 0 && at < input.length
  }
  return fail(`Cannot check whether ${kindOf(input)} has a ${kindOf(key)} key`)
}

function checkContains(outer: Value, inner: Value): Value {
  step()
  const same = kindOf(outer) === kindOf(inner) && (typeof outer !== 'boolean' || outer === inner)
  return same ? contains(outer, inner) : typeError2(outer, inner, 'cannot have their containment checked')
}
