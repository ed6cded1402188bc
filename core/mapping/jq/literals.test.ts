import fc from 'fast-check'
import { test } from 'vitest'
import { JqRuntimeError } from './errors.ts'
import { compile } from './program.ts'

/** In braces stand literals. Behind a pipe the compiler does not know them, and takes the general way. */
const expressions = [
  ...['==', '!=', '<', '<=', '>', '>=', '+', '-', '*', '/', '%'].flatMap((operator) =>
    ['0', '3', '-1', '2.5', '1e1000', 'null', 'true', '"a"', '"b\\n"', '[1]', '{"a":1}'].map(
      (literal) => `. ${operator} {${literal}}`,
    ),
  ),
  '.[{"a"}]',
  '.[{"a"}][{"b"}][{"c"}]',
  '.[{0}]',
  '.[{-1}]',
  'map(.[{"a"}])',
  '[.[] | .[{"a"}] | .[{"b"}]]',
  'has({"a"})',
  'startswith({"a"})',
  'endswith({"a\\n"})',
  'ltrimstr({"a"})',
  'try map(select(startswith({"a"})) | ltrimstr({"a"})) catch .',
  '[.[]? | select(. == {"a"}, . == {"b"}) | [.]]',
  'map(select(empty) | {1})',
  'split({","})',
  'join({","})',
  'test({"^a"})',
  'test({"a$"})',
  'test({"[ab]c"}; {"i"})',
  'sub({"a"}; {"x"})',
  'gsub({"b+"}; {"x"})',
  'gsub({""}; {"-"})',
  'sub({"A"}; {"x"}; {"gi"})',
  'sub({"("}; {"x"})',
  'if . == {"a"} then {1} else {2} end',
]

test('an expression gives the same whether or not its literals are known when it is compiled', () => {
  const value = fc.oneof(
    fc.constantFrom(0, 3, -1, 2.5, 2 ** 60, null, true, 'a', 'b\n', 'a,b', 'abA\n', '👍a', [1], { a: 1 }),
    fc.jsonValue({ maxDepth: 2 }),
    fc.record({ a: fc.oneof(fc.record({ b: fc.jsonValue({ maxDepth: 1 }) }), fc.jsonValue({ maxDepth: 1 })) }),
    fc.array(fc.constantFrom('a', 'b', ',', null, 1, true, ''), { maxLength: 4 }),
  )
  fc.assert(
    fc.property(fc.constantFrom(...expressions), value, (expression, input) => {
      // Sets of braces, since objects have them too: only those that open before a literal are taken.
      const known = answer(expression.replace(/\{(".*?"|\[1\]|\{.*?\}|[\w.-]+)\}/g, '$1'), input)
      const general = answer(expression.replace(/\{(".*?"|\[1\]|\{.*?\}|[\w.-]+)\}/g, '($1 | .)'), input)
      return known === general
    }),
    { numRuns: 5000, seed: 3 },
  )
})

function answer(expression: string, input: unknown): string {
  try {
    // fast-check's values are JSON.
    return JSON.stringify(compile(expression).all(JSON.parse(JSON.stringify(input)))) ?? 'nothing'
  } catch (error) {
    if (error instanceof JqRuntimeError) return error.message
    throw error
  }
}
