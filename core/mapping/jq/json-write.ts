import { checkLength, steps } from './budget.ts'
import { Exact, numberText } from './numbers.ts'
import { readsNumber } from './precision.ts'
import { isArray, type Value, type ValueArray, type ValueObject } from './value.ts'

/** jq prints nothing below this nesting. */
const deepest = 10_000

/** JSON text as jq writes it: no blanks, its own notation of numbers. */
export function toJson(value: Value): string {
  const text = write(value, Number.POSITIVE_INFINITY)
  checkLength(text.length)
  return text
}

/** The value as error messages show it, cut to 29 bytes. */
export function excerpt(value: Value): string {
  const text = write(value, 64)
  const bytes = Buffer.byteLength(text)
  if (bytes <= 29) return text
  const closer = { '"': '"', '[': ']', '{': '}' }[text[0] ?? ''] ?? ''
  let room = closer === '' ? 26 : 25
  let kept = ''
  for (const character of text) {
    room -= Buffer.byteLength(character)
    if (room < 0) break
    kept += character
  }
  return `${kept}...${closer}`
}

/** A string, number, boolean or null; undefined for what has parts. */
function scalar(value: Value): string | undefined {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number') {
    readsNumber(value)
    return numberText(value)
  }
  if (value === null || typeof value === 'boolean') return String(value)
  return value instanceof Exact ? value.text : undefined
}

export function quote(text: string): string {
  const quoted = JSON.stringify(text.isWellFormed() ? text : text.toWellFormed())
  return quoted.includes('\u007f') ? quoted.replaceAll('\u007f', '\\u007f') : quoted
}

/** A container being written: an array, or an object with the keys still to come. */
interface Frame {
  readonly array: ValueArray | null
  readonly object: ValueObject | null
  readonly keys: readonly string[]
  next: number
}

/** Without recursion, since values may nest deeper than the stack of JavaScript. May stop once `limit` is passed. */
function write(root: Value, limit: number): string {
  const stack: Frame[] = []
  let text = ''
  let value: Value | undefined = root
  for (;;) {
    if (value !== undefined) {
      const simple = stack.length > deepest ? '<skipped: too deep>' : scalar(value)
      if (simple === undefined) {
        const frame = open(value)
        text += frame.array === null ? '{' : '['
        stack.push(frame)
      } else text += simple
      if (text.length > limit) return text
    }
    const frame = stack.at(-1)
    if (frame === undefined) return text
    const { array, object, keys, next } = frame
    value = undefined
    frame.next++
    if (array !== null && next < array.length) {
      if (next > 0) text += ','
      value = array[next]
    } else if (object !== null && next < keys.length) {
      const key = keys[next] ?? ''
      text += `${next > 0 ? ',' : ''}${quote(key)}:`
      value = object[key]
    } else {
      text += array === null ? '}' : ']'
      stack.pop()
    }
    if (limit === Number.POSITIVE_INFINITY) checkLength(text.length)
  }
}

function open(value: Value): Frame {
  if (isArray(value)) {
    steps(1 + (value.length >> 2))
    return { array: value, object: null, keys: [], next: 0 }
  }
  // What is no scalar and no array is an object; an Exact is a scalar.
  const object = value as ValueObject
  const keys = Object.keys(object)
  steps(1 + (keys.length >> 2))
  return { array: null, object, keys, next: 0 }
}
