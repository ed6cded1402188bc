import type { CharSet } from './charset.ts'
import { type Node, type Pattern, RegexError } from './syntax.ts'

/** One instruction of the matcher. `to` are positions in the program. */
export type Instruction =
  | { readonly op: 'set'; readonly set: CharSet }
  /** As many of a set as there are, giving back one after the other; or as few. */
  | {
      readonly op: 'run'
      readonly set: CharSet
      readonly least: number
      readonly most: number
      readonly greedy: boolean
    }
  | { readonly op: 'split'; first: number; second: number }
  | { readonly op: 'jump'; to: number }
  | { readonly op: 'save'; readonly slot: number }
  /** Beginning of a turn of a loop whose body may be empty, and its end, which leaves the loop after an empty turn. */
  | { readonly op: 'mark'; readonly register: number }
  | { readonly op: 'progress'; readonly register: number; to: number }
  | { readonly op: 'anchor'; readonly at: Extract<Node, { kind: 'anchor' }>['at'] }
  | { readonly op: 'back'; readonly groups: readonly number[]; readonly ignoreCase: boolean }
  /** A part matched on its own: `end` is where the program goes on. */
  | { readonly op: 'look'; readonly negative: boolean; end: number }
  | { readonly op: 'behind'; readonly negative: boolean; readonly least: number; readonly most: number; end: number }
  | { readonly op: 'atomic'; end: number }
  | { readonly op: 'absent'; end: number }
  | { readonly op: 'condition'; readonly groups: readonly number[]; otherwise: number }
  | { readonly op: 'call'; readonly group: number }
  | { readonly op: 'return' }
  | { readonly op: 'keep' }
  | { readonly op: 'grapheme' }
  /** End of a part. */
  | { readonly op: 'accept' }
  | { readonly op: 'match' }

export interface Program {
  readonly code: readonly Instruction[]
  /** Where the body of each called group starts. */
  readonly calls: ReadonlyMap<number, number>
  readonly groups: number
  readonly registers: number
}

/** Instructions a pattern may have once its repetitions are written out. */
const longest = 20_000

export function assemble(pattern: Pattern): Program {
  const assembler = new Assembler()
  assembler.node(pattern.root)
  assembler.add({ op: 'match' })
  const calls = new Map<number, number>()
  for (let group = assembler.wanted.shift(); group !== undefined; group = assembler.wanted.shift()) {
    if (calls.has(group)) continue
    calls.set(group, assembler.code.length)
    const body = pattern.bodies.get(group)
    if (body === undefined) throw new RegexError('undefined group reference')
    if (callsItselfFirst(body, group, pattern, new Set())) throw new RegexError('never ending recursion')
    assembler.node(body)
    assembler.add({ op: 'return' })
  }
  return { code: assembler.code, calls, groups: pattern.groups, registers: assembler.registers }
}

class Assembler {
  readonly code: Instruction[] = []
  readonly wanted: number[] = []
  registers = 0

  add<T extends Instruction>(instruction: T): T {
    if (this.code.length >= longest) throw new RegexError('too many repetitions')
    this.code.push(instruction)
    return instruction
  }

  node(node: Node): void {
    switch (node.kind) {
      case 'set':
        this.add({ op: 'set', set: node.set })
        break
      case 'sequence':
        for (const item of node.items) this.node(item)
        break
      case 'either':
        this.either(node.branches)
        break
      case 'capture':
        this.add({ op: 'save', slot: node.group * 2 })
        this.node(node.body)
        this.add({ op: 'save', slot: node.group * 2 + 1 })
        break
      case 'repeat':
        if (node.mode === 'possessive') this.part({ op: 'atomic', end: 0 }, { ...node, mode: 'greedy' })
        else this.repeat(node)
        break
      case 'look': {
        const { negative } = node
        if (!node.behind) this.part({ op: 'look', negative, end: 0 }, node.body)
        else {
          const { least, most } = widthOf(node.body)
          this.part({ op: 'behind', negative, least, most, end: 0 }, node.body)
        }
        break
      }
      case 'atomic':
        this.part({ op: 'atomic', end: 0 }, node.body)
        break
      case 'absent':
        this.part({ op: 'absent', end: 0 }, node.body)
        break
      case 'anchor':
        this.add({ op: 'anchor', at: node.at })
        break
      case 'backreference':
        this.add({ op: 'back', groups: node.groups, ignoreCase: node.ignoreCase })
        break
      case 'call':
        this.wanted.push(node.group)
        this.add({ op: 'call', group: node.group })
        break
      case 'condition': {
        const test = this.add({ op: 'condition', groups: node.groups, otherwise: 0 })
        this.node(node.consequence)
        const jump = this.add({ op: 'jump', to: 0 })
        test.otherwise = this.code.length
        this.node(node.otherwise)
        jump.to = this.code.length
        break
      }
      case 'keep':
      case 'grapheme':
        this.add({ op: node.kind })
        break
    }
  }

