import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { defaultBudget, startMeter } from '../budget.ts'
import { Exhausted } from '../errors.ts'
import { compileRegex } from './index.ts'
import { Machine } from './machine.ts'
import { translate } from './native.ts'
import { parseRegex } from './parse.ts'
import { plainTest } from './plain.ts'
import { assemble } from './program.ts'
import { RegexError, type RegexOptions } from './syntax.ts'

const plain: RegexOptions = { ignoreCase: false, extended: false, dotAll: false, longest: false, notEmpty: false }

beforeEach(() => startMeter({ ...defaultBudget, steps: 50_000_000, milliseconds: 20_000 }))

function all(pattern: string, text: string, options: Partial<RegexOptions> = {}): string[] {
  return compileRegex(pattern, { ...plain, ...options })
    .matches(text, true)
    .map(([start, end]) => text.slice(start, end))
}

/** What Oniguruma 6.9 gives, as jq 1.8.2 has it. */
describe('means what Oniguruma means', () => {
  test.each<[string, string, string[]]>([
    ['b$', 'ab\n', ['b']],
    ['b\\z', 'ab\n', []],
    ['b\\Z', 'ab\n', ['b']],
    ['^.', 'ab\ncd', ['a']],
    ['(?m)^.', 'ab\ncd', ['a', 'c']],
    ['(?m).$', 'ab\ncd', ['b', 'd']],
    ['a.b', 'a\nb', []],
    ['(?s)a.b', 'a\nb', ['a\nb']],
    ['\\w+', 'aé日 １²_-ª', ['aé日', '１²_', 'ª']],
    ['[[:word:]]+', 'é²_', ['é', '_']],
    ['\\d', '1１²', ['1', '１']],
    ['\\s', 'a\u00a0\u2028\u0085', ['\u00a0', '\u2028', '\u0085']],
    ['\\h', 'hx', ['h']],
    ['\\p{Han}+', '日本a', ['日本']],
    ['\\P{Han}', '日a', ['a']],
    ['\\p{^alpha}', 'a1', ['1']],
    ['[^[:alpha:]]', 'a1', ['1']],
    ['(?<=foo)bar', 'foobar', ['bar']],
    ['(?<!foo)bar', 'foobar bar', ['bar']],
    ['(?<=x{1,2})a', 'xa', ['a']],
    ['foo\\Kbar', 'foobar', ['bar']],
    ['(a)\\1', 'aab', ['aa']],
    ['(?<n>a|b)\\k<n>', 'abb', ['bb']],
    ['a{,2}', 'aa', []],
    ['a{1', 'a{1', ['a{1']],
    ['a++b', 'aab', ['aab']],
    ['a++a', 'aaa', []],
    ['(?>a+)a', 'aaa', []],
    ['a**', 'aa', ['aa', '']],
    ['(?<p>\\((?:[^()]|\\g<p>)*\\))', 'x((a)b)', ['((a)b)']],
    ['(?i:a)B', 'AB Ab', ['AB']],
    ['a(?i)B|C', 'ab c', ['ab', 'c']],
    ['\\Qa.b\\E+', 'a.bb', ['a.bb']],
    ['(?#comment)a', 'a', ['a']],
    ['[a\\-c]', 'b-c', ['-', 'c']],
    ['[]a]', ']', [']']],
    ['[\\w-z]', '-', ['-']],
    ['\\x41\\x{42}\\103', 'ABC', ['ABC']],
    ['\\cA', '\u0001', ['\u0001']],
    ['a|ab', 'ab', ['a']],
    ['(?:a|ab)(?:c|bcd)?', 'abcd', ['abcd']],
    ['(a)?(?(1)b|c)', 'ab c', ['ab', 'c']],
    ['\\R', '\r\n', ['\r\n']],
    ['\\X', 'e\u0301', ['e\u0301']],
    ['\\bfoo\\b', 'foo food', ['foo']],
    ['\\Bo', 'foo o', ['o', 'o']],
    ['.', '👍a', ['👍', 'a']],
    ['[👍]', '👍', ['👍']],
    ['x*', 'axb', ['', 'x', '', '']],
  ])('%s over %j', (pattern, text, expected) => {
    expect(all(pattern, text)).toEqual(expected)
  })

  test('flags', () => {
    expect(all('straße', 'STRASSE Straße', { ignoreCase: true })).toEqual(['Straße'])
    expect(all('σ', 'Σσς', { ignoreCase: true })).toEqual(['Σ', 'σ', 'ς'])
    expect(all(' a b # comment', 'ab', { extended: true })).toEqual(['ab'])
    expect(all('a.b', 'a\nb', { dotAll: true })).toEqual(['a\nb'])
    expect(all('a|ab|abc', 'abc', { longest: true })).toEqual(['abc'])
    expect(all('( )*', 'a b', { notEmpty: true })).toEqual([' '])
  })

  test('groups keep what they took in an earlier turn of a loop', () => {
    const [match] = compileRegex('(?:(a)|(b))*', plain).matches('aba', false)
    expect(match).toEqual([0, 3, 2, 3, 1, 2])
    const [empty] = compileRegex('(a*)+', plain).matches('aa', false)
    expect(empty).toEqual([0, 2, 2, 2])
    const [unset] = compileRegex('(x)?a', plain).matches('a', false)
    expect(unset).toEqual([0, 1, -1, -1])
  })
})

