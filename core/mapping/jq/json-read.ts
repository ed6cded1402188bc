import { checkLength, step, steps } from './budget.ts'
import { fail } from './errors.ts'
import { parseNumber } from './numbers.ts'
import { type Draft, put, type Value } from './value.ts'

/** Text in which JSON.parse would lose digits, or which jq writes back differently. */
const lossy = /\d{16}|\d[eE]|\.\d*0(?!\d)|-0|\\u[dD][89a-fA-F]/

const deepest = 10_000

/** Parse JSON text as jq does, with its messages; numbers keep the digits a double would lose. Throws Raised. */
export function fromJson(text: string): Value {
  checkLength(text.length)
  if (!lossy.test(text) && !mayBeDeep(text)) {
    try {
      // JSON.parse gives nothing but JSON.
      return JSON.parse(text) as Value
    } catch {
      // Either jq reads more than JSON here (nan), or its own message is wanted.
    }
  }
  return new Reader(text).read()
}

/** JSON.parse has no limit of nesting; short texts cannot reach jq's. */
function mayBeDeep(text: string): boolean {
  if (text.length <= deepest) return false
  let open = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at) | 0x20
    if (code === 0x7b) open++
  }
  steps(text.length >> 6)
  return open > deepest
}

type Open = { readonly array: Value[] } | { readonly object: Draft; key: string | null; count: number }

const escapes: { readonly [letter: string]: string } = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '"': '"',
  '\\': '\\',
  '/': '/',
}

/** jq's own parser, state for state, so that what it rejects and how it says so is the same. */
class Reader {
  readonly text: string
  readonly stack: Open[] = []
  next: Value | undefined
  done: Value | undefined
  token = ''
  /** Behind what has been read, in UTF-16 units. */
  position = 0

  constructor(text: string) {
    this.text = text
  }

  read(): Value {
    const { text } = this
    if (text.startsWith('\ufeff')) this.position = 1
    while (this.position < text.length) {
      step()
      const character = text[this.position] ?? ''
      this.position++
      if (character === '"') this.string()
      else this.character(character)
      this.finishValue()
    }
    this.literal(true)
    if (this.stack.length > 0) this.fail('Unfinished JSON term', true)
    this.finishValue()
    if (this.done === undefined) this.raise('Expected JSON value')
    return this.done
  }

  /** Outside strings: a blank, structure, or one more character of a literal. */
  character(character: string): void {
    if (!' \t\r\n[]{},:'.includes(character)) {
      this.token += character
      return
    }
    this.literal(false)
    this.finishValue()
    if (!' \t\r\n'.includes(character)) this.structure(character)
  }

  finishValue(): void {
    if (this.stack.length > 0 || this.next === undefined) return
    if (this.done !== undefined) this.raise('Unexpected extra JSON values')
    this.done = this.next
    this.next = undefined
  }

  /** The opening quote is read. */
  string(): void {
    const { text } = this
    this.literal(false)
    this.finishValue()
    const start = this.position
    let end = start
    while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1
    steps((end - start) >> 3)
    this.position = Math.min(end + 1, text.length)
    if (end >= text.length) this.fail('Unfinished string', true)
    this.value(this.unescape(text.slice(start, end)))
  }

  unescape(raw: string): string {
    let text = ''
    for (let at = 0; at < raw.length; at++) {
      const character = raw[at] ?? ''
      if (character !== '\\') {
        if (character < ' ') {
          this.fail('Invalid string: control characters from U+0000 through U+001F must be escaped')
        }
        text += character
        continue
      }
      const letter = raw[++at] ?? ''
      const simple = escapes[letter]
      if (simple !== undefined) text += simple
      else if (letter !== 'u') this.fail('Invalid escape')
      else {
        const digits = raw.slice(at + 1, at + 5)
        if (digits.length < 4) this.fail('Invalid \\uXXXX escape')
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail('Invalid characters in \\uXXXX escape')
        text += String.fromCharCode(Number.parseInt(digits, 16))
        at += 4
        if (/^[dD][89abAB]/.test(digits)) {
          if (!/^\\u[dD][c-fC-F][0-9a-fA-F]{2}/.test(raw.slice(at + 1, at + 7))) {
            this.fail('Invalid \\uXXXX\\uXXXX surrogate pair escape')
          }
          text += String.fromCharCode(Number.parseInt(raw.slice(at + 3, at + 7), 16))
          at += 6
        }
      }
    }
    return text.toWellFormed()
  }

