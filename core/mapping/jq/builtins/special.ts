/** Functions that JavaScript has no library for. Accurate to about 1e-13, which no mapping has asked for so far. */

export function erf(x: number): number {
  const size = Math.abs(x)
  if (size > 2.5) return Math.sign(x) * (1 - tail(size))
  let term = x
  let sum = x
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17 && n < 200; n++) {
    term *= (-x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

export function erfc(x: number): number {
  if (Number.isNaN(x)) return x
  if (x > 2.5) return tail(x)
  return x < -2.5 ? 2 - tail(-x) : 1 - erf(x)
}

/** erfc of a large argument, by its continued fraction. */
function tail(x: number): number {
  if (x > 27) return 0
  let fraction = 0
  for (let n = 120; n > 0; n--) fraction = n / 2 / (x + fraction)
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction)
}

const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

export function gamma(x: number): number {
  if (Number.isInteger(x)) {
    if (x < 0) return Number.NaN
    if (x === 0) return Object.is(x, -0) ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
    if (x <= 23) {
      let product = 1
      for (let n = 2; n < x; n++) product *= n
      return product
    }
  }
  if (x === Number.NEGATIVE_INFINITY) return Number.NaN
  if (x > 171.7) return Number.POSITIVE_INFINITY
  if (x < 0.5) return Math.PI / (Math.sin(Math.PI * x) * gamma(1 - x))
  const { sum, base } = series(x - 1)
  // In two halves, since the power alone may overflow where the product does not.
  const half = base ** ((x - 0.5) / 2)
  return Math.sqrt(2 * Math.PI) * half * Math.exp(-base) * half * sum
}

export function logGamma(x: number): number {
  if (x === 1 || x === 2) return 0
  if (Number.isInteger(x) && x <= 0) return Number.POSITIVE_INFINITY
  if (!Number.isFinite(x)) return Number.isNaN(x) ? x : Number.POSITIVE_INFINITY
  if (x > 0 && x < 100) return Math.log(gamma(x))
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - logGamma(1 - x)
  const { sum, base } = series(x - 1)
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(base) - base + Math.log(sum)
}

function series(x: number): { sum: number; base: number } {
  let sum = lanczos[0] ?? 0
  for (let n = 1; n < lanczos.length; n++) sum += (lanczos[n] ?? 0) / (x + n)
  return { sum, base: x + 7.5 }
}

/** Bessel's integral: the trapezoid rule is exact to rounding on a periodic function. */
export function besselJ(n: number, x: number): number {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? x : 0
  if (x === 0) return n === 0 ? 1 : 0
  if (Math.abs(n) > 10_000) return 0
  if (isFar(n, x)) return (x < 0 && n % 2 !== 0 ? -1 : 1) * hankel(n, Math.abs(x)).j
  const points = 64 + 2 * Math.ceil(Math.abs(x) + Math.abs(n))
  let sum = 0
  for (let at = 0; at < points; at++) {
    const angle = (2 * Math.PI * at) / points
    sum += Math.cos(n * angle - x * Math.sin(angle))
  }
  return sum / points
}

export function besselY(n: number, x: number): number {
  if (Number.isNaN(x) || x < 0) return Number.NaN
  if (x === 0) return Number.NEGATIVE_INFINITY
  if (x === Number.POSITIVE_INFINITY) return 0
  if (n < 0) return (n % 2 === 0 ? 1 : -1) * besselY(-n, x)
  if (n > 10_000) return Number.NEGATIVE_INFINITY
  if (isFar(n, x)) return hankel(n, x).y
  const parity = n % 2 === 0 ? 1 : -1
  const wave = integrate((angle) => Math.sin(x * Math.sin(angle) - n * angle), 0, Math.PI)
  const limit = Math.asinh(750 / x) + 1
  const decay = integrate(
    (t) => Math.exp(n * t - x * Math.sinh(t)) + parity * Math.exp(-n * t - x * Math.sinh(t)),
    0,
    limit,
  )
  return (wave - decay) / Math.PI
}

/** Where Hankel's expansion for large arguments is exact to rounding. */
function isFar(n: number, x: number): boolean {
  return Math.abs(x) > 50 + n * n
}

function hankel(n: number, x: number): { j: number; y: number } {
  let p = 1
  let q = 0
  let term = 1
  for (let k = 1; k < 30 && Math.abs(term) > 1e-17; k++) {
    term *= (4 * n * n - (2 * k - 1) ** 2) / (k * 8 * x)
    if (k % 2 === 1) q += k % 4 === 1 ? term : -term
    else p += k % 4 === 2 ? -term : term
  }
  // The phase is taken off by the addition theorem, since x may be too large to subtract it from.
  const phase = (n / 2 + 0.25) * Math.PI
  const cosine = Math.cos(x) * Math.cos(phase) + Math.sin(x) * Math.sin(phase)
  const sine = Math.sin(x) * Math.cos(phase) - Math.cos(x) * Math.sin(phase)
  const scale = Math.sqrt(2 / (Math.PI * x))
  return { j: scale * (p * cosine - q * sine), y: scale * (p * sine + q * cosine) }
}

/** Double exponential quadrature over an interval. */
function integrate(f: (x: number) => number, from: number, to: number): number {
  const middle = (from + to) / 2
  const half = (to - from) / 2
  const width = 1 / 64
  let sum = 0
  for (let at = -256; at <= 256; at++) {
    const t = at * width
    const inner = (Math.PI / 2) * Math.sinh(t)
    const weight = ((Math.PI / 2) * Math.cosh(t)) / Math.cosh(inner) ** 2
    if (weight > 0) sum += weight * f(middle + half * Math.tanh(inner))
  }
  return sum * half * width
}
