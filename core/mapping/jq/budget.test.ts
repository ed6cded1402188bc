import { describe, expect, test } from 'vitest'
import type { Json } from '../../model/json.ts'
import { compile, defaultBudget, JqRuntimeError } from './index.ts'

const nested = (depth: number): Json => JSON.parse('['.repeat(depth) + ']'.repeat(depth))

/** Programs that never end, or make more than anybody can hold. */
const runaways: readonly (readonly [string, Json])[] = [
  ['def f: f; f', null],
  ['def f(x): f(x | x); f(.)', null],
  ['[range(1e12)]', null],
  ['until(false; .)', null],
  ['last(range(1e12))', null],
  ['"x" * 1e9', null],
  ['[repeat("x")]', null],
  ['reduce range(1e9) as $i (null; [.])', null],
  ['reduce range(100) as $i ("x"; . + .)', null],
  ['reduce range(100) as $i ([1]; . + .)', null],
  ['reduce range(40) as $i (1; [., .])', null],
  ['reduce range(40) as $i (1; [., .]) | tojson', null],
  ['reduce range(40) as $i (1; [., .]) | [..] | length', null],
  ['(reduce range(40) as $i (1; [., .])) == (reduce range(40) as $i (1; [., .]))', null],
  ['reduce range(1e6) as $i (""; . + "a long text that is put behind itself")', null],
  ['[combinations(20)]', [1, 2, 3]],
  ['path(last(range(1e12)))', null],
  ['def f(x): f(x, x); f(1)', null],
  ['ltrimstr("a") | until(false; ltrimstr("a"))', 'aaa'],
  ['map(test("(a+)+$"))', Array.from({ length: 10_000 }, (_each, at) => `${'a'.repeat(at % 40)}!`)],
  ['[recurse([.])]', null],
  ['[limit(1e9; repeat(1))]', null],
  ['[range(100000)] as $x | $x - $x', null],
  ['test("(a+)+$")', `${'a'.repeat(40)}!`],
  ['test("(a|aa)+$")', `${'a'.repeat(60)}!`],
  ['test("(x+x+)+y")', 'x'.repeat(60)],
  ['test("^(.*?,){25}P")', '1,'.repeat(60)],
  ['test("(?=(a+))\\\\1+b")', 'a'.repeat(20_000)],
  ['test("(a*)*b")', 'a'.repeat(40)],
  ['test("a*a*a*a*a*a*b")', 'a'.repeat(2000)],
  ['test("(?<=a*)b")', 'a'.repeat(30_000)],
  ['gsub("";"a")', 'x'.repeat(600_000)],
  ['[splits("")]', 'x'.repeat(600_000)],
]

/** None of these may swallow what stops a program. */
const wrappings: readonly ((program: string) => string)[] = [
  (program) => program,
  (program) => `try (${program}) catch "caught"`,
  (program) => `[(${program})?]`,
  (program) => `(${program}) // "other"`,
  (program) => `label $out | (${program})`,
  (program) => `first((${program}), 1)`,
  (program) => `. as [$a] ?// $a | (${program})`,
]

describe.each(runaways)('%s', (program, input) => {
  test.each(wrappings.map((wrap) => [wrap(program)]))('%s', (source) => {
    const run = () => compile(source).first(input)
    expect(run).toThrow(JqRuntimeError)
    expect(run).toThrow(expect.objectContaining({ code: 'expression_budget' }))
  })
})

test('an output that nests deeper than JSON.stringify can go is refused', () => {
  expect(() => compile('reduce range(2000) as $i (1; [.])').first(null)).toThrow(/nests deeper/)
  expect(compile('reduce range(500) as $i (1; [.])').first(null)).toHaveLength(1)
})

test('a deep input is refused or handled, but never ends the process', () => {
  for (const program of [
    'walk(.)',
    '[..] | length',
    'flatten',
    'tojson | length',
    '. == [.]',
    '[paths] | length',
    '[tostream] | length',
    'tojson | fromjson | length',
  ]) {
    try {
      compile(program).first(nested(20_000))
    } catch (error) {
      expect(error).toBeInstanceOf(JqRuntimeError)
    }
  }
})

test('each run has the whole budget', () => {
  const budget = { ...defaultBudget, steps: 1000 }
  const program = compile('[range(400)] | length')
  for (let turn = 0; turn < 5; turn++) expect(program.first(null, { budget })).toBe(400)
  expect(() => compile('[range(2000)] | length').first(null, { budget })).toThrow(/more than 1000 steps/)
})

test('calls nest as deep as the budget says', () => {
  const program = compile('def f: if . > 0 then . - 1 | f else "end" end; f')
  expect(program.first(200)).toBe('end')
  expect(() => program.first(1000)).toThrow(/deeper than 400/)
  expect(() => program.first(50, { budget: { ...defaultBudget, depth: 20 } })).toThrow(/deeper than 20/)
})

test('an error value that cannot be written is an error about the budget', () => {
  const run = () => compile('reduce range(40) as $i (1; [., .]) | error').first(null)
  expect(run).toThrow(expect.objectContaining({ code: 'expression_budget' }))
})

test('a failed run leaves nothing behind for the next', () => {
  const program = compile('def f: try (.x | f) catch (. | f); f')
  expect(() => program.first(null)).toThrow(JqRuntimeError)
  expect(compile('[limit(3; repeat(1))]').first(null)).toEqual([1, 1, 1])
})
