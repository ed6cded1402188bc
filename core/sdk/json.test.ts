import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Json, LongNumber, parseJson, writeJson } from './json.ts'

const long = fc.bigInt({ min: 2n ** 53n, max: 10n ** 30n })
const whole = fc.oneof(
  long,
  long.map((value) => -value),
  fc.maxSafeInteger().map(BigInt),
)

test('no digit of a whole number is lost between two JSON texts', () => {
  fc.assert(
    fc.property(fc.array(whole), fc.array(fc.string()), (numbers, texts) => {
      const text = `{"numbers":[${numbers.join(',')}],"texts":${JSON.stringify(texts)}}`
      const written = writeJson(parseJson(text))
      expect(written.text).toBe(text)
      expect(written.long).toBe(numbers.some((value) => !Number.isSafeInteger(Number(value))))
    }),
  )
})

test('only whole numbers beyond 2^53 are special, and those read as their digits', () => {
  const text =
    '[9007199254740991, 1.5, 1e400, 12345678901234567890, -12345678901234567890, "12345678901234567890", 1e20]'
  const values = parseJson(text) as readonly Json[]
  expect(values.map((value) => (value as unknown) instanceof LongNumber)).toEqual([
    false,
    false,
    false,
    true,
    true,
    false,
    false,
  ])
  expect(values.map(String).slice(3, 5)).toEqual(['12345678901234567890', '-12345678901234567890'])
  expect(Number(values[3])).toBe(12345678901234567000)
  expect(values[5]).toBe('12345678901234567890')
})

test('a text without one is what JSON.parse gives', () => {
  expect(parseJson('{"a":[1,"x",null]}')).toEqual({ a: [1, 'x', null] })
  expect(() => parseJson('{')).toThrow(SyntaxError)
  expect(() => parseJson('[12345678901234567890')).toThrow(SyntaxError)
})
