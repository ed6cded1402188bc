import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { defaultBudget, startMeter } from './budget.ts'
import { Raised } from './errors.ts'
import { fromJson } from './json-read.ts'
import { toJson } from './json-write.ts'
import { Exact, numberText, parseNumber } from './numbers.ts'
import { compare, compareStrings, equal } from './order.ts'
import type { Value } from './value.ts'

beforeEach(() => startMeter({ ...defaultBudget, steps: 1e9 }))

const json = fc.jsonValue({ maxDepth: 3 }).map((value): Value => JSON.parse(JSON.stringify(value)))

test('the order is total: antisymmetric, transitive, and equal only for equal values', () => {
  fc.assert(
    fc.property(json, json, json, (a, b, c) => {
      expect(Math.sign(compare(a, b))).toBe(0 - Math.sign(compare(b, a)))
      expect(compare(a, b) === 0).toBe(equal(a, b))
      if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0)
    }),
  )
})

test('kinds come in the order of jq', () => {
  const ordered: Value[] = [
    null,
    false,
    true,
    -1,
    0,
    1,
    '',
    'a',
    'b',
    [],
    [1],
    [1, 2],
    [2],
    {},
    { a: 1 },
    { a: 2 },
    { a: 1, b: 0 },
    { b: 0 },
  ]
  const shuffled = ordered.toReversed()
  expect(shuffled.sort((a, b) => compare(a, b))).toEqual(ordered)
})

test('strings are ordered by code point, like their UTF-8 bytes', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{1f44d}') })
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareStrings(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
  )
})

test('not a number is below all numbers and equals nothing', () => {
  expect(equal(Number.NaN, Number.NaN)).toBe(false)
  expect(compare(Number.NaN, Number.NaN)).toBeLessThan(0)
  expect(compare(Number.NaN, Number.NEGATIVE_INFINITY)).toBeLessThan(0)
  expect(compare(null, Number.NaN)).toBeLessThan(0)
})

test('JSON that is written reads back', () => {
  fc.assert(fc.property(json, (value) => equal(fromJson(toJson(value)), value)))
})

test('numbers are printed as jq prints them', () => {
  const texts: [number, string][] = [
    [0, '0'],
    [-0, '-0'],
    [1e15, '1000000000000000'],
    [1e17, '1e+17'],
    [12345678901234567000, '12345678901234567000'],
    [1e-4, '0.0001'],
    [1e-5, '1e-05'],
    [1.5e-7, '1.5e-07'],
    [123.456, '123.456'],
    [Number.NaN, 'null'],
    [Number.POSITIVE_INFINITY, '1.7976931348623157e+308'],
    [5e-324, '5e-324'],
  ]
  for (const [number, text] of texts) expect(numberText(number)).toBe(text)
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => Object.is(Number(numberText(x)), x)),
  )
})

test('literals keep what a double would lose', () => {
  const kept = [
    '1.0',
    '1.50',
    '0.10',
    '13911860366432393',
    '0.12345678901234567890123456789',
    '1E+2',
    '1E-7',
    '1E+1000',
  ]
  for (const text of kept) {
    const number = parseNumber(text)
    expect(number).toBeInstanceOf(Exact)
    expect(number instanceof Exact ? number.text : number).toBe(text)
  }
  for (const text of ['0', '1', '-2.5', '1234567', '0.001']) expect(parseNumber(text)).toBe(Number(text))
  for (const text of ['', '.', '1.', ' 1', '1 ', '0x1', '1e', 'NaN1', '--1']) {
    expect([text, parseNumber(text)]).toEqual([text, text === '1.' ? 1 : undefined])
  }
})

test('literals compare by their digits, results of arithmetic as doubles', () => {
  const [a, b] = [parseNumber('13911860366432393') ?? 0, parseNumber('13911860366432392') ?? 0]
  expect(compare(a, b)).toBe(1)
  expect(equal(a, 13911860366432392)).toBe(true)
  expect(equal(parseNumber('1.000') ?? 0, 1)).toBe(true)
  expect(compare(parseNumber('1e1000') ?? 0, parseNumber('1e999') ?? 0)).toBe(1)
})

test('JSON mistakes are told in the words of jq', () => {
  const messages: [string, string][] = [
    ["{'a': 1}", `Invalid string literal; expected ", but got ' at line 1, column 5 (while parsing '{'a': 1}')`],
    ['[1,]', "Expected another array element at line 1, column 4 (while parsing '[1,]')"],
    ['1 2', "Unexpected extra JSON values (while parsing '1 2')"],
    ['', "Expected JSON value (while parsing '')"],
    ['[1', "Unfinished JSON term at EOF at line 1, column 2 (while parsing '[1')"],
    ['"é', "Unfinished string at EOF at line 1, column 3 (while parsing '\"é')"],
    ['tru', "Invalid literal at EOF at line 1, column 3 (while parsing 'tru')"],
    ['{"a" 1}', 'Expected separator between values at line 1, column 7 (while parsing \'{"a" 1}\')'],
    ['[}', "Unmatched '}' at line 1, column 2 (while parsing '[}')"],
  ]
  for (const [text, message] of messages) {
    expect(messageOf(text)).toBe(message)
  }
})

function messageOf(text: string): unknown {
  try {
    return fromJson(text)
  } catch (error) {
    return error instanceof Raised ? error.value : error
  }
}
