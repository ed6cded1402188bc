import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rewriteSingleQuotes } from './quotes.ts'

describe('single-quoted strings', () => {
  it.each([
    [".type == 'Bug'", '.type == "Bug"'],
    ["'a'", '"a"'],
    ["test('^a$')", 'test("^a$")'],
    [`"it's" + 'x'`, `"it's" + "x"`],
    [`'it's'`, `"it's"`],
    [`'say "hi"'`, `"say \\"hi\\""`],
    [`'a \\(.b | join(",")) c'`, `"a \\(.b | join(",")) c"`],
    [`"the dogs' bowl"`, `"the dogs' bowl"`],
    [`"a \\(.b + 'x') c"`, `"a \\(.b + 'x') c"`],
    [`'don\\'t'`, `"don't"`],
    [`'\\n\\\\'`, `"\\n\\\\"`],
    ["'a','b'", '"a","b"'],
    ["''", '""'],
    [".a == 'x' # don't", `.a == "x" # don't`],
    ["'open", "'open"],
    ['"\\""', '"\\""'],
  ])('%s', (written, expected) => {
    expect(rewriteSingleQuotes(written).text).toBe(expected)
  })

  it('leaves an expression without single quotes as it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const written = text.replaceAll("'", '')
        expect(rewriteSingleQuotes(written).text).toBe(written)
      }),
    )
  })

  it('says where each character came from', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("'", '"', '\\', '(', ')', 'a', ' ', '#', '\n') }), (written) => {
        const { text, original } = rewriteSingleQuotes(written)
        for (let offset = 0; offset < text.length; offset++) {
          const char = text[offset]
          const from = written[original(offset)]
          expect(char === from || char === '"' || char === '\\' || char === "'").toBe(true)
          expect(original(offset)).toBeGreaterThanOrEqual(offset === 0 ? 0 : original(offset - 1))
        }
        expect(original(text.length)).toBe(written.length)
      }),
    )
  })
})
