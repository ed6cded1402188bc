import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { offsetInFile } from './align.ts'
import { Report } from './diagnostic.ts'
import { SourceText } from './source.ts'
import { entryOf, parseYaml, type YamlScalar } from './yaml.ts'

function scalarOf(text: string): { source: SourceText; scalar: YamlScalar } {
  const source = new SourceText('f', text)
  const report = new Report(source)
  const root = parseYaml(report, { duplicates: 'error' })
  const value = root?.kind === 'map' ? entryOf(root, 'key')?.value : undefined
  if (value?.kind !== 'scalar') throw new Error(JSON.stringify(report.diagnostics))
  return { source, scalar: value }
}

/** The character of the file that the character of the value is said to come from. */
function found(text: string, needle: string): string {
  const { source, scalar } = scalarOf(text)
  const at = offsetInFile(source, scalar, scalar.text.indexOf(needle))
  const { line, column } = source.position(at)
  return `${line}:${column}`
}

describe('where a character of a value stands in the file', () => {
  it.each([
    ['key: .a | .b', '1:11'],
    ["key: '.a | .b'", '1:12'],
    ['key: ".a | .b"', '1:12'],
    ["key: '.a == ''x'' | .b'", '1:21'],
    ['key: ".a == \\"x\\" | .b"', '1:21'],
    ['key: ".a\\n\\t | .b"', '1:16'],
    ['key: |\n  .a\n  | .b', '3:5'],
    ['key: >-\n    .a |\n    .b', '3:5'],
    ['key: .a |\n  .b', '2:3'],
    ['key: ".a |\n  \\\n   .b"', '3:4'],
    ['key: |2-\n    .a |\n   .b', '3:4'],
  ])('%j', (text, place) => {
    expect(found(text, '.b')).toBe(place)
  })

  it('is the same character, however the value is written', () => {
    const part = fc.string({ unit: fc.constantFrom('a', '.', '|', ' ', '"', "'", '\\', '(', 'é', '\n', ':', '#') })
    const style = fc.constantFrom(
      'PLAIN',
      'QUOTE_SINGLE',
      'QUOTE_DOUBLE',
      'BLOCK_LITERAL',
      'BLOCK_FOLDED',
    ) as fc.Arbitrary<'PLAIN'>
    fc.assert(
      fc.property(part, style, (value, type) => {
        const text = stringify({ key: `x${value}y` }, { defaultStringType: type, lineWidth: 20 })
        const { source, scalar } = scalarOf(text)
        for (let offset = 0; offset < scalar.text.length; offset++) {
          const char = scalar.text[offset] ?? ''
          if (/\s/.test(char)) continue
          expect(source.text[offsetInFile(source, scalar, offset)], `${text} at ${offset}`).toBe(char)
        }
      }),
      { numRuns: 500 },
    )
  })
})
