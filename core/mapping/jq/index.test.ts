import { describe, expect, test } from 'vitest'
import type { Json } from '../../model/json.ts'
import { compile, exactInput, JqRuntimeError, JqSyntaxError } from './index.ts'

function syntaxError(source: string, variables: readonly string[] = []): JqSyntaxError {
  try {
    compile(source, { variables })
  } catch (error) {
    if (error instanceof JqSyntaxError) return error
    throw error
  }
  throw new Error(`${source} compiles`)
}

function runtimeError(source: string, input: Json = null): JqRuntimeError {
  try {
    compile(source).all(input)
  } catch (error) {
    if (error instanceof JqRuntimeError) return error
    throw error
  }
  throw new Error(`${source} does not fail`)
}

test('gives the first output or all of them', () => {
  expect(compile('.[]').first([1, 2])).toBe(1)
  expect(compile('.[]').all([1, 2])).toEqual([1, 2])
  expect(compile('empty').first(1)).toBeUndefined()
  expect(compile('first(1, error)').first(null)).toBe(1)
})

test('says which programs have at most one output', () => {
  const one = [
    '.a.b',
    '.a // "x"',
    '[.[]]',
    'map(.x)',
    'select(.a)',
    'if . then 1 else 2 end',
    '"\\(.a)-\\(.b)"',
    '. as $x | $x',
    'def f(x): x + 1; f(.a)',
    'test("a")',
    '.a |= 1',
    'first(.[])',
    '{a: .b}',
  ]
  for (const source of one) expect([source, compile(source).single]).toEqual([source, true])
  for (const source of ['.[]', '., .', '.a[]?', 'range(3)'])
    expect([source, compile(source).single]).toEqual([source, false])
})

describe('variables', () => {
  test('are bound by name for each run', () => {
    const program = compile('$item.x + $n', { variables: ['item', 'n'] })
    expect(program.first(null, { variables: { item: { x: 1 }, n: 2 } })).toBe(3)
    expect(program.first(null, { variables: { n: 5 } })).toBe(5)
  })

  test('env and $ENV read the variable env, never the process', () => {
    process.env['CATCHMENT_JQ_TEST'] = 'leaked'
    const program = compile('[env.CATCHMENT_JQ_TEST, $ENV.A, env.A]', { variables: ['env'] })
    expect(program.first(null, { variables: { env: { A: 'a' } } })).toEqual([null, 'a', 'a'])
    expect(program.first(null)).toEqual([null, null, null])
    expect(syntaxError('env.HOME').code).toBe('expression_refused')
    expect(syntaxError('$ENV').code).toBe('expression_refused')
  })

  test('now is what the run says, and an error without', () => {
    expect(compile('now | todate').first(null, { now: 1425599507 })).toBe('2015-03-05T23:51:47Z')
    expect(runtimeError('now').message).toBe('now is not known here')
  })
})

describe('mistakes in an expression', () => {
  test.each([
    ['.a | foo', 'expression_undefined', 5, 3, 'foo/0 is not defined', undefined],
    ['.a | tonumbr', 'expression_undefined', 5, 7, 'tonumbr/0 is not defined', 'did you mean tonumber?'],
    ['join', 'expression_undefined', 0, 4, 'join/0 is not defined', 'join takes 1 arguments, separated by ;'],
    ['.a + $x', 'expression_undefined', 5, 2, '$x is not defined', undefined],
    ['{a: 1', 'expression_syntax', 5, 0, 'unexpected end of the expression, expected }', undefined],
    [
      '.a || .b',
      'expression_syntax',
      4,
      1,
      'unexpected |, expected an expression',
      'alternatives are written // or `or`, not ||',
    ],
    ['.a == == 1', 'expression_syntax', 6, 2, 'unexpected ==, expected an expression', undefined],
    ["'a'", 'expression_syntax', 0, 1, "unexpected character '", 'write strings in double quotes'],
    ['"abc', 'expression_syntax', 0, 4, 'this string is never closed', 'add the missing "'],
    ['.a = 1 = 2', 'expression_syntax', 7, 1, 'unexpected =, expected parentheses: = does not chain', undefined],
    ['(1, 2', 'expression_syntax', 5, 0, 'unexpected end of the expression, expected )', undefined],
    ['.a)', 'expression_syntax', 2, 1, 'unexpected )', 'nothing is open here'],
    [
      '{(1): 2}',
      'expression_syntax',
      2,
      1,
      'Cannot use number (1) as object key',
      'turn it into a string with tostring',
    ],
    [
      'input',
      'expression_refused',
      0,
      5,
      'input is refused: there is no stream of inputs: an expression sees one item',
      undefined,
    ],
    ['import "a" as a; 1', 'expression_refused', 0, 6, 'import is refused: an expression reads no files', undefined],
    ['break $x', 'expression_undefined', 0, 8, '$*label-x is not defined', undefined],
  ])('%s', (source, code, offset, length, message, hint) => {
    const error = syntaxError(source)
    expect({
      code: error.code,
      offset: error.offset,
      length: error.length,
      message: error.message,
      hint: error.hint,
    }).toEqual({
      code,
      offset,
      length,
      message,
      hint,
    })
  })

  test('nesting without end is one', () => {
    expect(syntaxError('('.repeat(5000)).message).toBe('the expression nests too deeply')
    expect(syntaxError(`${'1+'.repeat(100_000)}1`).message).toBe('the expression nests too deeply')
  })
})