test.each([
  ['(', 'end pattern with unmatched parenthesis'],
  [')', 'unmatched close parenthesis'],
  ['[', 'premature end of char-class'],
  ['[]', 'empty char-class'],
  ['[b-a]', 'empty range in char class'],
  ['*', 'target of repeat operator is not specified'],
  ['a|*', 'target of repeat operator is not specified'],
  ['^*', 'target of repeat operator is invalid'],
  ['(?=a)*', 'target of repeat operator is invalid'],
  ['\\', 'end pattern at escape'],
  ['(?<n', 'invalid group name <n>'],
  ['(?<1a>b)', 'invalid group name <1a>'],
  ['(?<>a)', 'group name is empty'],
  ['\\p{Foo}', 'invalid character property name {Foo}'],
  ['(?z)', 'undefined group option'],
  ['(?', 'end pattern in group'],
  ['\\k<x>', 'undefined name <x> reference'],
  ['\\g<x>', 'undefined name <x> reference'],
  ['\\2', 'invalid backref number/name'],
  ['[[:foo:]]', 'invalid POSIX bracket type'],
  ['a{100001}', 'too big number for repeat range'],
  ['a{2,1}', 'upper is smaller than lower in repeat range'],
  ['(?<!(a))b', 'invalid pattern in look-behind'],
  ['(?<a>b\\g<a>)', 'never ending recursion'],
])('%s is an error with the message of Oniguruma', (pattern, message) => {
  expect(() => compileRegex(pattern, plain)).toThrow(new RegexError(message))
})

test('both engines find the same where both may be used', () => {
  const atom = fc.constantFrom(
    'a',
    'b',
    '.',
    '[ab]',
    '[^a]',
    '\\d',
    '\\w',
    '(a)',
    '(?:ab|a)',
    '(?<n>b)',
    '\\b',
    '^',
    '$',
    '(?=b)',
    '(?<!a)',
  )
  const piece = fc
    .tuple(atom, fc.constantFrom('', '', '*', '+', '?', '*?', '{1,2}', '+?'))
    .map(([a, q]) => (/^[\\^$(]/.test(a) && !/^\\[dw]|^\((?:a|\?:|\?<n)/.test(a) ? a : a + q))
  const pattern = fc
    .array(
      fc.array(piece, { maxLength: 4 }).map((parts) => parts.join('')),
      { minLength: 1, maxLength: 2 },
    )
    .map((branches) => branches.join('|'))
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '1', ' ', '\n', 'é', '👍'), maxLength: 12 })
  let both = 0
  fc.assert(
    fc.property(pattern, text, fc.boolean(), (source, subject, ignoreCase) => {
      const options = { ...plain, ignoreCase }
      const parsed = parseRegex(source, options)
      const native = translate(parsed, options, true)
      if (native === null) return
      both++
      const machine = new Machine(assemble(parsed), subject, options)
      let expected: readonly number[] | null = null
      for (
        let at = 0;
        at <= subject.length && expected === null;
        at += (subject.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
      ) {
        expected = machine.matchAt(at, 0)
      }
      const match = new RegExp(native.source, 'du').exec(subject)
      const found = match?.indices?.flatMap((pair) => pair ?? [-1, -1]) ?? null
      expect(found).toEqual(expected)
    }),
    { numRuns: 1500, seed: 1 },
  )
  expect(both).toBeGreaterThan(500)
})

test('characters in a row are tested without an engine, as the machine tests them', () => {
  const atom = fc.constantFrom('a', 'b', '[ab]', '[^a]', '.', '\\d', '\\.', 'é', '👍', '(a)', '(?:ab)')
  const row = fc.tuple(
    fc.constantFrom('', '^', '\\A'),
    fc.array(atom, { maxLength: 4 }),
    fc.constantFrom('', '$', '\\z', '\\Z'),
  )
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '1', '.', '\n', 'é', '👍', '\ud83d'), maxLength: 6 })
  let rows = 0
  fc.assert(
    fc.property(row, text, fc.boolean(), ([start, atoms, end], subject, ignoreCase) => {
      const options = { ...plain, ignoreCase }
      const parsed = parseRegex(start + atoms.join('') + end, options)
      const row = plainTest(parsed.root)
      if (row === null) return
      rows++
      const machine = new Machine(assemble(parsed), subject, options)
      let expected = false
      for (let at = 0; at <= subject.length; at += (subject.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) {
        expected ||= machine.matchAt(at, 0) !== null
      }
      expect(row(subject)).toBe(expected)
    }),
    { numRuns: 3000, seed: 2 },
  )
  expect(rows).toBeGreaterThan(1000)
})

test('what could run away is never given to the engine that cannot be stopped', () => {
  for (const source of ['(a+)+$', '(a|aa)+$', '(x+x+)+y', '(a*)*', '(?:a?){30}', '(\\w+\\s?)*x', '(?=(a+))\\1+b']) {
    const parsed = parseRegex(source, plain)
    const native = translate(parsed, plain, false)
    expect([source, native === null || native.longest < 10_000]).toEqual([source, true])
  }
})

test('steps are counted', () => {
  startMeter({ ...defaultBudget, steps: 10_000 })
  expect(() => compileRegex('(a+)+$', plain).test(`${'a'.repeat(40)}!`)).toThrow(Exhausted)
})
