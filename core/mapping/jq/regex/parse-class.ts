import { type CharSet, charSet, classCharacter, posixClass, property, types } from './charset.ts'
import type { Reader } from './reader.ts'
import { RegexError } from './syntax.ts'

const controls: { readonly [letter: string]: number } = { a: 7, e: 27, f: 12, n: 10, r: 13, t: 9 }

/** The code of an escape that stands for one character, behind the backslash; undefined if it is another kind. */
export function escapedCode(reader: Reader): number | undefined {
  const control = controls[reader.peek()]
  if (control !== undefined) {
    reader.position++
    return control
  }
  const braced = reader.match(/x\{([0-9A-Fa-f]{1,8})\}|o\{([0-7]{1,11})\}/y)
  if (braced !== null) {
    const code = braced[1] === undefined ? Number.parseInt(braced[2] ?? '', 8) : Number.parseInt(braced[1], 16)
    if (code > 0x7fffffff) throw new RegexError('too big wide-char value')
    return Math.min(code, 0x10ffff)
  }
  const hex = reader.match(/x([0-9A-Fa-f]{0,2})/y)
  if (hex !== null) return Number.parseInt(`0${hex[1]}`, 16)
  const octal = reader.match(/0([0-7]{0,2})/y)
  if (octal !== null) return Number.parseInt(`0${octal[1]}`, 8)
  if (reader.match(/c|C-/y) !== null) {
    if (reader.done) throw new RegexError('end pattern at control')
    const letter = reader.take()
    return letter === '?' ? 127 : (letter.codePointAt(0) ?? 0) & 0x9f
  }
  return undefined
}

/** `\p{name}` and `\P{name}` behind the backslash, as a class inside; undefined if it is none. */
export function propertyEscape(reader: Reader): string | undefined {
  const match = reader.match(/([pP])\{(\^?)([^}]*)\}/y)
  if (match === null) return undefined
  const [, letter, caret, name = ''] = match
  const source = property(name)
  return (letter === 'P') === (caret === '^') ? source : complement(source)
}

/** `\d`, `\w`, `\s` and their capitals behind the backslash. */
export function typeEscape(reader: Reader): string | undefined {
  const match = reader.match(/[dDwWsS]/y)
  if (match === null) return undefined
  const [letter = ''] = match
  const source = types[letter.toLowerCase()] ?? ''
  return letter === letter.toLowerCase() ? source : complement(source)
}

const complements = new Map<string, string>()

/**
 * What is not in a class, as the inside of a class. A JavaScript class cannot hold a negated one, so it is written as
 * ranges; there are few such classes, and each is computed once.
 */
export function complement(source: string): string {
  const known = complements.get(source)
  if (known !== undefined) return known
  const simple = /^\\([pP])\{([^}]+)\}$/.exec(source)
  const result = simple === null ? ranges(source) : `\\${simple[1] === 'p' ? 'P' : 'p'}{${simple[2]}}`
  complements.set(source, result)
  return result
}

function ranges(source: string): string {
  const inside = new RegExp(`[${source}]`, 'u')
  let result = ''
  let start = -1
  for (let code = 0; code <= 0x110000; code++) {
    const outside = code < 0x110000 && !inside.test(String.fromCodePoint(code))
    if (outside && start < 0) start = code
    if (!outside && start >= 0) {
      result += `\\u{${start.toString(16)}}-\\u{${(code - 1).toString(16)}}`
      start = -1
    }
  }
  return result
}

/** A bracket expression; the opening bracket is taken. */
export function parseClass(reader: Reader): CharSet {
  const negative = reader.accept('^')
  const { ignoreCase } = reader.modes
  if (reader.peek() === ']' && !reader.source.includes(']', reader.position + 1)) {
    throw new RegexError('empty char-class')
  }
  let source = ''
  let first = true
  for (;;) {
    if (reader.done) throw new RegexError('premature end of char-class')
    if (reader.peek() === ']' && !first) break
    first = false
    const item = classItem(reader)
    if (typeof item === 'string') {
      source += item
      continue
    }
    // A minus at the end, or in front of a class, is itself.
    if (reader.peek() === '-' && reader.peek(1) !== ']' && reader.peek(1) !== '') {
      reader.position++
      const to = classItem(reader)
      if (typeof to === 'string') throw new RegexError('char-class value at end of range')
      if (to < item) throw new RegexError('empty range in char class')
      source += `${classCharacter(item)}-${classCharacter(to)}`
    } else source += classCharacter(item)
  }
  reader.position++
  return charSet(source, negative, ignoreCase)
}

/** One character as its code, or a class as its inside. */
function classItem(reader: Reader): number | string {
  const named = reader.match(/\[:(\^?)([A-Za-z]*):\]/y)
  if (named !== null) {
    const source = posixClass((named[2] ?? '').toLowerCase())
    if (source === undefined) throw new RegexError('invalid POSIX bracket type')
    return named[1] === '^' ? complement(source) : source
  }
  if (!reader.accept('\\')) return reader.take().codePointAt(0) ?? 0
  if (reader.done) throw new RegexError('end pattern at escape')
  const group = typeEscape(reader) ?? propertyEscape(reader)
  if (group !== undefined) return group
  if (reader.accept('b')) return 8
  const octal = reader.match(/[1-7][0-7]{0,2}/y)
  if (octal !== null) return Number.parseInt(octal[0], 8)
  return escapedCode(reader) ?? reader.take().codePointAt(0) ?? 0
}