test('errors at run time have the message of jq and the value that was raised', () => {
  expect(runtimeError('.a.b', { a: 1 }).message).toBe('Cannot index number with string ("b")')
  const error = runtimeError('error({code: 1})')
  expect([error.code, error.message, error.value]).toEqual([
    'expression_failed',
    '(not a string): {"code":1}',
    { code: 1 },
  ])
  expect(runtimeError('error(null)').message).toBe('(not a string): null')
})

describe('numbers a double cannot hold', () => {
  const text = '{"id": 13911860366432393, "n": 5}'
  const input: Json = JSON.parse(text)

  test('are read again from the text when an expression prints or compares them', () => {
    const context = { exact: () => exactInput(text) }
    expect(compile('.id | tostring').first(input, context)).toBe('13911860366432393')
    expect(compile('"\\(.id)"').first(input, context)).toBe('13911860366432393')
    expect(compile('.id == 13911860366432392').first(input, context)).toBe(false)
    expect(compile('[.id] | tojson').all(input, context)).toEqual(['[13911860366432393]'])
  })

  test('cost nothing where they are not looked at', () => {
    const context = {
      exact: () => {
        throw new Error('the text was asked for')
      },
    }
    expect(compile('.n | tostring').first(input, context)).toBe('5')
    expect(compile('.id').first(input, context)).toBe(13911860366432392)
  })

  test('are doubles without the text', () => {
    expect(compile('.id | tostring').first(input)).toBe('13911860366432392')
  })
})

test('outputs are plain JSON', () => {
  expect(compile('[nan, infinite, -infinite, 1.0, 100000000000000000000]').first(null)).toEqual([
    null,
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    1,
    1e20,
  ])
  expect(compile('1.50').first(null)).toBe(1.5)
  expect(compile('{a: 1.0, b: [1e2]}').first(null)).toEqual({ a: 1, b: [100] })
})

test('names every object inherits are no fields, and __proto__ is one', () => {
  expect(compile('[.constructor, .__proto__, .toString, .["valueOf"]]').first({})).toEqual([null, null, null, null])
  expect(compile('has("constructor"), has("__proto__")').all({})).toEqual([false, false])
  const made = compile('{__proto__: 1, a: 2} | to_entries').first(null)
  expect(made).toEqual([
    { key: '__proto__', value: 1 },
    { key: 'a', value: 2 },
  ])
  expect(compile('.__proto__ = 3 | keys').first({})).toEqual(['__proto__'])
  expect(Object.getPrototypeOf({})).toBe(Object.prototype)
})

test('an input is never changed', () => {
  const input = { a: [{ b: 1 }, { b: 2 }], c: { d: [3] } }
  const before = structuredClone(input)
  for (const source of [
    '.a[].b |= . + 1',
    'del(.a[0])',
    '.c.d[0] = 9',
    '.. |= .',
    'walk(.)',
    '.a |= reverse',
    '.a += [1]',
    'to_entries',
    'with_entries(.value |= 1)',
    '.c * {d: 1}',
  ]) {
    compile(source).all(input)
  }
  expect(input).toEqual(before)
})

test('a trace tells what each part gave', () => {
  const seen: [string, Json][] = []
  const source = '.a | map(. + 1)'
  // What comes out of plain JSON here is plain JSON.
  const program = compile(source, {
    trace: (node, _input, output) => seen.push([source.slice(node.start, node.end), output as Json]),
  })
  expect(program.first({ a: [1, 2] })).toEqual([2, 3])
  expect(seen).toEqual([
    ['.a', [1, 2]],
    ['.', 1],
    ['. + 1', 2],
    ['.', 2],
    ['. + 1', 3],
    ['map(. + 1)', [2, 3]],
    ['.a | map(. + 1)', [2, 3]],
  ])
})
