import type { Node, Pattern } from './ast.ts'
import { JqSyntaxError } from './errors.ts'
import type { Token, TokenKind } from './lexer.ts'

/** What the parts of the parser need of each other. */
export interface Grammar extends Cursor {
  /** Everything, with `|` and `,`. */
  query(): Node
  /** Operators at least this strong; 0 is all of them. */
  expression(weakest: number): Node
  term(): Node
  patterns(): Pattern[]
  /** The key of a field, in an object or a pattern. */
  key(): Node
  /** The same grammar over the tokens of an interpolation. */
  nested(tokens: readonly Token[]): Grammar
}

const sigils: { readonly [kind: string]: string } = { field: '.', variable: '$', format: '@' }

/** A position in a list of tokens. */
export class Cursor {
  readonly tokens: readonly Token[]
  position = 0

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens
  }

  peek(ahead = 0): Token {
    const token = this.tokens[this.position + ahead] ?? this.tokens.at(-1)
    if (token === undefined) throw new Error('a token list always ends with an end token')
    return token
  }

  take(): Token {
    const token = this.peek()
    this.position++
    return token
  }

  is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead)
    return token.kind === 'operator' && token.text === text
  }

  isKeyword(text: string): boolean {
    const token = this.peek()
    return token.kind === 'keyword' && token.text === text
  }

  accept(text: string): boolean {
    if (!this.is(text)) return false
    this.position++
    return true
  }

  expect(kind: TokenKind, text: string): Token {
    const token = this.peek()
    const wanted = token.kind === kind && (token.text === text || text === '')
    if (!wanted) this.unexpected(text === '' ? (kind === 'end' ? 'the end' : `a ${kind}`) : text)
    return this.take()
  }

  unexpected(expected: string): never {
    const token = this.peek()
    const shown = token.kind === 'string' ? 'a string' : `${sigils[token.kind] ?? ''}${token.text}`
    const found = token.kind === 'end' ? 'end of the expression' : shown
    throw new JqSyntaxError('expression_syntax', `unexpected ${found}, expected ${expected}`, token, this.hint(token))
  }

  /** What people usually mean by a token that cannot stand where it does. */
  hint(token: Token): string | undefined {
    const before = this.tokens[this.position - 1]
    if (token.text === '|' && before?.text === '|') return 'alternatives are written // or `or`, not ||'
    if (token.text === '=' && before?.text === '==') return 'equality is =='
    if (token.kind === 'string' && before?.kind === 'identifier') return `call it as ${before.text}("...")`
    return undefined
  }
}
