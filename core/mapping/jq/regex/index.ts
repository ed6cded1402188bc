import { step, steps } from '../budget.ts'
import type { CharSet } from './charset.ts'
import { Machine } from './machine.ts'
import { translate } from './native.ts'
import { parseRegex } from './parse.ts'
import { plainTest } from './plain.ts'
import { assemble } from './program.ts'
import type { Node, Pattern, RegexOptions } from './syntax.ts'

export { RegexError, type RegexOptions } from './syntax.ts'

/** Offsets of the match and its groups in UTF-16 units: start and end of each, -1 where a group took no part. */
export type Match = readonly number[]

export interface Regex {
  /** Number of capture groups. */
  readonly groups: number
  /** Names of groups in order; a name may stand for several groups. */
  readonly names: readonly { readonly name: string; readonly group: number }[]
  /** The first match, or all that do not overlap; an empty one moves on by a character. */
  matches(text: string, all: boolean): Match[]
  test(text: string): boolean
}

/** Compile a pattern of Oniguruma's Perl syntax. Throws RegexError with Oniguruma's message. */
export function compileRegex(source: string, options: RegexOptions): Regex {
  const pattern = parseRegex(source, options)
  const program = assemble(pattern)
  const anchored = startsAnchored(pattern.root)
  const first = firstCharacters(pattern.root)
  const repeats = emptyAnywhere(pattern.root)
  const search = (machine: Machine, text: string, from: number): Match | null => {
    let best: Match | null = null
    for (let at = from; at <= text.length; at += width(text, at)) {
      if (anchored && at > 0) break
      if (first !== null && !first.has(text.codePointAt(at) ?? -1)) {
        if ((at & 31) === 0) step()
        continue
      }
      const match = machine.matchAt(at, from)
      if (match === null) continue
      if (!options.longest) return match
      if (best === null || bytes(text, match) > bytes(text, best)) best = match
    }
    return best
  }
  const plain = options.longest || options.notEmpty ? null : plainTest(pattern.root)
  const tester = nativeOf(pattern, options, false)
  const finder = nativeOf(pattern, options, true)
  return {
    groups: pattern.groups,
    names: pattern.names,
    matches(text, all) {
      if (finder !== null && text.length <= finder.longest) return nativeMatches(finder, text, all, repeats)
      const machine = new Machine(program, text, options)
      const found: Match[] = []
      for (let from = 0; from <= text.length; ) {
        const match = search(machine, text, from)
        if (match === null) break
        steps(1 + pattern.groups)
        found.push(match)
        if (!all) break
        from = behind(text, match)
        if (repeats) repeatEmpty(found, text, match)
      }
      return found
    },
    test(text) {
      if (plain !== null) {
        steps(1 + (text.length >> 8))
        return plain(text)
      }
      if (tester !== null && text.length <= tester.longest) {
        step()
        return tester.expression.test(text)
      }
      return search(new Machine(program, text, options), text, 0) !== null
    },
  }
}

interface Screened {
  readonly expression: RegExp
  readonly groups: number
  readonly longest: number
}

/** The pattern for JavaScript's engine, where it means the same and its cost can be foreseen. */
function nativeOf(pattern: Pattern, options: RegexOptions, captures: boolean): Screened | null {
  const native = translate(pattern, options, captures)
  if (native === null) return null
  try {
    const expression = new RegExp(native.source, captures ? (pattern.groups > 0 ? 'dgu' : 'gu') : 'u')
    return { expression, groups: pattern.groups, longest: native.longest }
  } catch {
    // An engine that does not know modifiers for ignoring case.
    return null
  }
}

function nativeMatches({ expression, groups }: Screened, text: string, all: boolean, repeats: boolean): Match[] {
  const found: Match[] = []
  for (let from = 0; from <= text.length; ) {
    steps(1 + groups)
    expression.lastIndex = from
    const match = expression.exec(text)
    if (match === null) break
    const offsets =
      groups > 0
        ? (match.indices ?? []).flatMap((pair) => pair ?? [-1, -1])
        : [match.index, match.index + match[0].length]
    found.push(offsets)
    if (!all) break
    from = behind(text, offsets)
    if (repeats) repeatEmpty(found, text, offsets)
  }
  return found
}

/** Where the next search starts; an empty match moves on by one character. */
function behind(text: string, [start = 0, end = 0]: Match): number {
  return end > start ? end : end + width(text, end)
}

/**
 * jq goes on one byte behind an empty match, also inside a character, where nothing but the empty match is found again. It
 * says that this is at the next character.
 */
function repeatEmpty(found: Match[], text: string, match: Match): void {
  const [start = 0, end = 0] = match
  const code = start === end && end < text.length ? (text.codePointAt(end) ?? 0) : 0
  const next = end + (code > 0xffff ? 2 : 1)
  for (let bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4; bytes > 1; bytes--) {
    found.push(match.map((offset) => (offset < 0 ? offset : next)))
  }
}

function width(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
}

/** Oniguruma measures in UTF-8. */
function bytes(text: string, match: Match): number {
  return Buffer.byteLength(text.slice(match[0], match[1]))
}

/** Whether a match can only start where the text does. */
function startsAnchored(node: Node): boolean {
  if (node.kind === 'anchor') return node.at === 'start'
  if (node.kind === 'sequence') return node.items[0] !== undefined && startsAnchored(node.items[0])
  if (node.kind === 'either') return node.branches.every(startsAnchored)
  return (node.kind === 'capture' || node.kind === 'atomic') && startsAnchored(node.body)
}

/** The characters a match can start with; null if that is not known or it may be empty. */
function firstCharacters(node: Node): CharSet | null {
  switch (node.kind) {
    case 'set':
      return node.set
    case 'sequence':
      return node.items[0] === undefined ? null : firstCharacters(node.items[0])
    case 'capture':
    case 'atomic':
      return firstCharacters(node.body)
    case 'repeat':
      return node.least > 0 ? firstCharacters(node.body) : null
    case 'either':
    case 'look':
    case 'anchor':
    case 'backreference':
    case 'call':
    case 'keep':
    case 'condition':
    case 'absent':
    case 'grapheme':
      return null
  }
}

/** Whether an empty match depends on nothing around it. */
function emptyAnywhere(node: Node): boolean {
  switch (node.kind) {
    case 'set':
      return true
    case 'sequence':
      return node.items.every(emptyAnywhere)
    case 'either':
      return node.branches.every(emptyAnywhere)
    case 'capture':
    case 'atomic':
    case 'repeat':
      return emptyAnywhere(node.body)
    case 'look':
    case 'anchor':
    case 'backreference':
    case 'call':
    case 'keep':
    case 'condition':
    case 'absent':
    case 'grapheme':
      return false
  }
}
