import { both } from '../code.ts'
import { toNumber } from '../numbers.ts'
import { isNumber, type Value } from '../value.ts'
import { type Build, type Builtins, missing, ofInput, ofThree, typeError } from './define.ts'
import { besselJ, besselY, erf, erfc, gamma, logGamma } from './special.ts'

function number(value: Value): number {
  return isNumber(value) ? toNumber(value) : typeError(value, 'number required')
}

function unary(apply: (x: number) => number): Build {
  return ofInput((input) => apply(number(input)))
}

function binary(apply: (x: number, y: number) => number): Build {
  return (first = missing, second = missing) => both(first, second, (a, b) => apply(number(a), number(b)))
}

/** The C library's mathematics. */
export const math: Builtins = {
  ...Object.fromEntries(
    Object.entries({
      acos: Math.acos,
      acosh: Math.acosh,
      asin: Math.asin,
      asinh: Math.asinh,
      atan: Math.atan,
      atanh: Math.atanh,
      cbrt: Math.cbrt,
      ceil: Math.ceil,
      cos: Math.cos,
      cosh: Math.cosh,
      erf,
      erfc,
      exp: Math.exp,
      exp10: (x: number) => 10 ** x,
      exp2: (x: number) => 2 ** x,
      expm1: Math.expm1,
      fabs: Math.abs,
      floor: Math.floor,
      gamma: logGamma,
      j0: (x: number) => besselJ(0, x),
      j1: (x: number) => besselJ(1, x),
      lgamma: logGamma,
      log: Math.log,
      log10: Math.log10,
      log1p: Math.log1p,
      log2: Math.log2,
      logb,
      nearbyint: roundEven,
      pow10: (x: number) => 10 ** x,
      rint: roundEven,
      round: (x: number) => (Number.isInteger(x) ? x : Math.sign(x) * Math.floor(Math.abs(x) + 0.5)),
      significand: (x: number) => (x === 0 || !Number.isFinite(x) ? x : split(x).fraction * 2),
      sin: Math.sin,
      sinh: Math.sinh,
      sqrt: Math.sqrt,
      tan: Math.tan,
      tanh: Math.tanh,
      tgamma: gamma,
      trunc: Math.trunc,
      y0: (x: number) => besselY(0, x),
      y1: (x: number) => besselY(1, x),
    }).map(([name, apply]) => [`${name}/0`, unary(apply)]),
  ),
  ...Object.fromEntries(
    Object.entries({
      atan2: Math.atan2,
      copysign: (x: number, y: number) => (y < 0 || Object.is(y, -0) ? -Math.abs(x) : Math.abs(x)),
      drem: remainder,
      fdim: (x: number, y: number) => (Number.isNaN(x) || Number.isNaN(y) ? Number.NaN : Math.max(x - y, 0)),
      fmax: (x: number, y: number) => (Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.max(x, y)),
      fmin: (x: number, y: number) => (Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.min(x, y)),
      fmod: (x: number, y: number) => x % y,
      hypot: Math.hypot,
      jn: (n: number, x: number) => besselJ(Math.trunc(n), x),
      ldexp: (x: number, y: number) => scale(x, Math.trunc(y)),
      nextafter: nextAfter,
      nexttoward: nextAfter,
      pow,
      remainder,
      scalb: (x: number, y: number) => (Number.isInteger(y) ? scale(x, y) : x * 2 ** y),
      scalbln: (x: number, y: number) => scale(x, Math.trunc(y)),
      yn: (n: number, x: number) => besselY(Math.trunc(n), x),
    }).map(([name, apply]) => [`${name}/2`, binary(apply)]),
  ),
  'fma/3': ofThree((a, b, c) => number(a) * number(b) + number(c)),
  'frexp/0': ofInput((input) => {
    const { fraction, exponent } = split(number(input))
    return [fraction, exponent]
  }),
  'modf/0': ofInput((input) => {
    const x = number(input)
    const whole = Math.trunc(x)
    const rest = Number.isFinite(x) ? x - whole : Number.isNaN(x) ? x : 0
    return [rest === 0 && x < 0 ? -0 : rest, whole]
  }),
  'lgamma_r/0': ofInput((input) => {
    const x = number(input)
    const below = Object.is(x, -0) || (Number.isFinite(x) && !Number.isInteger(x) && x < 0 && Math.floor(x) % 2 !== 0)
    return [logGamma(x), below ? -1 : 1]
  }),
}

/** C's pow differs where JavaScript gives NaN: 1 to any power, and -1 to an infinite one, are 1. */
function pow(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y
}

/** x = fraction * 2^exponent with the fraction in [0.5, 1). */
function split(x: number): { fraction: number; exponent: number } {
  if (x === 0 || !Number.isFinite(x)) return { fraction: x, exponent: 0 }
  let exponent = Math.max(-1023, Math.floor(Math.log2(Math.abs(x))) + 1)
  let fraction = scale(x, -exponent)
  while (Math.abs(fraction) < 0.5) {
    fraction *= 2
    exponent--
  }
  while (Math.abs(fraction) >= 1) {
    fraction /= 2
    exponent++
  }
  return { fraction, exponent }
}

/** x * 2^n without losing what a power of two alone cannot hold. */
function scale(x: number, n: number): number {
  let result = x
  let left = Math.max(-2200, Math.min(2200, n))
  for (; left > 1000; left -= 1000) result *= 2 ** 1000
  for (; left < -1000; left += 1000) result *= 2 ** -1000
  return result * 2 ** left
}

function logb(x: number): number {
  if (x === 0) return Number.NEGATIVE_INFINITY
  if (!Number.isFinite(x)) return Number.isNaN(x) ? x : Number.POSITIVE_INFINITY
  return split(x).exponent - 1
}

/** To the nearest integer, halves to the even one. */
function roundEven(x: number): number {
  if (!Number.isFinite(x)) return x
  const floor = Math.floor(x)
  const rest = x - floor
  const rounded = rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1
  return rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : rounded
}

function remainder(x: number, y: number): number {
  if (!Number.isFinite(x) || y === 0 || Number.isNaN(y)) return Number.NaN
  if (!Number.isFinite(y)) return x
  const size = Math.abs(y)
  let rest = Math.abs(x) % (size * 2)
  if (rest > size) {
    rest -= size
    if (rest * 2 >= size) rest -= size
  } else if (rest * 2 > size) rest -= size
  return x < 0 || Object.is(x, -0) ? -rest : rest
}

const view = new DataView(new ArrayBuffer(8))

function nextAfter(x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN
  if (x === y) return y
  if (x === 0) return y > 0 ? Number.MIN_VALUE : -Number.MIN_VALUE
  view.setFloat64(0, x)
  view.setBigInt64(0, view.getBigInt64(0) + (x < y === x > 0 ? 1n : -1n))
  return view.getFloat64(0)
}
