import { checkLength, steps } from './budget.ts'

/** Strings count in code points, as in jq. Nearly all have no surrogates, and then JavaScript's own units are the same. */
const surrogate = /[\ud800-\udfff]/

export function hasSurrogates(text: string): boolean {
  return surrogate.test(text)
}

export function textLength(text: string): number {
  if (!surrogate.test(text)) return text.length
  let length = 0
  for (let at = 0; at < text.length; at += width(text, at)) length++
  return length
}

/** UTF-16 units of the character at this unit. */
export function width(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
}

export function sliceCharacters(text: string, start: number, end: number): string {
  if (!surrogate.test(text)) return text.slice(start, end)
  return Array.from(text).slice(start, end).join('')
}

/** Offsets at which `wanted` occurs, overlaps included. */
export function occurrences(text: string, wanted: string): number[] {
  const found: number[] = []
  if (wanted === '') return found
  const wide = surrogate.test(text)
  let counted = 0
  let characters = 0
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    steps(1)
    if (wide) {
      characters += textLength(text.slice(counted, at))
      counted = at
      found.push(characters)
    } else found.push(at)
  }
  return found
}

/** jq's split: an empty separator gives the characters, an empty text gives nothing. */
export function splitText(text: string, separator: string): string[] {
  steps(1 + (text.length >> 3))
  if (text === '') return []
  return separator === '' ? Array.from(text) : text.split(separator)
}

export function concat(left: string, right: string): string {
  checkLength(left.length + right.length)
  return left + right
}
