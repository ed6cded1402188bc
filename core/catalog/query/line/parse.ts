import { CatchmentError } from '../../../sdk/index.ts'

/** Where in the line something stands, for messages: offsets in UTF-16 units. */
export interface Place {
  readonly start: number
  readonly end: number
}

export const comparisons = ['>=', '<=', '>', '<', '=', '~'] as const
export type Comparison = (typeof comparisons)[number] | ''

export interface Value {
  readonly text: string
  /** In quotes: only text, no number, moment, range or pattern. */
  readonly quoted: boolean
  readonly place: Place
}

export type Node =
  | { readonly type: 'and' | 'or'; readonly parts: readonly Node[] }
  | { readonly type: 'not'; readonly part: Node }
  | { readonly type: 'text'; readonly text: string; readonly quoted: boolean; readonly place: Place }
  | {
      readonly type: 'field'
      readonly name: string
      readonly comparison: Comparison
      /** Any of them; never empty. */
      readonly values: readonly Value[]
      readonly place: Place
    }

export function lineError(message: string, { start, end }: Place, hint?: string): CatchmentError {
  return new CatchmentError(`${message} (at character ${start + 1})`, {
    code: 'query_invalid',
    status: 400,
    exitCode: 2,
    ...(hint === undefined ? {} : { hint }),
    details: { parameter: 'q', position: start + 1, length: Math.max(1, end - start) },
  })
}

const longest = 1000
const deepest = 16
const most = 64

/**
 * The one-line query, see docs/search.md: terms side by side all hold; `OR`, `NOT` or `-`, parentheses; `name:value` or words.
 * Names are not looked up here. Throws `query_invalid` with the place.
 */
export function parseLine(line: string): Node {
  if (line.length > longest) {
    throw lineError(`A query has ${longest} characters at most.`, { start: longest, end: line.length })
  }
  return new Parser(line).parse()
}

const name = /[\p{L}_$][\p{L}\p{N}_.$-]*(?=:(?!\/\/))/uy
const space = /\s*/uy
const single = /'[^']*'(?=[\s,)]|$)/uy
const bareValue = /[^\s,)]+/uy
const word = /[^\s()]+/uy

class Parser {
  readonly #line: string
  #at = 0
  #terms = 0

  constructor(line: string) {
    this.#line = line
  }

  parse(): Node {
    const whole = this.#either(1)
    if (this.#at < this.#line.length) throw lineError('This ) closes nothing.', this.#from(this.#at, 1))
    return whole
  }

  #either(depth: number): Node {
    const parts = [this.#all(depth)]
    while (this.#keyword('OR')) parts.push(this.#all(depth))
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { type: 'or', parts }
  }

  #all(depth: number): Node {
    const parts: Node[] = []
    const start = this.#at
    for (;;) {
      this.#match(space)
      if (this.#at === this.#line.length || this.#line[this.#at] === ')' || this.#sees('OR')) break
      if (this.#keyword('AND')) {
        if (parts.length === 0 || this.#ends()) {
          throw lineError('AND stands between two terms.', this.#from(this.#at - 3, 3), 'Terms side by side all hold.')
        }
        continue
      }
      parts.push(this.#term(depth))
    }
    const alone = depth === 1 && start === 0 && this.#at === this.#line.length
    if (parts.length === 0 && !alone) {
      throw lineError('Here a term is missing.', this.#from(this.#at, 2), '"OR" in quotes is the word.')
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { type: 'and', parts }
  }

  #ends(): boolean {
    this.#match(space)
    return this.#at === this.#line.length || this.#line[this.#at] === ')' || this.#sees('OR') || this.#sees('AND')
  }

  #term(depth: number): Node {
    const start = this.#at
    this.#terms += 1
    if (this.#terms > most || depth > deepest) {
      throw lineError('The query is too large.', this.#from(start, 1), `At most ${most} terms, nested ${deepest} deep.`)
    }
    if (this.#line[start] === '-' && /[\p{L}\p{N}_$("]/u.test(this.#line[start + 1] ?? '')) {
      this.#at += 1
      return { type: 'not', part: this.#term(depth + 1) }
    }
    if (this.#keyword('NOT')) {
      if (this.#ends()) throw lineError('NOT stands before a term.', this.#from(start, 3))
      return { type: 'not', part: this.#term(depth + 1) }
    }
    if (this.#line[start] === '(') return this.#group(depth)
    if (this.#line[start] === '"') {
      const text = this.#quoted()
      return { type: 'text', text, quoted: true, place: { start, end: this.#at } }
    }
    const field = this.#match(name)
    if (field !== '') return this.#field(field, start)
    const text = this.#match(word)
    return { type: 'text', text, quoted: false, place: { start, end: this.#at } }
  }

  #group(depth: number): Node {
    const start = this.#at
    this.#at += 1
    const inside = this.#either(depth + 1)
    if (this.#line[this.#at] !== ')') throw lineError('This ( is not closed.', this.#from(start, 1))
    this.#at += 1
    return inside
  }

  #field(field: string, start: number): Node {
    const place = { start, end: this.#at }
    this.#at += 1
    const comparison = comparisons.find((sign) => this.#line.startsWith(sign, this.#at)) ?? ''
    this.#at += comparison.length
    const values: Value[] = []
    do {
      const from = this.#at
      const quoted = this.#line[from] === '"'
      const text = quoted ? this.#quoted() : (this.#single() ?? this.#match(bareValue))
      if (text === '' && this.#at === from) {
        const example = comparison === '' ? 'language:go' : `stars:${comparison}10`
        throw lineError(
          `${field}: has no value.`,
          { start, end: this.#at },
          `Write it without a space: ${example}. As a word: "${field}:"`,
        )
      }
      const isQuoted = quoted || this.#line.slice(from, this.#at) !== text
      values.push({ text, quoted: isQuoted, place: { start: from, end: this.#at } })
    } while (this.#accept(','))
    return { type: 'field', name: field, comparison, values, place }
  }

  /** `\"` is a quote, `\\` a backslash. */
  #quoted(): string {
    const start = this.#at
    let text = ''
    for (let at = start + 1; at < this.#line.length; at += 1) {
      const one = this.#line[at] ?? ''
      const next = this.#line[at + 1]
      if (one === '"') {
        this.#at = at + 1
        return text
      }
      if (one === '\\' && (next === '"' || next === '\\')) {
        text += next
        at += 1
      } else text += one
    }
    throw lineError('This quote is not closed.', this.#from(start, 1))
  }

  /** Within double quotes of a shell people write single ones. */
  #single(): string | undefined {
    const found = this.#match(single)
    return found === '' ? undefined : found.slice(1, -1)
  }

  #sees(keyword: string): boolean {
    const end = this.#at + keyword.length
    return this.#line.startsWith(keyword, this.#at) && /^[\s()]?$/u.test(this.#line[end] ?? '')
  }

  #keyword(keyword: string): boolean {
    this.#match(space)
    return this.#sees(keyword) && this.#accept(keyword)
  }

  #accept(text: string): boolean {
    if (!this.#line.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const [found = ''] = pattern.exec(this.#line) ?? []
    this.#at += found.length
    return found
  }

  #from(start: number, length: number): Place {
    return { start, end: start + length }
  }
}
