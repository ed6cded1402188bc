/**
 * A number literal whose text says more than its double: an id above 2^53, `1.00`, `1e2`. As in jq it keeps its digits
 * until arithmetic touches it. `digits` has no leading zeros; the number is `digits * 10^exponent`, negated if `negative`.
 */
export class Exact {
  readonly negative: boolean
  readonly digits: string
  readonly exponent: number
  readonly number: number

  constructor(negative: boolean, digits: string, exponent: number) {
    this.negative = negative
    this.digits = digits
    this.exponent = exponent
    this.number = toDouble(negative, digits, exponent)
  }

  /** The digits as they were written, in jq's notation (`1E+2`). */
  get text(): string {
    return decimalText(this.negative, this.digits, this.exponent)
  }

  withSign(negative: boolean): Exact {
    return new Exact(negative && this.digits !== '0', this.digits, this.exponent)
  }
}

const literal = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/
const greatest = 999_999_999

/** A number in decimal notation, also `nan` and `infinity` as jq reads them; undefined when it is none. */
export function parseNumber(text: string): number | Exact | undefined {
  const match = literal.exec(text)
  if (match === null) return parseSpecial(text)
  const [, sign = '', whole = '', fraction = '', power = '0'] = match
  if (whole === '' && fraction === '') return undefined
  const digits = (whole + fraction).replace(/^0+(?=.)/, '')
  const exponent = Number(power) - fraction.length
  const negative = sign === '-'
  const magnitude = exponent + digits.length - 1
  if (magnitude > greatest) return digits === '0' ? 0 : negative ? -Infinity : Infinity
  if (magnitude < -greatest - 1e9) return 0
  // Fifteen digits survive a double, so such a number needs no text unless it is written in an unusual way.
  if (digits.length <= 15) {
    const number = toDouble(negative, digits, exponent)
    if (Math.abs(number) < 1e15 && numberText(number) === decimalText(negative, digits, exponent)) return number
  }
  return new Exact(negative, digits, exponent)
}

function parseSpecial(text: string): number | undefined {
  const match = /^([+-]?)(nan|inf|infinity)$/i.exec(text)
  if (match === null) return undefined
  if (match[2]?.toLowerCase() === 'nan') return Number.NaN
  return match[1] === '-' ? -Infinity : Infinity
}

/** jq rounds to 17 digits before it converts, which decides the last bit of some long literals. */
function toDouble(negative: boolean, digits: string, exponent: number): number {
  let coefficient = digits
  let power = exponent
  if (digits.length > 17) {
    const cut = digits.length - 17
    const rest = digits.slice(17)
    const half = `5${'0'.repeat(cut - 1)}`
    let kept = BigInt(digits.slice(0, 17))
    if (rest > half || (rest === half && kept % 2n === 1n)) kept += 1n
    coefficient = kept.toString()
    power += cut
  }
  const number = Number(`${coefficient}e${power}`)
  return negative ? -number : number
}

function decimalText(negative: boolean, digits: string, exponent: number): string {
  const sign = negative ? '-' : ''
  const magnitude = exponent + digits.length - 1
  if (exponent > 0 || magnitude < -6) {
    const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`
    return `${sign}${mantissa}E${magnitude < 0 ? '' : '+'}${magnitude}`
  }
  if (exponent === 0) return sign + digits
  const point = digits.length + exponent
  return point > 0
    ? `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
    : `${sign}0.${'0'.repeat(-point)}${digits}`
}

/** A double as jq prints it: the shortest digits that read back, `1e+17`, `1e-05`; not a number is null. */
export function numberText(number: number): string {
  const size = Math.abs(number)
  if (size < 1e15 && (size >= 1e-3 || size === 0)) return size === 0 && Object.is(number, -0) ? '-0' : String(number)
  if (Number.isNaN(number)) return 'null'
  if (size === Infinity) return number > 0 ? '1.7976931348623157e+308' : '-1.7976931348623157e+308'
  const [mantissa = '', power = '0'] = size.toExponential().split('e')
  const digits = mantissa.replace('.', '')
  const point = Number(power) + 1
  const sign = number < 0 ? '-' : ''
  if (point <= -4 || point > digits.length + 15) {
    const exponent = String(Math.abs(point - 1)).padStart(2, '0')
    return `${sign}${mantissa}e${point - 1 < 0 ? '-' : '+'}${exponent}`
  }
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return sign + digits + '0'.repeat(point - digits.length)
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

export function toNumber(value: number | Exact): number {
  return typeof value === 'number' ? value : value.number
}

/** Two literals compare by their digits, everything else as doubles; not a number is below every number. */
export function compareNumbers(left: number | Exact, right: number | Exact): number {
  const a = toNumber(left)
  const b = toNumber(right)
  if (a < b || Number.isNaN(a)) return -1
  if (a > b || Number.isNaN(b)) return 1
  return left instanceof Exact && right instanceof Exact ? compareDigits(left, right) : 0
}

function compareDigits(left: Exact, right: Exact): number {
  if (left.digits === '0' || right.digits === '0') {
    return left.digits === right.digits ? 0 : left.digits === '0' ? (right.negative ? 1 : -1) : left.negative ? -1 : 1
  }
  if (left.negative !== right.negative) return left.negative ? -1 : 1
  const order = compareMagnitudes(left, right)
  return left.negative ? -order : order
}

function compareMagnitudes(left: Exact, right: Exact): number {
  const difference = left.exponent + left.digits.length - (right.exponent + right.digits.length)
  if (difference !== 0) return Math.sign(difference)
  const length = Math.max(left.digits.length, right.digits.length)
  const a = left.digits.padEnd(length, '0')
  const b = right.digits.padEnd(length, '0')
  return a < b ? -1 : a > b ? 1 : 0
}
