import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { textDiff } from './text-diff.ts'

/** What a diff that shows everything says: the old lines and the new ones. */
function applied(before: string, diff: string): string {
  const lines = before.split('\n')
  const output: string[] = []
  let at = 0
  for (const line of diff === '' ? [] : diff.split('\n')) {
    const hunk = /^@@ -(\d+),/.exec(line)
    if (hunk) {
      const from = Number(hunk[1]) - 1
      output.push(...lines.slice(at, from))
      at = from
    } else if (line.startsWith('+')) output.push(line.slice(1))
    else {
      expect(lines[at]).toBe(line.slice(1))
      if (line.startsWith(' ')) output.push(line.slice(1))
      at++
    }
  }
  return [...output, ...lines.slice(at)].join('\n')
}

describe('textDiff', () => {
  it('shows a changed line with what is around it', () => {
    const before = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].join('\n')
    expect(textDiff(before, before.replace('e', 'E'))).toBe('@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h')
    expect(textDiff(before, before)).toBe('')
  })

  it('leads from the one text to the other', () => {
    const text = fc
      .array(fc.constantFrom('', 'a', 'b', 'kind: x', ' '), { maxLength: 30 })
      .map((lines) => lines.join('\n'))
    fc.assert(
      fc.property(text, text, (before, after) => {
        expect(applied(before, textDiff(before, after))).toBe(after)
      }),
    )
  })
})
