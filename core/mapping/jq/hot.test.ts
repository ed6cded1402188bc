import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defaultBudget } from './budget.ts'
import { JqRuntimeError, JqSyntaxError } from './errors.ts'
import { Generator } from './fuzz-generate.ts'
import { objectMaker } from './hot.ts'
import { compile, exactInput, type Program, type RunContext } from './program.ts'

/** One for each thing that an expression can write, in places where it is given what it does not expect. */
const written = [
  '.',
  '.a',
  '.a.b.c',
  '.number',
  '.a.text',
  '.a.constructor',
  '.a.__proto__.b',
  '.["x y"].b',
  '.a?',
  '.a.b?',
  '.[0]',
  '.[-1].b',
  '.a[0].b',
  '.list | .[1] | .a',
  'first',
  'last',
  '.a // "none"',
  '.a // .b // empty',
  '(.a | empty) // 1',
  '.a == null',
  '.a != "x"',
  '.a == .b',
  '.a > 3',
  '.a <= 3',
  '.a != 3',
  '.a + .b',
  '.a - 1',
  '-1 + .a',
  '.a * -0',
  '.a and .b',
  '.a or (.b | error)',
  '(.a | empty) and .b',
  'if .a then .b else .list end',
  'if .a == 1 then empty elif .b then "b" else 0 end',
  'if .a then .b end',
  'select(.a)',
  'select(.a == 1) | .b',
  'select(.a | empty)',
  'not',
  '.a | not',
  'map(.a)',
  '.list | map(.a)',
  '.list | map(select(.a == 1))',
  '.list | map(select(.a) | .b | tostring)',
  '.list | map(select(.a | not) | .a // empty)',
  '.list | map(map(.a))',
  '[.list[] | .a]',
  '[.list[] | select(.a > 1) | .a] | join(",")',
  '[.list[] | [.a]]',
  '[.list[]?]',
  '[.[] | .a]',
  '[.a]',
  '[empty]',
  '[.a | select(. == 1)]',
  '{a, b: .list, "c d": (.a // 0)}',
  '{a: 1, a: .b}',
  '{"__proto__": .a, b: 1}',
  '{a: (.b | empty)}',
  '{a: {b: [.a]}, c: {}}',
  '"\\(.a)-\\(.b)!"',
  '"x\\(.a)"',
  '@json "\\(.a) and \\(.list)"',
  '"\\u2028\\(.a)\\"`${.b}"',
  '"a\\(.a | empty)b"',
  '.a | startswith("a")',
  '.a | endswith("b")',
  '.a | ltrimstr("a")',
  '.a | test("^a"; "i")',
  '.a | sub("a"; "b")',
  '.a | gsub("[ab]"; "-")',
  '.a | split("-") | last',
  '.list | length > 1',
  '.list | sort_by(.a) | map(.a) | add',
  '.list | any(.a == 1)',
  '.a as $x | .list | map(.a == $x)',
  'def f: .a; .list | map(f)',
  'try .a.b catch .',
  '.list | map(.a?)',
  'reduce .list[]? as $x (0; . + 1)',
  'tojson',
]

const scalar = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, 1, 2, -1, 2.5, 2 ** 60, 'a', 'ab', 'a-b', '', 'x'),
  fc.constantFrom<unknown>([], {}, [1], { b: 1 }, { b: { c: 2 } }, [{ b: 'a' }], {
    number: 1,
    text: 'x',
    constructor: 2,
  }),
)
const object = fc.record(
  { a: scalar, b: scalar, list: fc.oneof(scalar, fc.array(fc.oneof(scalar, fc.record({ a: scalar, b: scalar })))) },
  { requiredKeys: [] },
)
const input = fc.oneof(
  { weight: 6, arbitrary: object },
  { weight: 1, arbitrary: scalar },
  { weight: 2, arbitrary: fc.array(object, { maxLength: 4 }) },
)
const grammar = fc.infiniteStream(fc.nat()).map((numbers) => {
  const generator = new Generator((below) => (numbers.next().value ?? 0) % below)
  return generator.case()
})

test('an expression that became JavaScript gives what it gave before, errors and budgets included', () => {
  const cases = fc.oneof(
    fc.record({ program: fc.constantFrom(...written), input: input.map((value) => JSON.stringify(value)) }),
    grammar,
  )
  fc.assert(
    fc.property(cases, fc.constantFrom(2, 8, 20, 60, defaultBudget.steps), fc.boolean(), (each, steps, exact) => {
      const cold = compiled(each.program, Number.POSITIVE_INFINITY)
      const hot = compiled(each.program, 1)
      fc.pre(cold !== undefined && hot !== undefined)
      const text = each.input
      const value = JSON.parse(text)
      const context = {
        budget: { ...defaultBudget, steps },
        now: 1,
        ...(exact ? { exact: () => exactInput(text) } : {}),
      }
      outcome(hot, value, context)
      expect(outcome(hot, value, context)).toBe(outcome(cold, value, context))
    }),
    { numRuns: 6000, seed: 11 },
  )
})

test('a long number has no fields, whatever its class has', () => {
  const text = '{"a": 12345678901234567890}'
  for (const name of ['number', 'digits', 'text', 'withSign']) {
    const program = compile(`{long: (.a | tojson), field: .a.${name}}`, { warm: 1 })
    const context = { exact: () => exactInput(text) }
    const message = `expression_failed: Cannot index number with string ("${name}")`
    for (let run = 0; run < 3; run++) expect(outcome(program, JSON.parse(text), context)).toBe(message)
  }
})

test('the names of an object are whatever they are', () => {
  const name = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '"', '\u2028', '${a}', '\\', '\ud800'))
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 6 }), (names) => {
      const make = objectMaker<number>(names)
      const values = names.map((_name, at) => at)
      const first = make(values)
      for (let run = 0; run < 600; run++) make(values)
      expect(Object.entries(make(values))).toEqual(Object.entries(first))
      expect(Object.getPrototypeOf(make(values))).toBe(Object.prototype)
    }),
    { numRuns: 50, seed: 3 },
  )
})

test('where a process may make no code, expressions stay what they are', () => {
  const script = `const { compile } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)})
    const program = compile('.a.b // "none" | ascii_upcase', { warm: 1 })
    for (const item of [{ a: { b: 'x' } }, {}, { a: { b: 'y' } }]) console.log(program.first(item))`
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '--no-warnings']
  const output = execFileSync(process.execPath, [...flags, '--eval', script], { encoding: 'utf8' })
  expect(output.trim().split('\n')).toEqual(['X', 'NONE', 'Y'])
})

/** The grammar makes a few programs that are none. */
function compiled(source: string, warm: number): Program | undefined {
  try {
    return compile(source, { warm })
  } catch (error) {
    if (error instanceof JqSyntaxError) return undefined
    throw error
  }
}

function outcome(program: Program, item: unknown, context: RunContext): string {
  try {
    // What is generated is JSON.
    const value = program.first(item as null, context)
    return Object.is(value, -0) ? '-0' : (JSON.stringify(value) ?? 'nothing')
  } catch (error) {
    if (error instanceof JqRuntimeError) return `${error.code}: ${error.message}`
    throw error
  }
}
