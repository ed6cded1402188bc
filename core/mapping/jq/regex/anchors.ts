import { charSet, types } from './charset.ts'
import type { Anchor } from './syntax.ts'

const word = charSet(types['w'] ?? '', false, false)

/** Where the character in front of a position starts. */
export function before(text: string, position: number): number {
  const low = text.charCodeAt(position - 1)
  const pair = low >= 0xdc00 && low < 0xe000 && (text.codePointAt(position - 2) ?? 0) > 0xffff
  return position - (pair ? 2 : 1)
}

export function holds(anchor: Anchor, text: string, position: number, searchStart: number): boolean {
  switch (anchor) {
    case 'start':
      return position === 0
    case 'end':
      return position === text.length
    case 'endOrNewline':
      return position === text.length || (position === text.length - 1 && text[position] === '\n')
    case 'lineStart':
      return position === 0 || (text[position - 1] === '\n' && position < text.length)
    case 'lineEnd':
      return position === text.length || text[position] === '\n'
    case 'wordBoundary':
      return isBoundary(text, position)
    case 'notWordBoundary':
      return !isBoundary(text, position)
    case 'searchStart':
      return position === searchStart
  }
}

function isBoundary(text: string, position: number): boolean {
  return isWord(text, position) !== (position > 0 && isWord(text, before(text, position)))
}

function isWord(text: string, position: number): boolean {
  const code = text.codePointAt(position)
  return code !== undefined && word.has(code)
}
