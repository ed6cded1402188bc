import { charSet, oneCharacter } from './charset.ts'
import { escapedCode, parseClass, propertyEscape, typeEscape } from './parse-class.ts'
import { callTo, parseGroup } from './parse-group.ts'
import { Reader } from './reader.ts'
import { type Anchor, empty, type Node, type Pattern, RegexError, type RegexOptions } from './syntax.ts'

/** Repetitions and nesting a pattern may have. */
const most = 100_000
const deepest = 200

/** Parse Oniguruma's Perl syntax with named groups, which is jq's. Throws RegexError with Oniguruma's messages. */
export function parseRegex(source: string, options: RegexOptions): Pattern {
  const parser = new Parser(source, options)
  const root = parser.branches()
  if (!parser.done) throw new RegexError('unmatched close parenthesis')
  parser.check()
  parser.bodies.set(0, root)
  return { root, groups: parser.groups, names: parser.names, bodies: parser.bodies }
}

class Parser extends Reader {
  depth = 0

  branches(): Node {
    if (++this.depth > deepest) throw new RegexError('too deep nest level')
    const branches = [this.sequence()]
    while (this.accept('|')) branches.push(this.sequence())
    this.depth--
    const [only = empty] = branches
    return branches.length === 1 ? only : { kind: 'either', branches }
  }

  sequence(): Node {
    const items: Node[] = []
    while (!this.done && this.peek() !== '|' && this.peek() !== ')') {
      const item = this.item()
      if (item !== null) items.push(...item)
    }
    const [only = empty] = items
    return items.length === 1 ? only : { kind: 'sequence', items }
  }

