import type { CharSet } from './charset.ts'
import type { Anchor, Node } from './syntax.ts'

/** Characters in a row, perhaps with an anchor before and behind. */
interface Row {
  readonly start: boolean
  readonly sets: readonly CharSet[]
  readonly end: Anchor | null
}

/**
 * `^acme/`, `\[bot\]$`, `^tier-[0-9]$`: most patterns of mapping files are single characters in a row, and those are
 * tested without an engine. Null for everything else. Linear in the text.
 */
export function plainTest(root: Node): ((text: string) => boolean) | null {
  const row = rowOf(root)
  if (row === null) return null
  const { start, sets, end } = row
  const fixed = sets.findIndex(({ only }) => only === undefined)
  const literal = String.fromCodePoint(...(fixed < 0 ? sets : sets.slice(0, fixed)).map(({ only = 0 }) => only))
  if (fixed < 0) return testLiteral(literal, start, end)
  if (!start) return null
  const rest = sets.slice(fixed)
  return (text) => {
    if (!text.startsWith(literal)) return false
    let at = literal.length
    for (const set of rest) {
      const code = text.codePointAt(at)
      if (code === undefined || !set.has(code)) return false
      at += code > 0xffff ? 2 : 1
    }
    return end === null || at === text.length || (end === 'endOrNewline' && text.slice(at) === '\n')
  }
}

function testLiteral(literal: string, start: boolean, end: Anchor | null): (text: string) => boolean {
  const line = `${literal}\n`
  if (end === null) return start ? (text) => text.startsWith(literal) : (text) => text.includes(literal)
  if (end === 'end') return start ? (text) => text === literal : (text) => text.endsWith(literal)
  return start ? (text) => text === literal || text === line : (text) => text.endsWith(literal) || text.endsWith(line)
}

function rowOf(root: Node): Row | null {
  const nodes = flat(root)
  const start = nodes[0]?.kind === 'anchor' && nodes[0].at === 'start'
  const last = nodes.at(-1)
  const end = last?.kind === 'anchor' && (last.at === 'end' || last.at === 'endOrNewline') ? last.at : null
  const sets: CharSet[] = []
  for (const node of nodes.slice(start ? 1 : 0, end === null ? undefined : -1)) {
    if (node.kind !== 'set') return null
    sets.push(node.set)
  }
  return { start, sets, end }
}

function flat(node: Node): readonly Node[] {
  return node.kind === 'sequence' ? node.items.flatMap(flat) : [node]
}
