import { checkLength, steps } from './budget.ts'
import { fail } from './errors.ts'
import { excerpt, toJson } from './json-write.ts'
import { decodeUtf8 } from './utf8.ts'
import { isArray, kindOf, type Value } from './value.ts'

type Format = (value: Value) => string

export function toText(value: Value): string {
  return typeof value === 'string' ? value : toJson(value)
}

const formats: { readonly [name: string]: Format } = {
  text: toText,
  json: toJson,
  csv: (value) => row(value, 'csv', ',', (text) => `"${text.replaceAll('"', '""')}"`),
  tsv: (value) => row(value, 'tsv', '\t', escapeTab),
  html: (value) => replace(toText(value), /[&<>'"]/g, (mark) => entities[mark] ?? mark),
  uri: (value) => percent(toText(value)),
  urid: (value) => unpercent(toText(value)),
  sh: shell,
  base64: (value) => bytes(toText(value)).toString('base64'),
  base64d: (value) => fromBase64(toText(value)),
}

/** The function behind `@name` and `format("name")`. An unknown name is an error only when it is reached, as in jq. */
export function formatter(name: string): Format {
  return Object.hasOwn(formats, name) ? (formats[name] ?? toText) : () => fail(`${name} is not a valid format`)
}

const entities: { readonly [mark: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&apos;',
  '"': '&quot;',
}

const escapes: { readonly [mark: string]: string } = {
  '\t': '\\t',
  '\r': '\\r',
  '\n': '\\n',
  '\\': '\\\\',
  '\0': '\\0',
}

function escapeTab(text: string): string {
  return replace(text, /[\t\r\n\\\0]/g, (mark) => escapes[mark] ?? mark)
}

function replace(text: string, marks: RegExp, by: (mark: string) => string): string {
  checkLength(text.length)
  steps(1 + (text.length >> 4))
  const escaped = marks.test(text) ? text.replace(marks, by) : text
  return marks.source.includes('\\0') ? escaped : escaped.replaceAll('\0', '\\0')
}

function row(value: Value, name: string, separator: string, quote: (text: string) => string): string {
  if (!isArray(value)) return fail(`${kindOf(value)} (${excerpt(value)}) cannot be ${name}-formatted, only array`)
  steps(1 + value.length)
  const cells = value.map((cell) => {
    if (cell === null || Number.isNaN(cell)) return ''
    if (typeof cell === 'string') return quote(cell.includes('\0') ? cell.replaceAll('\0', '\\0') : cell)
    if (kindOf(cell) === 'boolean' || kindOf(cell) === 'number') return toJson(cell)
    return fail(`${kindOf(cell)} (${excerpt(cell)}) is not valid in a csv row`)
  })
  return cells.join(separator)
}

function shell(value: Value): string {
  const words = isArray(value) ? value : [value]
  steps(1 + words.length)
  return words
    .map((word) => {
      if (typeof word === 'string') return `'${word.replaceAll("'", "'\\''").replaceAll('\0', '\\0')}'`
      if (typeof word !== 'object' || word === null || kindOf(word) === 'number') return toJson(word)
      return fail(`${kindOf(word)} (${excerpt(word)}) can not be escaped for shell`)
    })
    .join(' ')
}

function bytes(text: string): Buffer {
  checkLength(text.length)
  steps(1 + (text.length >> 4))
  return Buffer.from(text, 'utf8')
}

function percent(text: string): string {
  checkLength(text.length)
  steps(1 + (text.length >> 2))
  const marks = /[!'()*]/g
  return encodeURIComponent(text.toWellFormed()).replace(
    marks,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function unpercent(text: string): string {
  const bad = () => fail(`string (${excerpt(text)}) is not a valid uri encoding`)
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return bad()
  const decoded: number[] = []
  const raw = bytes(text)
  for (let at = 0; at < raw.length; at++) {
    const byte = raw[at] ?? 0
    if (byte === 0x25) {
      decoded.push(Number.parseInt(raw.toString('latin1', at + 1, at + 3), 16))
      at += 2
    } else decoded.push(byte)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(decoded))
  } catch {
    return bad()
  }
}

/** Padding is optional, and everything from the first `=` on is ignored. */
function fromBase64(text: string): string {
  const body = text.split('=', 1)[0] ?? ''
  if (/[^A-Za-z0-9+/]/.test(body)) return fail(`string (${excerpt(text)}) is not valid base64 data`)
  if (body.length % 4 === 1) return fail(`string (${excerpt(text)}) trailing base64 byte found`)
  steps(1 + (body.length >> 4))
  return decodeUtf8(Buffer.from(body, 'base64'))
}
