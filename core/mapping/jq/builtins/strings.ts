import { forEach } from '../access.ts'
import { checkLength, steps } from '../budget.ts'
import { applied } from '../code.ts'
import { fail } from '../errors.ts'
import { toText } from '../formats.ts'
import { toNumber } from '../numbers.ts'
import { add } from '../operate.ts'
import { occurrences, splitText } from '../text.ts'
import { isArray, isNumber, type Value, type ValueArray } from '../value.ts'
import { type Build, type Builtins, missing, ofInput, ofOne, typeError } from './define.ts'

/** Strings without regular expressions. */
export const strings: Builtins = {
  'startswith/1': withText(startsWith, (part) => (input) => {
    return typeof input === 'string' ? input.startsWith(part) : startsWith(input, part)
  }),
  'endswith/1': withText(endsWith, (part) => (input) => {
    return typeof input === 'string' ? input.endsWith(part) : endsWith(input, part)
  }),
  'ltrimstr/1': withText(dropStart, (part) => (input) => {
    if (typeof input !== 'string') return dropStart(input, part)
    return input.startsWith(part) ? input.slice(part.length) : input
  }),
  'rtrimstr/1': ofOne(dropEnd),
  'trimstr/1': ofOne((input, part) => dropEnd(dropStart(input, part), part)),
  'trim/0': ofInput((input) => trim(input, true, true)),
  'ltrim/0': ofInput((input) => trim(input, true, false)),
  'rtrim/0': ofInput((input) => trim(input, false, true)),
  'split/1': ofOne((input, separator) =>
    typeof input === 'string' && typeof separator === 'string'
      ? splitText(input, separator)
      : fail('split input and separator must be strings'),
  ),
  'join/1': ofOne(join),
  'explode/0': ofInput(explode),
  'implode/0': ofInput(implode),
  'ascii/0': ofInput((input) => implode([input])),
  'ascii_downcase/0': ofInput((input) => recase(input, 65, /[A-Z]+/g, (text) => text.toLowerCase())),
  'ascii_upcase/0': ofInput((input) => recase(input, 97, /[a-z]+/g, (text) => text.toUpperCase())),
  '_strindices/1': ofOne((input, wanted) => {
    if (typeof input !== 'string') return typeError(input, 'cannot be searched, as it is not a string')
    return typeof wanted === 'string' ? occurrences(input, wanted) : typeError(wanted, 'is not a string')
  }),
}

/** With a literal, which nearly every call has, the text is all there is to look at. */
function withText(
  general: (input: Value, part: Value) => Value,
  known: (part: string) => (input: Value) => Value,
): Build {
  return (part = missing) => (typeof part.constant === 'string' ? applied(known(part.constant)) : ofOne(general)(part))
}

function startsWith(input: Value, part: Value): Value {
  if (typeof input === 'string' && typeof part === 'string') return input.startsWith(part)
  return fail('startswith() requires string inputs')
}

function endsWith(input: Value, part: Value): Value {
  if (typeof input === 'string' && typeof part === 'string') return input.endsWith(part)
  return fail('endswith() requires string inputs')
}

function dropStart(input: Value, part: Value): Value {
  // Both are strings where startsWith gives true.
  return startsWith(input, part) === true ? (input as string).slice((part as string).length) : input
}

function dropEnd(input: Value, part: Value): Value {
  if (endsWith(input, part) !== true) return input
  // As above.
  return (input as string).slice(0, (input as string).length - (part as string).length)
}

const blanks = '[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]'
const leading = new RegExp(`^${blanks}+`)
const blank = new RegExp(blanks)

function trim(input: Value, start: boolean, end: boolean): Value {
  if (typeof input !== 'string') return fail('trim input must be a string')
  steps(1 + (input.length >> 5))
  const text = start ? input.replace(leading, '') : input
  if (!end) return text
  let length = text.length
  while (length > 0 && blank.test(text[length - 1] ?? '')) length--
  return text.slice(0, length)
}

/** Null is empty, numbers and booleans are written out; other kinds are an error of the addition. */
function join(input: Value, separator: Value): Value {
  const text = isArray(input) && typeof separator === 'string' ? joinTexts(input, separator) : undefined
  if (text !== undefined) return text
  let result: Value = null
  forEach(input, false, (item) => {
    const start = result === null ? '' : add(result, separator)
    const piece = item === null ? '' : typeof item === 'boolean' || isNumber(item) ? toText(item) : item
    result = add(start, piece)
    return undefined
  })
  return result === null || result === false ? '' : result
}

/** The common case, strings only; undefined for others. */
function joinTexts(items: ValueArray, separator: string): string | undefined {
  const first = items[0] ?? ''
  if (typeof first !== 'string') return undefined
  steps(1 + (items.length >> 2))
  let text = first
  for (let at = 1; at < items.length; at++) {
    const item = items[at]
    if (typeof item !== 'string') return undefined
    text += separator + item
    checkLength(text.length)
  }
  return text
}

function explode(input: Value): Value {
  if (typeof input !== 'string') return fail('explode input must be a string')
  steps(1 + input.length)
  return Array.from(input.toWellFormed(), (character) => character.codePointAt(0) ?? 0)
}

function implode(input: Value): Value {
  if (!isArray(input)) return fail('implode input must be an array')
  steps(1 + input.length)
  let text = ''
  for (const item of input) {
    if (!isNumber(item) || Number.isNaN(toNumber(item))) {
      return typeError(item, "can't be imploded, unicode codepoint needs to be numeric")
    }
    const code = Math.trunc(toNumber(item))
    const valid = code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
    text += String.fromCodePoint(valid ? code : 0xfffd)
  }
  return text
}

/** `first` is the code of the first of the 26 letters to be changed. */
function recase(input: Value, first: number, letters: RegExp, change: (text: string) => string): Value {
  if (typeof input !== 'string') return fail('explode input must be a string')
  steps(1 + (input.length >> 4))
  let some = false
  let plain = true
  for (let at = 0; at < input.length; at++) {
    const code = input.charCodeAt(at)
    if (code > 127) plain = false
    else if (code >= first && code < first + 26) some = true
  }
  // What has no letters to change is most of what comes by, and letters beyond ASCII stay as they are.
  if (!some) return input
  return plain ? change(input) : input.replace(letters, change)
}
