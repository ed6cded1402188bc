import { expect, test } from 'vitest'
import { JqRuntimeError } from './errors.ts'
import { toJson } from './json-write.ts'
import { evaluateText } from './program.ts'

/** Programs we once answered otherwise than jq 1.8.2, with its answer: outputs, and the message that ended them. */
const cases: readonly (readonly [program: string, input: string, answer: string])[] = [
  // A break is an error to jq, and a try around it catches it.
  ['[label $f | .[] | try (., break $f)]', '[1,2]', '[1,2]'],
  ['label $f | 1, (try [break $f] catch "c"), 2', 'null', '1 "c" 2'],
  ['label $f | try break $f catch .', 'null', '{"__jq":0}'],
  ['label $f | . as [$a] ?// $a | if ($a | type) == "number" then break $f else $a end', '[1]', '[1]'],
  ['label $f | try error("x") catch break $f', 'null', ''],
  ['[lgamma_r[1], (0 | log10 | lgamma_r[1])]', '-0', '[-1,1]'],
  // Slices: both ends are there, and an update without output deletes.
  ['.[{"start": 1}]', '[1,2]', 'error: Array/string slice indices must be integers'],
  ['.[{"start": 1, "end": null}]', '[1,2]', '[2]'],
  ['.[1:2] |= empty', '[1,2,3]', '[1,3]'],
  ['(.[0:1], .[1:]) |= empty', '[1,2,3]', '[]'],
  ['.[1:] |= empty', 'null', 'null'],
  // Replacements without output.
  ['gsub("(?<x>.)"; if .x == "b" then empty else "z" end)', '"abc"', '"zz"'],
  ['sub("a"; empty)', '"aa"', '"aa"'],
  // An empty match inside a character is found again.
  ['[match("x?"; "g") | [.offset, .length]]', '"éxé"', '[[0,0],[1,0],[1,1],[2,0],[3,0],[3,0]]'],
  ['gsub(""; "-")', '"aéb"', '"-a-é--b-"'],
  ['[splits("")]', '"😀"', '["","😀","","","",""]'],
  ['[match("^"; "g").offset]', '"é"', '[0]'],
  ['test("[a-\\\\w]")', '"-"', 'error: Regex failure: char-class value at end of range'],
  // JSON text.
  [
    'fromjson',
    '"\\"\\\\ud800\\""',
    `error: Invalid \\uXXXX\\uXXXX surrogate pair escape at line 1, column 8 (while parsing '"\\ud800"')`,
  ],
  ['fromjson', '"\\"\\\\ud83d\\\\ude00\\""', '"😀"'],
  // Dates: what a text leaves open is that of 1970-01-01, and what is out of range is written as it is.
  ['[strptime("%H:%M"), (strptime("%H:%M") | mktime)]', '"10:20"', '[[1970,0,1,10,20,0,4,0],37200]'],
  ['strptime("%Y-%m-%d")', '"2015-02-30"', '[2015,2,2,0,0,0,1,60]'],
  ['strptime("%y")', '"99"', '[1999,0,1,0,0,0,5,0]'],
  ['strftime("%Y-%m-%d %H:%M:%S %j %a")', '[2024,14,35,27,61,61,0,0]', '"2024-15-35 27:61:61 095 Sat"'],
  ['todate', '[2015,1]', '"2015-02-00T00:00:00Z"'],
  // Bytes that are no text: one mark for a character that is cut short.
  ['@base64d', 'null', '"\ufffd\ufffd"'],
  ['[@base64d | explode[]]', '"8J+RQeKC4oKsgMCA7aCA"', '[65533,65,65533,8364,65533,65533,65533,65533]'],
  ['sub("a"; "b"; 1)', '"a"', 'error: number (1) is not a string'],
  ['gsub("a"; "b"; 1)', '"a"', 'error: number (1) and string ("g") cannot be added'],
  // Fresh items do not move the path.
  ['path(reduce 1 as $i (.; .a))', '{}', 'error: Invalid path expression with result null'],
  ['[path(foreach 1 as $i (.; .a; .b))]', '{}', '[["a","b"]]'],
  [
    'path(reduce (1, 2) as $i (.; .a))',
    '{}',
    'error: Invalid path expression near attempt to access element "a" of null',
  ],
]

test.each(cases)('%s over %s', (program, input, answer) => {
  const outputs: string[] = []
  try {
    evaluateText(program, input, (value) => outputs.push(toJson(value)))
  } catch (error) {
    if (!(error instanceof JqRuntimeError)) throw error
    outputs.push(`error: ${error.message}`)
  }
  expect(outputs.join(' ')).toBe(answer)
})

test.each(['1 as $__loc__ | 2', '. as {$__loc__} | 2', 'def f($__loc__): 1; f(2)'])(
  '%s takes a name that is taken',
  (program) => {
    expect(() => evaluateText(program, 'null', () => undefined)).toThrow(/a name that is not taken/)
  },
)

test.each(['{@json: 1}', '{"a"[0]: 1}', '. as {"a".b: $x} | $x'])('%s does not compile', (program) => {
  expect(() => evaluateText(program, 'null', () => undefined)).toThrow(/parentheses around object key/)
})
