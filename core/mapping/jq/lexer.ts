import { JqSyntaxError } from './errors.ts'
import { type Exact, parseNumber } from './numbers.ts'

export type TokenKind =
  | 'field'
  | 'variable'
  | 'identifier'
  | 'keyword'
  | 'format'
  | 'number'
  | 'string'
  | 'operator'
  | 'end'

/** One token. Strings are lexed whole: their interpolations are token lists of their own. */
export interface Token {
  readonly kind: TokenKind
  /** Name without its sigil, operator or keyword. */
  readonly text: string
  readonly start: number
  readonly end: number
  readonly number?: number | Exact
  readonly parts?: readonly (string | readonly Token[])[]
}

export const keywords: ReadonlySet<string> = new Set(
  'as def module import include if then else elif end reduce foreach and or try catch label break'.split(' '),
)

const shapes = {
  blank: /(?:[ \t\r\n]+|#(?:\\(?:\\|\r?\n)|[^\n\\]|\\)*)+/y,
  number: /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y,
  field: /\.[A-Za-z_][A-Za-z_0-9]*/y,
  variable: /\$(?:[A-Za-z_][A-Za-z_0-9]*::)*[A-Za-z_][A-Za-z_0-9]*/y,
  format: /@[A-Za-z0-9_]+/y,
  identifier: /(?:[A-Za-z_][A-Za-z_0-9]*::)*[A-Za-z_][A-Za-z_0-9]*/y,
  operator: /\?\/\/|\/\/=|!=|==|\/\/|\|=|\+=|-=|\*=|\/=|%=|<=|>=|\.\.|[.?=;,:|+\-*/%<>[\](){}]/y,
} as const

const closers: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/** Cut an expression into tokens; the last one is `end`. */
export function tokenize(source: string): readonly Token[] {
  const lexer = new Lexer(source)
  const tokens = lexer.tokens(0, null)
  return tokens
}

class Lexer {
  readonly source: string
  position = 0

  constructor(source: string) {
    this.source = source
  }

  /** Tokens up to the end, or up to the parenthesis that ends the interpolation opened at `from`. */
  tokens(from: number, closing: ')' | null): Token[] {
    const tokens: Token[] = []
    const open: string[] = []
    for (;;) {
      this.match('blank')
      const start = this.position
      if (start >= this.source.length) {
        if (closing !== null) this.fail('this interpolation is never closed', from, start, 'add the missing )')
        tokens.push({ kind: 'end', text: '', start, end: start })
        return tokens
      }
      if (closing !== null && open.length === 0 && this.source[start] === closing) {
        this.position++
        tokens.push({ kind: 'end', text: '', start, end: start })
        return tokens
      }
      const token = this.next(start)
      if (token.kind === 'operator') this.balance(token, open)
      tokens.push(token)
    }
  }

  next(start: number): Token {
    const { source } = this
    if (source[start] === '"') return this.string(start)
    const number = this.match('number')
    if (number !== null) return { ...this.token('number', number, start), number: parseNumber(number) ?? 0 }
    const field = this.match('field')
    if (field !== null) return this.token('field', field.slice(1), start)
    const variable = this.match('variable')
    if (variable !== null) return this.token('variable', variable.slice(1), start)
    const format = this.match('format')
    if (format !== null) return this.token('format', format.slice(1), start)
    const name = this.match('identifier')
    if (name !== null) return this.token(keywords.has(name) ? 'keyword' : 'identifier', name, start)
    const operator = this.match('operator')
    if (operator !== null) return this.token('operator', operator, start)
    const character = String.fromCodePoint(source.codePointAt(start) ?? 0)
    const hint =
      character === "'" ? 'write strings in double quotes' : character === '&' ? 'write and, not &&' : undefined
    return this.fail(`unexpected character ${character}`, start, start + character.length, hint)
  }

  token(kind: TokenKind, text: string, start: number): Token {
    return { kind, text, start, end: this.position }
  }

  /** jq reports an unbalanced closing parenthesis as a character that cannot stand there. */
  balance(token: Token, open: string[]): void {
    const closer = closers[token.text]
    if (closer !== undefined) open.push(closer)
    else if (token.text === ')' || token.text === ']' || token.text === '}') {
      const expected = open.pop()
      if (expected === token.text) return
      const hint = expected === undefined ? 'nothing is open here' : `${expected} is expected before it`
      this.fail(`unexpected ${token.text}`, token.start, token.end, hint)
    }
  }

  string(start: number): Token {
    const parts: (string | readonly Token[])[] = []
    let text = ''
    this.position = start + 1
    for (;;) {
      const character = this.source[this.position]
      if (character === undefined) this.fail('this string is never closed', start, this.position, 'add the missing "')
      if (character === '"') break
      if (character !== '\\') {
        text += character
        this.position++
      } else if (this.source[this.position + 1] === '(') {
        const at = this.position
        this.position += 2
        if (text !== '') parts.push(text)
        text = ''
        parts.push(this.tokens(at, ')'))
      } else text += this.escape()
    }
    this.position++
    if (text !== '') parts.push(text)
    return { kind: 'string', text: '', start, end: this.position, parts }
  }

  escape(): string {
    const start = this.position
    const letter = this.source[start + 1] ?? ''
    const simple = simpleEscapes[letter]
    this.position += 2
    if (simple !== undefined) return simple
    if (letter !== 'u') this.fail('Invalid escape', start, start + 2, 'a backslash itself is written \\\\')
    const code = this.hex(start)
    if (code < 0xd800 || code > 0xdbff) return code > 0xdbff && code < 0xe000 ? '\ufffd' : String.fromCharCode(code)
    if (this.source[this.position] !== '\\' || this.source[this.position + 1] !== 'u') {
      this.fail('Invalid \\uXXXX\\uXXXX surrogate pair escape', start, this.position)
    }
    this.position += 2
    const low = this.hex(start)
    if (low < 0xdc00 || low > 0xdfff) this.fail('Invalid \\uXXXX\\uXXXX surrogate pair escape', start, this.position)
    return String.fromCharCode(code, low)
  }

  hex(start: number): number {
    const digits = this.source.slice(this.position, this.position + 4)
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail('Invalid \\uXXXX escape', start, this.position)
    this.position += 4
    return Number.parseInt(digits, 16)
  }

  match(shape: keyof typeof shapes): string | null {
    const expression = shapes[shape]
    expression.lastIndex = this.position
    const match = expression.exec(this.source)
    if (match === null) return null
    this.position = expression.lastIndex
    return match[0]
  }

  fail(message: string, start: number, end: number, hint?: string): never {
    throw new JqSyntaxError('expression_syntax', message, { start, end }, hint)
  }
}

const simpleEscapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}