  part(instruction: Instruction & { end: number }, body: Node): void {
    this.add(instruction)
    this.node(body)
    this.add({ op: 'accept' })
    instruction.end = this.code.length
  }

  either(branches: readonly Node[]): void {
    const jumps: { to: number }[] = []
    for (const [at, branch] of branches.entries()) {
      if (at === branches.length - 1) this.node(branch)
      else {
        const split = this.add({ op: 'split', first: this.code.length + 1, second: 0 })
        this.node(branch)
        jumps.push(this.add({ op: 'jump', to: 0 }))
        split.second = this.code.length
      }
    }
    for (const jump of jumps) jump.to = this.code.length
  }

  /** Needed turns are written out, optional ones nest, and what has no bound loops. */
  repeat(node: Extract<Node, { kind: 'repeat' }>): void {
    const { body, least, most } = node
    const greedy = node.mode === 'greedy'
    if (body.kind === 'set') {
      this.add({ op: 'run', set: body.set, least, most, greedy })
      return
    }
    for (let turn = 0; turn < least; turn++) this.node(body)
    if (most === Number.POSITIVE_INFINITY) {
      const register = this.registers++
      const split = this.add({ op: 'split', first: 0, second: 0 })
      const start = this.code.length
      this.add({ op: 'mark', register })
      this.node(body)
      const progress = this.add({ op: 'progress', register, to: 0 })
      this.add({ op: 'jump', to: start - 1 })
      progress.to = this.code.length
      split.first = greedy ? start : this.code.length
      split.second = greedy ? this.code.length : start
      return
    }
    const splits: { split: Extract<Instruction, { op: 'split' }>; start: number }[] = []
    for (let turn = least; turn < most; turn++) {
      const split = this.add({ op: 'split', first: 0, second: 0 })
      splits.push({ split, start: this.code.length })
      this.node(body)
    }
    for (const { split, start } of splits) {
      split.first = greedy ? start : this.code.length
      split.second = greedy ? this.code.length : start
    }
  }
}

/** How many characters a part can match. */
export function widthOf(node: Node): { least: number; most: number } {
  switch (node.kind) {
    case 'set':
      return { least: 1, most: 1 }
    case 'sequence':
      return node.items
        .map(widthOf)
        .reduce((sum, { least, most }) => ({ least: sum.least + least, most: sum.most + most }), { least: 0, most: 0 })
    case 'either':
      return node.branches.map(widthOf).reduce((range, { least, most }) => ({
        least: Math.min(range.least, least),
        most: Math.max(range.most, most),
      }))
    case 'capture':
    case 'atomic':
      return widthOf(node.body)
    case 'repeat': {
      const { least, most } = widthOf(node.body)
      return { least: least * node.least, most: most === 0 ? 0 : most * node.most }
    }
    case 'condition': {
      const a = widthOf(node.consequence)
      const b = widthOf(node.otherwise)
      return { least: Math.min(a.least, b.least), most: Math.max(a.most, b.most) }
    }
    case 'look':
    case 'anchor':
    case 'keep':
      return { least: 0, most: 0 }
    case 'backreference':
    case 'call':
    case 'absent':
    case 'grapheme':
      return { least: 0, most: Number.POSITIVE_INFINITY }
  }
}

/** Whether a group calls itself on every way through it, so that it could never end. */
function callsItselfFirst(node: Node, group: number, pattern: Pattern, seen: ReadonlySet<number>): boolean {
  switch (node.kind) {
    case 'call': {
      if (node.group === group) return true
      const body = pattern.bodies.get(node.group)
      if (body === undefined || seen.has(node.group)) return false
      return callsItselfFirst(body, group, pattern, new Set([...seen, node.group]))
    }
    case 'sequence':
      return node.items.some((item) => callsItselfFirst(item, group, pattern, seen))
    case 'either':
      return node.branches.every((branch) => callsItselfFirst(branch, group, pattern, seen))
    case 'capture':
    case 'atomic':
      return callsItselfFirst(node.body, group, pattern, seen)
    case 'repeat':
      return node.least > 0 && callsItselfFirst(node.body, group, pattern, seen)
    case 'look':
      return !node.negative && callsItselfFirst(node.body, group, pattern, seen)
    case 'set':
    case 'anchor':
    case 'backreference':
    case 'keep':
    case 'condition':
    case 'absent':
    case 'grapheme':
      return false
  }
}
