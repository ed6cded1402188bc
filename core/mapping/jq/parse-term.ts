import type { Node, ObjectEntry } from './ast.ts'
import type { Grammar } from './cursor.ts'
import { JqSyntaxError } from './errors.ts'
import type { Token } from './lexer.ts'

/** A term with everything that hangs on it: `.field`, `[index]`, `[]`, `?`. */
export function parseTerm(parser: Grammar): Node {
  let node = parseHead(parser)
  for (;;) {
    const token = parser.peek()
    if (token.kind === 'field') {
      parser.take()
      const key: Node = { kind: 'literal', value: token.text, start: token.start, end: token.end }
      node = index(parser, node, key, token.end)
    } else if (parser.is('.') && ['string', 'format'].includes(parser.peek(1).kind)) {
      parser.take()
      const key = parseString(parser)
      node = index(parser, node, key, key.end)
    } else if (parser.is('[') || (parser.is('.') && parser.is('[', 1))) {
      parser.accept('.')
      node = parseBrackets(parser, node)
    } else if (parser.accept('?')) {
      node = { kind: 'try', body: node, handler: null, start: node.start, end: token.end }
    } else return node
  }
}

/** A `?` directly behind an access belongs to that access alone. */
function index(parser: Grammar, target: Node, key: Node, end: number): Node {
  const after = parser.peek().end
  const optional = parser.accept('?')
  return { kind: 'index', target, key, optional, start: target.start, end: optional ? after : end }
}

function parseBrackets(parser: Grammar, target: Node): Node {
  parser.expect('operator', '[')
  const { start } = target
  if (parser.is(']')) {
    const end = parser.take().end
    const after = parser.peek().end
    const optional = parser.accept('?')
    return { kind: 'iterate', target, optional, start, end: optional ? after : end }
  }
  const from = parser.is(':') ? null : parser.query()
  if (from !== null && !parser.is(':')) {
    const { end } = parser.expect('operator', ']')
    return index(parser, target, from, end)
  }
  parser.expect('operator', ':')
  const to = parser.is(']') && from !== null ? null : parser.query()
  const { end } = parser.expect('operator', ']')
  const after = parser.peek().end
  const optional = parser.accept('?')
  return { kind: 'slice', target, from, to, optional, start, end: optional ? after : end }
}

function parseHead(parser: Grammar): Node {
  const token = parser.peek()
  const { start, end } = token
  switch (token.kind) {
    case 'number':
      parser.take()
      return { kind: 'literal', value: token.number ?? 0, start, end }
    case 'string':
    case 'format':
      return parseString(parser)
    case 'field': {
      parser.take()
      const identity: Node = { kind: 'identity', start, end: start }
      return index(parser, identity, { kind: 'literal', value: token.text, start, end }, end)
    }
    case 'variable':
      parser.take()
      return { kind: 'variable', name: token.text, start, end }
    case 'identifier':
      return parseCall(parser)
    case 'keyword':
      return parseKeyword(parser, token)
    case 'operator':
      return parseOperator(parser, token)
    case 'end':
      return parser.unexpected('an expression')
  }
}

function parseOperator(parser: Grammar, token: Token): Node {
  const { start } = token
  parser.take()
  switch (token.text) {
    case '.': {
      const next = parser.peek()
      if (next.kind === 'string' || (next.kind === 'format' && parser.peek(1).kind === 'string')) {
        const key = parseString(parser)
        return index(parser, { kind: 'identity', start, end: token.end }, key, key.end)
      }
      if (next.kind === 'identifier' && next.start === token.end) {
        parser.unexpected('a field name; unusual names are written .["name"]')
      }
      return { kind: 'identity', start, end: token.end }
    }
    case '..':
      return { kind: 'recurse', start, end: token.end }
    case '-': {
      const operand = parser.term()
      return { kind: 'negate', operand, start, end: operand.end }
    }
    case '(': {
      const inner = parser.query()
      parser.expect('operator', ')')
      return inner
    }
    case '[': {
      const body = parser.is(']') ? null : parser.query()
      return { kind: 'array', body, start, end: parser.expect('operator', ']').end }
    }
    case '{':
      return parseObject(parser)
    default:
      parser.position--
      return parser.unexpected('an expression')
  }
}

function parseCall(parser: Grammar): Node {
  const { text: name, start, end } = parser.take()
  if (name === 'true' || name === 'false') return { kind: 'literal', value: name === 'true', start, end }
  if (name === 'null') return { kind: 'literal', value: null, start, end }
  if (!parser.accept('(')) return { kind: 'call', name, parameters: [], start, end }
  const parameters = [parser.query()]
  while (parser.accept(';')) parameters.push(parser.query())
  return { kind: 'call', name, parameters, start, end: parser.expect('operator', ')').end }
}