  /** End of a word or number, if one was under way. */
  literal(atEnd: boolean): void {
    const { token } = this
    if (token === '') return
    const word = token[0] === 't' ? 'true' : token[0] === 'f' ? 'false' : token.startsWith('nu') ? 'null' : undefined
    if (token[0] === "'") this.fail(`Invalid string literal; expected ", but got '`, atEnd)
    if (word !== undefined) {
      if (token !== word) this.fail('Invalid literal', atEnd)
      this.value(word === 'null' ? null : word === 'true', atEnd)
    } else {
      const number = parseNumber(token)
      if (number === undefined) this.fail('Invalid numeric literal', atEnd)
      this.value(number, atEnd)
    }
    this.token = ''
  }

  value(value: Value, atEnd = false): void {
    if (this.next !== undefined) this.fail('Expected separator between values', atEnd)
    this.next = value
  }

  structure(character: string): void {
    if (character === '[' || character === '{') {
      if (this.stack.length >= deepest) this.fail('Exceeds depth limit for parsing')
      if (this.next !== undefined) this.fail('Expected separator between values')
      this.stack.push(character === '[' ? { array: [] } : { object: {}, key: null, count: 0 })
      return
    }
    const open = this.stack.at(-1)
    if (character === ':') this.colon(open)
    else if (character === ',') this.comma(open)
    else if (character === ']') this.closeArray(open)
    else this.closeObject(open)
  }

  colon(open: Open | undefined): void {
    if (this.next === undefined) this.fail("Expected string key before ':'")
    if (open === undefined || 'array' in open || open.key !== null) this.fail("':' not as part of an object")
    if (typeof this.next !== 'string') this.fail('Object keys must be strings')
    open.key = this.next
    this.next = undefined
  }

  comma(open: Open | undefined): void {
    if (this.next === undefined) this.fail("Expected value before ','")
    if (open === undefined) this.fail("',' not as part of an object or array")
    if ('array' in open) open.array.push(this.next)
    else if (open.key === null) this.fail('Objects must consist of key:value pairs')
    else this.entry(open, this.next)
    this.next = undefined
  }

  entry(open: Extract<Open, { object: Draft }>, value: Value): void {
    put(open.object, open.key ?? '', value)
    open.key = null
    open.count++
  }

  closeArray(open: Open | undefined): void {
    if (open === undefined || !('array' in open)) this.fail("Unmatched ']'")
    if (this.next !== undefined) open.array.push(this.next)
    else if (open.array.length > 0) this.fail('Expected another array element')
    this.next = open.array
    this.stack.pop()
  }

  closeObject(open: Open | undefined): void {
    if (open === undefined) this.fail("Unmatched '}'")
    if (this.next !== undefined) {
      if ('array' in open || open.key === null) this.fail('Objects must consist of key:value pairs')
      this.entry(open, this.next)
    } else if ('array' in open || open.key !== null) this.fail("Unmatched '}'")
    else if (open.count > 0) this.fail('Expected another key-value pair')
    this.next = open.object
    this.stack.pop()
  }

  /** jq counts columns in bytes, from the last newline on. */
  fail(message: string, atEnd = false): never {
    const before = this.text.slice(this.text.startsWith('\ufeff') ? 1 : 0, this.position)
    const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1))
    const line = before.split('\n').length
    this.raise(`${message} at ${atEnd ? 'EOF at ' : ''}line ${line}, column ${column}`)
  }

  raise(message: string): never {
    fail(`${message} (while parsing '${this.text}')`)
  }
}
