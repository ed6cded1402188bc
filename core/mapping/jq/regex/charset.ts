import { RegexError } from './syntax.ts'

/**
 * A set of characters. It is written as the inside of a JavaScript character class, which knows Unicode's properties and
 * case folding, and answers ASCII from a table.
 */
export class CharSet {
  /** Inside of a class, such as `a-z\p{Nd}`. */
  readonly source: string
  readonly negative: boolean
  readonly ignoreCase: boolean
  /** The only character in it, if it is a single one without case variants. */
  readonly only: number | undefined
  readonly #ascii = new Uint8Array(128)
  readonly #wide: RegExp

  constructor(source: string, negative: boolean, ignoreCase: boolean, only?: number) {
    this.source = source
    this.negative = negative
    this.ignoreCase = ignoreCase
    this.only = only
    this.#wide = new RegExp(this.pattern, ignoreCase ? 'iu' : 'u')
    for (let code = 0; code < 128; code++) this.#ascii[code] = this.#wide.test(String.fromCharCode(code)) ? 1 : 0
  }

  /** As a JavaScript class. */
  get pattern(): string {
    if (this.source === '') return this.negative ? '[^]' : '[]'
    return `[${this.negative ? '^' : ''}${this.source}]`
  }

  has(code: number): boolean {
    return code < 128 ? this.#ascii[code] === 1 : this.#wide.test(String.fromCodePoint(code))
  }

  /** Whether some character may be in both. False is certain; true may be wrong outside of ASCII. */
  meets(other: CharSet): boolean {
    for (let code = 0; code < 128; code++) if (this.#ascii[code] === 1 && other.#ascii[code] === 1) return true
    const narrow = (set: CharSet): boolean =>
      !set.negative && !set.ignoreCase && !/[^\0-\u007f]|\\[pPu]/.test(set.source)
    return !narrow(this) && !narrow(other)
  }
}

/** A character as it stands in a class. */
export function classCharacter(code: number): string {
  return code < 128 && !/[A-Za-z0-9]/.test(String.fromCharCode(code))
    ? `\\u{${code.toString(16)}}`
    : String.fromCodePoint(code)
}

const cache = new Map<string, CharSet>()

export function charSet(source: string, negative: boolean, ignoreCase: boolean): CharSet {
  const key = `${negative ? '^' : ''}${ignoreCase ? 'i' : ''}${source}`
  const known = cache.get(key)
  if (known !== undefined) return known
  const set = new CharSet(source, negative, ignoreCase)
  if (cache.size > 2000) cache.clear()
  cache.set(key, set)
  return set
}

export function oneCharacter(code: number, ignoreCase: boolean): CharSet {
  const text = String.fromCodePoint(code)
  const cased = ignoreCase && (text.toLowerCase() !== text || text.toUpperCase() !== text || code > 127)
  if (cased) return charSet(classCharacter(code), false, true)
  const key = `=${code}`
  const known = cache.get(key)
  if (known !== undefined) return known
  const set = new CharSet(classCharacter(code), false, false, code)
  cache.set(key, set)
  return set
}

/** Oniguruma's character types and POSIX classes, over Unicode. */
export const types: { readonly [name: string]: string } = {
  d: '\\p{Nd}',
  w: '\\p{L}\\p{M}\\p{N}\\p{Pc}',
  s: '\\t-\\r\\u0085\\p{Z}',
}

const posix: { readonly [name: string]: string } = {
  alnum: '\\p{Alphabetic}\\p{Nd}',
  alpha: '\\p{Alphabetic}',
  ascii: '\\0-\\u007f',
  blank: '\\t\\p{Zs}',
  cntrl: '\\0-\\u001f\\u007f-\\u009f',
  digit: '\\p{Nd}',
  graph: '\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}',
  lower: '\\p{Lowercase}',
  print: '\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}\\p{Zs}',
  punct: '\\p{P}\\p{S}',
  space: '\\p{White_Space}',
  upper: '\\p{Uppercase}',
  word: '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}',
  xdigit: '0-9A-Fa-f',
}

export function posixClass(name: string): string | undefined {
  return Object.hasOwn(posix, name) ? posix[name] : undefined
}

/** The property of this name, in any case and with any separators, as the inside of a class. */
export function property(name: string): string {
  const key = name.toLowerCase().replaceAll(/[ _-]/g, '')
  const known = posixClass(key)
  if (known !== undefined) return known
  if (key === 'any') return '\\0-\\u{10ffff}'
  const words = name.trim().split(/[ _-]+/)
  const title = words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase()).join('_')
  for (const candidate of [name, title, title.toUpperCase()]) {
    if (!/^\w+$/.test(candidate)) continue
    for (const source of [`\\p{${candidate}}`, `\\p{Script=${candidate}}`]) if (isClass(source)) return source
  }
  throw new RegexError(`invalid character property name {${name}}`)
}

function isClass(source: string): boolean {
  try {
    return new RegExp(source, 'u') instanceof RegExp
  } catch {
    return false
  }
}
