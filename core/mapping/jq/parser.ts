import type { AssignOperator, BinaryOperator, Definition, Node, Pattern, PatternEntry, Span } from './ast.ts'
import { Cursor, type Grammar } from './cursor.ts'
import { JqSyntaxError } from './errors.ts'
import { type Token, tokenize } from './lexer.ts'
import { parseTerm } from './parse-term.ts'

/** Nesting of brackets and keywords that an expression may have. */
const deepest = 400

/** Binding strength, and whether an operator may follow one of its own kind. */
const operators: Readonly<Record<string, readonly [strength: number, associates: 'left' | 'right' | 'none']>> = {
  '//': [1, 'right'],
  '=': [2, 'none'],
  '|=': [2, 'none'],
  '+=': [2, 'none'],
  '-=': [2, 'none'],
  '*=': [2, 'none'],
  '/=': [2, 'none'],
  '%=': [2, 'none'],
  '//=': [2, 'none'],
  or: [3, 'left'],
  and: [4, 'left'],
  '==': [5, 'none'],
  '!=': [5, 'none'],
  '<': [5, 'none'],
  '<=': [5, 'none'],
  '>': [5, 'none'],
  '>=': [5, 'none'],
  '+': [6, 'left'],
  '-': [6, 'left'],
  '*': [7, 'left'],
  '/': [7, 'left'],
  '%': [7, 'left'],
}

/** Parse a whole expression. Throws JqSyntaxError with the position of the mistake. */
export function parse(source: string): Node {
  const parser = new Parser(tokenize(source), 0)
  const module = parser.peek()
  if (module.kind === 'keyword' && ['module', 'import', 'include'].includes(module.text)) {
    throw new JqSyntaxError('expression_refused', `${module.text} is refused: an expression reads no files`, module)
  }
  const definitions: Definition[] = []
  while (parser.isKeyword('def')) definitions.push(parser.definition())
  const end = parser.peek()
  const body: Node = end.kind === 'end' ? { kind: 'identity', start: end.start, end: end.end } : parser.query()
  parser.expect('end', '')
  return definitions.reduceRight<Node>((inner, definition) => define(definition, inner), body)
}

function define(definition: Definition, body: Node): Node {
  return { kind: 'define', definition, body, start: definition.start, end: body.end }
}

/** Recursive descent over one token list. An interpolation is a list, and so a parser, of its own. */
class Parser extends Cursor implements Grammar {
  depth: number

  constructor(tokens: readonly Token[], depth: number) {
    super(tokens)
    this.depth = depth
  }

  nested(tokens: readonly Token[]): Parser {
    return new Parser(tokens, this.depth)
  }

  /** Everything, with `|` and `,`. */
  query(): Node {
    const { depth } = this
    this.#descend()
    let left = this.comma()
    // From the left, so that what a pipeline starts with is a part of it that another may start with, too.
    while (this.accept('|')) {
      this.#descend()
      const right = this.comma()
      left = { kind: 'pipe', left, right, start: left.start, end: right.end }
    }
    this.depth = depth
    return left
  }

