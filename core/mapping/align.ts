import type { SourceText } from './source.ts'
import type { YamlScalar } from './yaml.ts'

/**
 * Where the character at `offset` of a scalar's value stands in the file. Quotes, escapes, folded lines and block
 * indentation lie between the two, so both texts are walked side by side: every character of the value is found again in
 * the source, and what the source has in between (indentation, backslashes, doubled quotes) is passed over.
 */
export function offsetInFile(source: SourceText, scalar: YamlScalar, offset: number): number {
  const { text } = source
  const { end } = scalar.range
  let at = scalar.range.start
  if (scalar.style === 'single' || scalar.style === 'double') at += 1
  else if (scalar.style === 'block') at = Math.max(at, text.indexOf('\n', at) + 1)
  const value = scalar.text
  for (let index = 0; at < end; index++) {
    const char = value[index]
    if (index < value.length && char !== undefined) at = find(text, at, end, char)
    if (index >= offset) return Math.min(at, end)
    at += 1
  }
  return Math.min(at, end)
}

function find(text: string, from: number, end: number, char: string): number {
  const blank = char === ' ' || char === '\n' || char === '\t'
  for (let at = from; at < end; at++) {
    const here = text[at]
    if (here === char) return at
    // A folded line end stands for a space, an escape in double quotes for a line end or tab.
    if (blank && (here === '\n' || here === '\r' || here === '\\')) return at + (here === '\\' ? 1 : 0)
  }
  return from
}
