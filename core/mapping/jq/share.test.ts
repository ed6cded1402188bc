import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defaultBudget } from './budget.ts'
import { JqRuntimeError } from './errors.ts'
import { compile, type Program, type RunContext } from './program.ts'
import { shareAmong } from './share.ts'

const parts = [
  '(.a + .b)',
  '(.a | length)',
  '(.list | map(select(. > 1)))',
  '(.list | map(select(. > 1)) | length)',
  '([.list[] | tostring] | join(","))',
  '(.a | error)',
  '(.a | ltrimstr("x") | ascii_downcase)',
  '"\\(.a)-\\(.b)"',
  '([range(40)] | add)',
  '(.a | tojson | test("1"))',
  '(first(.list[] | select(. > 2)))',
  '(.b // empty | tostring)',
  'now',
]
const part = fc.constantFrom(...parts)
const expression = fc.oneof(
  part,
  fc.tuple(part, part).map(([a, b]) => `[${a}, ${b}]`),
  fc.tuple(part, part).map(([a, b]) => `${a} // ${b}`),
  fc.tuple(part, part).map(([a, b]) => `try ${a} catch ${b}`),
  fc.tuple(part, part).map(([a, b]) => `if ${a} == ${b} then ${a} else {x: ${b}} end`),
  fc.tuple(part, part).map(([a, b]) => `${a} as $x | [$x, ${b}, (${a} | [.])]`),
  fc.tuple(part, part).map(([a, b]) => `${a} | ${b}`),
  fc.tuple(part, part).map(([a, b]) => `(${a}, ${b})`),
  fc.tuple(part, part).map(([a, b]) => `[.list[]? | ${a}, ${b}]`),
  fc.tuple(part, part).map(([a, b]) => `. as {a: $a} | label $f | ${a}, (${b}, break $f)`),
)
const scalar = fc.oneof(
  fc.integer({ min: -2, max: 4 }),
  fc.string({ maxLength: 3 }),
  fc.constantFrom(null, true, 2 ** 60),
)
const input = fc.oneof(
  fc.record({ a: scalar, b: scalar, list: fc.array(scalar, { maxLength: 5 }) }, { requiredKeys: [] }),
  scalar,
)

test('sharing changes no value, no error and no budget', () => {
  let shared = 0
  fc.assert(
    fc.property(
      fc.array(expression, { minLength: 2, maxLength: 4 }),
      fc.array(input, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(20, 60, 100, 200, defaultBudget.steps),
      (sources, inputs, steps) => {
        const alone = sources.map((source) => compile(source))
        const together = sources.map((source) => compile(source))
        const sharing = shareAmong(together)
        // The last one comes twice, at another time.
        for (const [at, item] of [...inputs, ...inputs.slice(-1)].entries()) {
          const context = { budget: { ...defaultBudget, steps }, now: at }
          sharing.turn()
          for (const [position, program] of together.entries()) {
            const expected = outcome(alone[position] ?? program, item, context)
            expect(outcome(program, item, context)).toBe(expected)
            if (!expected.startsWith('the')) shared++
          }
        }
      },
    ),
    { numRuns: 2000, seed: 5 },
  )
  expect(shared).toBeGreaterThan(2000)
})

function outcome(program: Program, item: unknown, context: RunContext): string {
  try {
    // What is generated is JSON.
    return JSON.stringify(program.first(item as null, context)) ?? 'nothing'
  } catch (error) {
    if (error instanceof JqRuntimeError) return `${error.code}: ${error.message}`
    throw error
  }
}

test('what occurs more than once over the same input is computed once per input', () => {
  const seen: string[] = []
  const sources = [
    '.list | map(. * 2) | length',
    '"\\(.list | map(. * 2))"',
    '[(.list | map(. * 2)), (.list | map(. * 2))]',
    '(.list | map(. * 2)) as $x | $x[0]',
    'try (.text | tonumber) catch 0',
    '(.text | tonumber) // 1',
  ]
  const programs = sources.map((source) =>
    compile(source, { trace: (node) => void seen.push(source.slice(node.start, node.end)) }),
  )
  const sharing = shareAmong(programs)
  const failures: unknown[] = []
  for (const item of [
    { list: [1, 2], text: 'x' },
    { list: [3], text: 'y' },
  ]) {
    sharing.turn()
    for (const program of programs) {
      try {
        program.first(item)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  expect(seen.filter((part) => part === 'map(. * 2)')).toHaveLength(2)
  expect(seen.filter((part) => part === '. * 2')).toHaveLength(3)
  expect(failures).toEqual([
    new JqRuntimeError('expression_failed', 'string ("x") cannot be parsed as a number'),
    new JqRuntimeError('expression_failed', 'string ("y") cannot be parsed as a number'),
  ])
})
