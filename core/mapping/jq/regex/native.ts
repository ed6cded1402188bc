import { types } from './charset.ts'
import { widthOf } from './program.ts'
import type { Node, Pattern, RegexOptions } from './syntax.ts'

/** A pattern for the engine of JavaScript, which is ten times as fast and cannot be interrupted. */
export interface Native {
  readonly source: string
  /** Length of the longest text that it can be let loose on. */
  readonly longest: number
}

/** Steps that the engine of JavaScript may take, uninterrupted: a few milliseconds. */
const affordable = 2_000_000

/** Repetitions above this count as unbounded. */
const bounded = 20

/**
 * Translate what means the same in both engines and backtracks in a way that can be foreseen: single characters repeated,
 * groups at most optional. With `captures`, groups must be the same too: JavaScript forgets them in each turn of a loop.
 * Null for everything else.
 */
export function translate(pattern: Pattern, options: RegexOptions, captures: boolean): Native | null {
  if (options.longest || options.notEmpty) return null
  const translator = new Translator(captures)
  const source = translator.node(pattern.root)
  if (source === null) return null
  const { loops, branches } = translator
  const power = loops + (source.startsWith('^') ? 0 : 1)
  // Steps it takes are about `factor * length ** power`.
  const factor = 2 ** branches
  if (factor > affordable) return { source, longest: -1 }
  return {
    source,
    longest: power === 0 ? Number.POSITIVE_INFINITY : Math.floor((affordable / factor) ** (1 / power)) - 1,
  }
}

const word = `[${types['w']}]`

class Translator {
  readonly #captures: boolean
  loops = 0
  branches = 0

  constructor(captures: boolean) {
    this.#captures = captures
  }

  node(node: Node): string | null {
    switch (node.kind) {
      case 'set':
        return node.set.ignoreCase ? `(?i:${node.set.pattern})` : node.set.pattern
      case 'sequence':
        return this.#all(node.items, '')
      case 'either': {
        this.branches += node.branches.length - 1
        const branches = this.#all(node.branches, '|')
        return branches === null ? null : `(?:${branches})`
      }
      case 'capture': {
        const body = this.node(node.body)
        return body === null ? null : `(${this.#captures ? '' : '?:'}${body})`
      }
      case 'repeat':
        return this.#repeat(node)
      case 'look':
        return this.#look(node)
      case 'anchor':
        return anchors[node.at] ?? null
      case 'atomic':
      case 'backreference':
      case 'call':
      case 'keep':
      case 'condition':
      case 'absent':
      case 'grapheme':
        return null
    }
  }

  #all(nodes: readonly Node[], separator: string): string | null {
    const parts = nodes.map((node) => this.node(node))
    return parts.includes(null) ? null : parts.join(separator)
  }

  #repeat(node: Extract<Node, { kind: 'repeat' }>): string | null {
    if (node.mode === 'possessive') return null
    const lazy = node.mode === 'lazy' ? '?' : ''
    const { body, least, most } = node
    if (body.kind === 'set') {
      if (most > bounded) this.loops++
      else this.branches += Math.log2(most - least + 1)
      const upper = most === Number.POSITIVE_INFINITY ? '' : String(most)
      return `${this.node(body)}{${least},${upper}}${lazy}`
    }
    // An empty turn counts in Oniguruma and does not in JavaScript.
    if (least !== 0 || most !== 1 || widthOf(body).least === 0) return null
    this.branches++
    const inner = this.node(body)
    return inner === null ? null : `(?:${inner})?${lazy}`
  }

  #look(node: Extract<Node, { kind: 'look' }>): string | null {
    const body = this.node(node.body)
    if (body === null || (hasGroups(node.body) && (node.behind || node.negative))) return null
    return `(?${node.behind ? '<' : ''}${node.negative ? '!' : '='}${body})`
  }
}

const anchors: { readonly [anchor: string]: string } = {
  start: '^',
  end: '$',
  endOrNewline: '(?=\\n?$)',
  lineEnd: '(?=\\n|$)',
  wordBoundary: `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`,
  notWordBoundary: `(?:(?<=${word})(?=${word})|(?<!${word})(?!${word}))`,
}

function hasGroups(node: Node): boolean {
  switch (node.kind) {
    case 'capture':
      return true
    case 'sequence':
      return node.items.some(hasGroups)
    case 'either':
      return node.branches.some(hasGroups)
    case 'repeat':
    case 'look':
    case 'atomic':
    case 'absent':
      return hasGroups(node.body)
    case 'condition':
    case 'set':
    case 'anchor':
    case 'backreference':
    case 'call':
    case 'keep':
    case 'grapheme':
      return false
  }
}