  #descend(): void {
    if (++this.depth > deepest) {
      throw new JqSyntaxError('expression_syntax', 'the expression nests too deeply', this.peek())
    }
  }

  comma(): Node {
    let left = this.operand()
    while (this.accept(',')) {
      const right = this.operand()
      left = { kind: 'comma', left, right, start: left.start, end: right.end }
    }
    return left
  }

  /** What stands between commas. Definitions, labels and bindings reach as far to the right as they can. */
  operand(): Node {
    const first = this.peek()
    if (this.isKeyword('def')) {
      const definition = this.definition()
      return define(definition, this.query())
    }
    if (this.isKeyword('label')) {
      this.take()
      const name = this.binding()
      this.expect('operator', '|')
      const body = this.query()
      return { kind: 'label', name, body, start: first.start, end: body.end }
    }
    const source = this.expression(0)
    if (!this.isKeyword('as')) return source
    this.take()
    const patterns = this.patterns()
    this.expect('operator', '|')
    const body = this.query()
    return { kind: 'bind', source, patterns, body, start: source.start, end: body.end }
  }

  /** Operators by binding strength. */
  expression(weakest: number): Node {
    let left = this.term()
    let blocked = -1
    for (;;) {
      const token = this.peek()
      const entry = token.kind === 'operator' || token.kind === 'keyword' ? operators[token.text] : undefined
      if (entry === undefined || entry[0] < weakest) return left
      const [strength, associates] = entry
      if (strength === blocked) this.unexpected(`parentheses: ${token.text} does not chain`)
      this.take()
      const right = this.expression(associates === 'right' ? strength : strength + 1)
      left = binary(token.text, left, right)
      blocked = associates === 'none' ? strength : -1
    }
  }

  term(): Node {
    return parseTerm(this)
  }

  definition(): Definition {
    const { start } = this.take()
    const name = this.peek()
    if (name.kind !== 'identifier') this.unexpected('the name of a definition')
    this.take()
    const parameters: string[] = []
    if (this.accept('(')) {
      do {
        const parameter = this.take()
        if (parameter.kind === 'variable') {
          this.position--
          parameters.push(`$${this.binding()}`)
        } else if (parameter.kind === 'identifier') parameters.push(parameter.text)
        else {
          this.position--
          this.unexpected('the name of a parameter')
        }
      } while (this.accept(';'))
      this.expect('operator', ')')
    }
    this.expect('operator', ':')
    const body = this.query()
    const { end } = this.expect('operator', ';')
    return { name: name.text, parameters, body, start, end }
  }

  patterns(): Pattern[] {
    const patterns = [this.pattern()]
    while (this.accept('?//')) patterns.push(this.pattern())
    return patterns
  }

  pattern(): Pattern {
    const token = this.peek()
    if (token.kind === 'variable') return { kind: 'variable', name: this.binding() }
    if (this.accept('[')) {
      const items = [this.pattern()]
      while (this.accept(',')) items.push(this.pattern())
      this.expect('operator', ']')
      return { kind: 'array', items }
    }
    if (!this.accept('{')) this.unexpected('$name, [ or {')
    const entries = [this.patternEntry()]
    while (this.accept(',')) entries.push(this.patternEntry())
    this.expect('operator', '}')
    return { kind: 'object', entries }
  }

  /** The name of a variable or label that is made here. */
  binding(): string {
    const token = this.peek()
    if (token.kind === 'variable' && token.text === '__loc__') this.unexpected('a name that is not taken')
    return this.expect('variable', '').text
  }

  patternEntry(): PatternEntry {
    const token = this.peek()
    if (token.kind === 'variable' && token.text === '__loc__') this.binding()
    const key = this.key()
    if (token.kind !== 'variable') {
      this.expect('operator', ':')
      return { key, pattern: this.pattern() }
    }
    return this.accept(':') ? { key, variable: token.text, pattern: this.pattern() } : { key, variable: token.text }
  }

  /** The key of a field: a name, a keyword, `$name` (the name itself), a string, or a parenthesised expression. */
  key(): Node {
    const token = this.peek()
    if (token.kind === 'string' || (token.kind === 'format' && this.peek(1).kind === 'string')) {
      const key = this.term()
      if (key.kind === 'literal' || key.kind === 'text') return key
    }
    if (this.accept('(')) {
      const key = this.query()
      this.expect('operator', ')')
      return key
    }
    if (token.kind !== 'identifier' && token.kind !== 'keyword' && token.kind !== 'variable') {
      throw new JqSyntaxError('expression_syntax', 'May need parentheses around object key expression', token)
    }
    this.take()
    return { kind: 'literal', value: token.text, start: token.start, end: token.end }
  }
}

function binary(operator: string, left: Node, right: Node): Node {
  const span: Span = { start: left.start, end: right.end }
  if (operator === '//') return { kind: 'alternative', left, right, ...span }
  if (operator === 'and' || operator === 'or') return { kind: 'logic', operator, left, right, ...span }
  if (operators[operator]?.[0] === 2) {
    // The table above has exactly the assignments at this strength.
    return { kind: 'assign', operator: operator as AssignOperator, left, right, ...span }
  }
  return { kind: 'binary', operator: operator as BinaryOperator, left, right, ...span }
}
