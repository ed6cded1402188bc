import type { BinaryOperator } from './ast.ts'
import { checkLength, steps } from './budget.ts'
import { after, both, type Code, constant, type One, single } from './code.ts'
import { Exhausted, fail, Raised } from './errors.ts'
import { excerpt } from './json-write.ts'
import { Exact, toNumber } from './numbers.ts'
import { compare, equal, merge } from './order.ts'
import { concat, splitText } from './text.ts'
import { type Draft, isArray, isNumber, isObject, kindOf, put, type Value } from './value.ts'

type Operation = (left: Value, right: Value) => Value

function mismatch(left: Value, right: Value, what: string): never {
  return fail(`${kindOf(left)} (${excerpt(left)}) and ${kindOf(right)} (${excerpt(right)}) ${what}`)
}

export function add(left: Value, right: Value): Value {
  if (typeof left === 'number' && typeof right === 'number') return left + right
  if (typeof left === 'string' && typeof right === 'string') return concat(left, right)
  if (left === null) return right
  if (right === null) return left
  if (isNumber(left) && isNumber(right)) return toNumber(left) + toNumber(right)
  if (isArray(left) && isArray(right)) {
    steps(1 + ((left.length + right.length) >> 3))
    return [...left, ...right]
  }
  if (isObject(left) && isObject(right)) {
    const keys = Object.keys(right)
    steps(1 + keys.length)
    const draft: Draft = { ...left }
    for (const key of keys) put(draft, key, right[key] ?? null)
    return draft
  }
  return mismatch(left, right, 'cannot be added')
}

function subtract(left: Value, right: Value): Value {
  if (isNumber(left) && isNumber(right)) return toNumber(left) - toNumber(right)
  if (isArray(left) && isArray(right)) {
    return left.filter((value) => {
      steps(1 + (right.length >> 3))
      return !right.some((other) => equal(value, other))
    })
  }
  return mismatch(left, right, 'cannot be subtracted')
}

function multiply(left: Value, right: Value): Value {
  if (isNumber(left) && isNumber(right)) return toNumber(left) * toNumber(right)
  if (typeof left === 'string' && isNumber(right)) return repeat(left, toNumber(right))
  if (isNumber(left) && typeof right === 'string') return repeat(right, toNumber(left))
  if (isObject(left) && isObject(right)) return merge(left, right)
  return mismatch(left, right, 'cannot be multiplied')
}

function repeat(text: string, times: number): Value {
  if (times < 0 || Number.isNaN(times)) return null
  const count = Math.min(Math.trunc(times), 2 ** 31 - 1)
  const length = Buffer.byteLength(text) * count
  if (length >= 2 ** 31 - 8) return fail('Repeat string result too long')
  checkLength(length)
  return text.repeat(count)
}

function divide(left: Value, right: Value): Value {
  if (isNumber(left) && isNumber(right)) {
    const divisor = toNumber(right)
    if (divisor === 0) return mismatch(left, right, 'cannot be divided because the divisor is zero')
    return toNumber(left) / divisor
  }
  if (typeof left === 'string' && typeof right === 'string') return splitText(left, right)
  return mismatch(left, right, 'cannot be divided')
}

/** Remainder of 64-bit integers; what does not fit is clamped, as in jq. */
function remainder(left: Value, right: Value): Value {
  if (!isNumber(left) || !isNumber(right)) return mismatch(left, right, 'cannot be divided (remainder)')
  const dividend = toNumber(left)
  const divisor = toNumber(right)
  if (Number.isNaN(dividend) || Number.isNaN(divisor)) return Number.NaN
  const whole = Math.trunc(divisor)
  if (whole === 0) return mismatch(left, right, 'cannot be divided (remainder) because the divisor is zero')
  if (Math.abs(dividend) <= Number.MAX_SAFE_INTEGER && Math.abs(whole) <= Number.MAX_SAFE_INTEGER) {
    const rest = Math.trunc(dividend) % whole
    return rest === 0 ? 0 : rest
  }
  return Number(clampInteger(dividend) % clampInteger(whole))
}

function clampInteger(number: number): bigint {
  const limit = 2n ** 63n
  if (number >= 2 ** 63) return limit - 1n
  return number <= -(2 ** 63) ? -limit : BigInt(Math.trunc(number))
}

const operations: Readonly<Record<BinaryOperator, Operation>> = {
  '+': add,
  '-': subtract,
  '*': multiply,
  '/': divide,
  '%': remainder,
  '==': equal2,
  '!=': (left, right) => !equal(left, right),
  '<': (left, right) => compare(left, right) < 0,
  '<=': (left, right) => compare(left, right) <= 0,
  '>': (left, right) => compare(left, right) > 0,
  '>=': (left, right) => compare(left, right) >= 0,
}

function equal2(left: Value, right: Value): Value {
  return equal(left, right)
}

export function operation(operator: BinaryOperator): Operation {
  return operations[operator]
}

/** An operator between two expressions; two literals are computed once. */
export function binary(operator: BinaryOperator, left: Code, right: Code): Code {
  const apply = operations[operator]
  const { constant: a } = left
  const { constant: b } = right
  if (a !== undefined && b !== undefined) {
    try {
      return constant(apply(a, b))
    } catch (error) {
      if (error instanceof Raised || error instanceof Exhausted) return single(() => apply(a, b))
      throw error
    }
  }
  if (b !== undefined && left.one !== null)
    return besideConstant(operator, left, left.one, b) ?? both(left, right, apply)
  return both(left, right, apply)
}

/** Comparison with a literal, the commonest of conditions, without looking at kinds that cannot be meant. */
function besideConstant(operator: BinaryOperator, left: Code, read: One, constant: Value): Code | null {
  const apply = operations[operator]
  const simple = constant === null || typeof constant === 'string' || typeof constant === 'boolean'
  if (simple && (operator === '==' || operator === '!=')) {
    const expected = operator === '=='
    return single(
      (env, input) => {
        const value = read(env, input)
        return value === undefined ? undefined : (value === constant) === expected
      },
      undefined,
      (writer, input, then) =>
        writer.run(left, input, (value) => then(writer.name(`${value} ${operator}= ${writer.literal(constant)}`))),
    )
  }
  if (typeof constant !== 'number' || !/^[<>=!]/.test(operator)) return null
  const judge = (value: Value): Value => {
    if (typeof value !== 'number' || value === constant || Number.isNaN(value)) return apply(value, constant)
    if (operator === '>' || operator === '>=') return value > constant
    if (operator === '<' || operator === '<=') return value < constant
    return operator === '!='
  }
  return after(left, judge)
}

export function negate(value: Value): Value {
  // A literal zero has no sign in jq, and nearly every zero is one.
  if (typeof value === 'number') return value === 0 ? 0 : -value
  if (value instanceof Exact) return value.withSign(!value.negative)
  return fail(`${kindOf(value)} (${excerpt(value)}) cannot be negated`)
}
