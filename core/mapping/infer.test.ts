import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '../model/json.ts'
import { anything, inferTypes, typeBits, typeNames } from './infer.ts'
import { compile } from './jq/index.ts'

const typeOf = (value: Json): number => {
  if (value === null) return typeBits.null
  if (Array.isArray(value)) return typeBits.array
  return typeBits[typeof value as 'boolean' | 'number' | 'string' | 'object']
}

const infer = (source: string): string => typeNames(inferTypes(compile(source).ast))

describe('types told from the text of an expression', () => {
  it.each([
    ['.a', typeNames(anything)],
    ['"x"', 'string'],
    ['.a | tostring', 'string'],
    ['"\\(.a)-\\(.b)"', 'string'],
    ['.a + "x"', 'string'],
    ['.a.b | length', 'number'],
    ['[.a[] | .b]', 'array'],
    ['.a | map(.b) | join(",")', 'string'],
    ['.a == .b', 'boolean'],
    ['.a | not', 'boolean'],
    ['if .a then 1 else "x" end', 'number or string'],
    ['.a // 3 | tostring', 'string'],
    ['(.a | tostring) // null', 'null or string'],
    ['null // 3', 'number'],
    ['.a as $x | [$x]', 'array'],
    ['def f: 3; f', typeNames(anything)],
    ['def length: "x"; .a | length', typeNames(anything)],
    ['(.a | tonumber) / 3600 | floor', 'number'],
    ['{a: 1}', 'object'],
    ['.a.b = 1', 'object'],
    ['.[0] |= 1', typeNames(anything)],
    ['. = 1', typeNames(anything)],
    ['first(.a[] | tostring)', 'string'],
    ['empty', 'nothing'],
  ])('%s', (source, types) => {
    expect(infer(source)).toBe(types)
  })

  it('never excludes what an expression gives', () => {
    const leaf = fc.constantFrom(
      '.',
      '.a',
      '.b',
      '1',
      '"x"',
      'null',
      'true',
      '[]',
      '{}',
      '[.a]',
      '{a: .b}',
      '.a[]?',
      'empty',
      '@json',
    )
    const call = fc.constantFrom(
      'tostring',
      'length',
      'not',
      'keys?',
      'sort?',
      'add',
      'type',
      'tojson',
      'first(.[]?)',
      'to_entries?',
      'map(.)?',
      'ascii_downcase?',
      'values',
      'select(.)',
      'reverse?',
      'abs?',
      'toarray',
      'min?',
      'explode?',
      'unique?',
      'flatten?',
    )
    const source = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        leaf,
        call,
        fc
          .tuple(
            tie('node'),
            fc.constantFrom('+', '-', '*', '/', '%', '==', '<', '//', 'and', 'or', ',', '|'),
            tie('node'),
          )
          .map(([a, o, b]) => `(${a} ${o} ${b})`),
        fc.tuple(tie('node'), tie('node'), tie('node')).map(([a, b, c]) => `if ${a} then ${b} else ${c} end`),
        fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a} as $v | ${b})`),
        tie('node').map((a) => `(try ${a})`),
        tie('node').map((a) => `first(${a})`),
        tie('node').map((a) => `"\\(${a})"`),
      ),
    })).node
    const input = fc.constantFrom<Json>(
      null,
      true,
      1,
      'x',
      [1, 'a', null],
      { a: 1, b: 'x' },
      { a: [1, 2], b: { a: null } },
      { a: 'q', b: [] },
    )
    fc.assert(
      fc.property(source, input, (text, value) => {
        const program = compile(text)
        let result: Json | undefined
        try {
          result = program.first(value)
        } catch {
          return
        }
        if (result !== undefined)
          expect(inferTypes(program.ast) & typeOf(result), `${text} gave ${JSON.stringify(result)}`).not.toBe(0)
      }),
      { numRuns: 1500 },
    )
  })
})