function parseKeyword(parser: Grammar, token: Token): Node {
  const { start } = token
  switch (token.text) {
    case 'if':
      return parseIf(parser)
    case 'try': {
      parser.take()
      const body = parser.term()
      if (!parser.isKeyword('catch')) return { kind: 'try', body, handler: null, start, end: body.end }
      parser.take()
      const handler = parser.term()
      return { kind: 'try', body, handler, start, end: handler.end }
    }
    case 'reduce':
    case 'foreach':
      return parseFold(parser, token)
    case 'break': {
      parser.take()
      const name = parser.peek()
      if (name.kind !== 'variable') {
        throw new JqSyntaxError('expression_syntax', 'break requires a label to break to', token)
      }
      parser.take()
      return { kind: 'break', name: name.text, start, end: name.end }
    }
    default:
      return parser.unexpected('an expression')
  }
}

/** `if` or `elif` up to and with the `end`; a missing `else` leaves the input as it is. */
function parseIf(parser: Grammar): Node {
  const { start } = parser.take()
  const condition = parser.query()
  parser.expect('keyword', 'then')
  const consequence = parser.query()
  if (parser.isKeyword('elif')) {
    const otherwise = parseIf(parser)
    return { kind: 'if', condition, consequence, otherwise, start, end: otherwise.end }
  }
  let otherwise: Node | null = null
  if (parser.isKeyword('else')) {
    parser.take()
    otherwise = parser.query()
  }
  return { kind: 'if', condition, consequence, otherwise, start, end: parser.expect('keyword', 'end').end }
}

function parseFold(parser: Grammar, token: Token): Node {
  const { start } = parser.take()
  const source = parser.expression(0)
  parser.expect('keyword', 'as')
  const patterns = parser.patterns()
  parser.expect('operator', '(')
  const init = parser.query()
  parser.expect('operator', ';')
  const update = parser.query()
  const extract = token.text === 'foreach' && parser.accept(';') ? parser.query() : null
  const { end } = parser.expect('operator', ')')
  return token.text === 'reduce'
    ? { kind: 'reduce', source, patterns, init, update, start, end }
    : { kind: 'foreach', source, patterns, init, update, extract, start, end }
}

/** A string, with its format in front, or a format alone, which is a function. */
function parseString(parser: Grammar): Node {
  const first = parser.take()
  if (first.kind === 'format' && parser.peek().kind !== 'string') {
    return { kind: 'format', format: first.text, start: first.start, end: first.end }
  }
  const token = first.kind === 'format' ? parser.take() : first
  const span = { start: first.start, end: token.end }
  const parts = (token.parts ?? []).map((part) => (typeof part === 'string' ? part : interpolation(parser, part)))
  if (parts.length === 0) return { kind: 'literal', value: '', ...span }
  const [only] = parts
  if (parts.length === 1 && typeof only === 'string') return { kind: 'literal', value: only, ...span }
  return { kind: 'text', format: first.kind === 'format' ? first.text : 'text', parts, ...span }
}

function interpolation(outer: Grammar, tokens: readonly Token[]): Node {
  const parser = outer.nested(tokens)
  const node = parser.query()
  parser.expect('end', '')
  return node
}

/** The inside of braces; the opening one is taken. A comma may stand before the closing one. */
function parseObject(parser: Grammar): Node {
  const { start } = parser.peek(-1)
  const entries: ObjectEntry[] = []
  while (!parser.is('}')) {
    entries.push(parseEntry(parser))
    if (!parser.accept(',')) break
  }
  return { kind: 'object', entries, start, end: parser.expect('operator', '}').end }
}

function parseEntry(parser: Grammar): ObjectEntry {
  const token = parser.peek()
  const parenthesised = parser.is('(')
  const key = parser.key()
  if (token.kind === 'variable' && token.text !== '__loc__' && parser.is(':')) {
    parser.take()
    return {
      key: { kind: 'variable', name: token.text, start: token.start, end: token.end },
      value: parseValue(parser),
    }
  }
  if (token.kind !== 'variable' && parser.accept(':')) return { key, value: parseValue(parser) }
  if (parenthesised) parser.unexpected(': and a value')
  if (!parser.is(',') && !parser.is('}')) {
    const at = { start: token.start, end: parser.peek().start }
    throw new JqSyntaxError('expression_syntax', 'May need parentheses around object key expression', at)
  }
  const span = { start: token.start, end: token.end }
  if (token.kind === 'variable') return { key, value: { kind: 'variable', name: token.text, ...span } }
  return { key, value: { kind: 'index', target: { kind: 'identity', ...span }, key, optional: false, ...span } }
}

/** The value of an entry: no commas, but pipes. */
function parseValue(parser: Grammar): Node {
  const left = parser.expression(0)
  if (!parser.accept('|')) return left
  const right = parseValue(parser)
  return { kind: 'pipe', left, right, start: left.start, end: right.end }
}