  /** One atom with its quantifiers; several characters where text is quoted; null for blanks, comments and options. */
  item(): Node[] | null {
    const { extended } = this.modes
    if (extended && this.match(/[ \t\n\r\f]+|#[^\n]*\n?/y) !== null) return null
    if (this.accept('\\Q')) return this.quoted()
    if (this.interval(true) !== null) throw new RegexError('target of repeat operator is not specified')
    const character = this.peek()
    const atom = this.atom()
    if (atom === null) return null
    // A blank between an atom and its quantifier does not count either.
    if (extended && character !== '') this.match(/(?:[ \t\n\r\f]+|#[^\n]*\n?)*(?=[*+?{])/y)
    return [this.quantified(atom)]
  }

  quoted(): Node[] {
    const end = this.source.indexOf('\\E', this.position)
    const text = this.source.slice(this.position, end < 0 ? this.source.length : end)
    this.position = end < 0 ? this.source.length : end + 2
    const nodes = Array.from(text, (character) => this.literal(character.codePointAt(0) ?? 0))
    const last = nodes.pop()
    // A quantifier behind the quotation is one of its last character.
    return last === undefined ? nodes : [...nodes, this.quantified(last)]
  }

  literal(code: number): Node {
    return { kind: 'set', set: oneCharacter(code, this.modes.ignoreCase) }
  }

  atom(): Node | null {
    const character = this.take()
    switch (character) {
      case '(':
        return parseGroup(this)
      case '[':
        return { kind: 'set', set: parseClass(this) }
      case '.':
        return this.modes.dotAll ? anyCharacter : anyButNewline
      case '^':
        return anchor(this.modes.lines ? 'lineStart' : 'start')
      case '$':
        return anchor(this.modes.lines ? 'lineEnd' : 'endOrNewline')
      case '\\':
        return this.escape()
      default:
        return this.literal(character.codePointAt(0) ?? 0)
    }
  }

  escape(): Node {
    if (this.done) throw new RegexError('end pattern at escape')
    const simple = escapes[this.peek()]
    if (simple !== undefined) {
      this.position++
      return simple
    }
    const inside = typeEscape(this) ?? propertyEscape(this)
    if (inside !== undefined) return { kind: 'set', set: charSet(inside, false, false) }
    const reference = this.match(/k(?:<([^>]*)>|'([^']*)')/y)
    if (reference !== null) return this.backreference(this.resolve(reference[1] ?? reference[2] ?? ''))
    const call = this.match(/g(?:<([^>]*)>|'([^']*)')/y)
    if (call !== null) return callTo(this, call[1] ?? call[2] ?? '')
    const number = this.match(/[1-9]\d*/y)
    if (number !== null) return this.numbered(number[0])
    const code = escapedCode(this) ?? this.take().codePointAt(0) ?? 0
    return this.literal(code)
  }

  /** `\12` is a group if there is one, or else octal. */
  numbered(digits: string): Node {
    const number = Number(digits)
    if (number <= 9 || number <= this.groups) return this.backreference([number])
    this.position -= digits.length
    const octal = this.match(/[0-3]?[0-7]{1,2}/y)
    return this.literal(octal === null ? (this.take().codePointAt(0) ?? 0) : Number.parseInt(octal[0], 8))
  }

  backreference(groups: readonly number[]): Node {
    this.later(() => {
      if (groups.some((group) => group > this.groups)) throw new RegexError('invalid backref number/name')
    })
    return { kind: 'backreference', groups, ignoreCase: this.modes.ignoreCase }
  }

  /** Bounds of a quantifier that starts here. With `peek` it is only looked at. */
  interval(peek: boolean): { least: number; most: number; braces: boolean } | null {
    const start = this.position
    const match = this.match(/[*+?]|\{(\d+)(?:(,)(\d*))?\}/y)
    if (match === null) return null
    const [text, low, comma, high] = match
    if (peek) this.position = start
    if (low === undefined) {
      return { least: text === '+' ? 1 : 0, most: text === '?' ? 1 : Number.POSITIVE_INFINITY, braces: false }
    }
    if (peek) return null
    const least = Number(low)
    const upper = comma === undefined ? least : high === '' ? Number.POSITIVE_INFINITY : Number(high)
    if (least > most || (upper > most && upper !== Number.POSITIVE_INFINITY)) {
      throw new RegexError('too big number for repeat range')
    }
    if (upper < least) throw new RegexError('upper is smaller than lower in repeat range')
    return { least, most: upper, braces: true }
  }

  quantified(atom: Node): Node {
    let node = atom
    for (let interval = this.interval(false); interval !== null; interval = this.interval(false)) {
      if (node.kind === 'anchor' || node.kind === 'look') throw new RegexError('target of repeat operator is invalid')
      const { least, most: upper } = interval
      const mode = this.accept('?') ? 'lazy' : this.accept('+') ? 'possessive' : 'greedy'
      node = { kind: 'repeat', body: node, least, most: upper, mode }
    }
    return node
  }
}

const anyCharacter: Node = { kind: 'set', set: charSet('\\0-\\u{10ffff}', false, false) }
const anyButNewline: Node = { kind: 'set', set: charSet('\\n', true, false) }
const newline: Node = {
  kind: 'atomic',
  body: {
    kind: 'either',
    branches: [
      {
        kind: 'sequence',
        items: [
          { kind: 'set', set: oneCharacter(13, false) },
          { kind: 'set', set: oneCharacter(10, false) },
        ],
      },
      { kind: 'set', set: charSet('\\n-\\r\\u0085\\u2028\\u2029', false, false) },
    ],
  },
}

function anchor(at: Anchor): Node {
  return { kind: 'anchor', at }
}

const escapes: { readonly [letter: string]: Node } = {
  A: anchor('start'),
  b: anchor('wordBoundary'),
  B: anchor('notWordBoundary'),
  G: anchor('searchStart'),
  K: { kind: 'keep' },
  N: anyButNewline,
  O: anyCharacter,
  R: newline,
  X: { kind: 'grapheme' },
  z: anchor('end'),
  Z: anchor('endOrNewline'),
}
