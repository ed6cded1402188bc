import type { Node } from './ast.ts'
import { meter, steps } from './budget.ts'
import type { Code, Env } from './code.ts'
import { Raised } from './errors.ts'
import { hot } from './hot.ts'
import type { Value } from './value.ts'

/** What a shared sub-expression gave over the input of this turn. */
interface Slot {
  turn: number
  input: Value
  value: Value | undefined
  error: Raised | null
  /** What it cost. Each use is charged, so that a budget is what it would be without sharing. */
  steps: number
}

/** Something that was compiled and can be compiled again, with some of its parts shared. */
export interface Sharer {
  readonly ast: Node
  share(sharing: Sharing): void
}

/**
 * The sub-expressions that the expressions of one mapping have in common, computed once per input. Only what depends on
 * nothing but the input is shared, and only where the input is the whole one.
 */
export class Sharing {
  readonly #slots: ReadonlyMap<Node, Slot>
  #turn = 0

  constructor(slots: ReadonlyMap<Node, Slot>) {
    this.#slots = slots
  }

  /** Call before the first expression runs over an input, and after the last: nothing is remembered beyond that. */
  turn(): void {
    this.#turn++
  }

  /** The code of a node, remembering its output if that is shared. */
  wrap(node: Node, code: Code): Code {
    const slot = this.#slots.get(node)
    if (slot === undefined || code.constant !== undefined) return code
    const own = hot(code)
    if (own === null) return code
    const remembered = (env: Env, input: Value): Value | undefined => {
      if (slot.turn === this.#turn && slot.input === input) {
        steps(slot.steps)
        if (slot.error !== null) throw slot.error
        return slot.value
      }
      const before = meter.rest + meter.slice
      let value: Value | undefined
      let failure: Raised | null = null
      try {
        value = own.run(env, input)
      } catch (error) {
        if (!(error instanceof Raised)) throw error
        failure = error
      }
      slot.turn = this.#turn
      slot.input = input
      slot.value = value
      slot.error = failure
      slot.steps = before - meter.rest - meter.slice
      if (failure !== null) throw failure
      return value
    }
    // Without the short cuts that others take around `one`.
    const { walk, part = false } = code
    return {
      walk,
      part,
      one: remembered,
      each: (env, input, emit) => {
        const value = remembered(env, input)
        return value === undefined ? undefined : emit(value)
      },
    }
  }
}

/** Finds what these expressions, which run over the same input, have in common, and has them share it. */
export function shareAmong(expressions: readonly Sharer[]): Sharing {
  const counts = new Map<string, number>()
  const keys = new Map<Node, string>()
  const sharers = expressions.filter(({ ast }) => !mentions(ast, ({ kind }) => kind === 'define'))
  const count = (node: Node): void => {
    if (isWorthIt(node)) {
      const key = JSON.stringify(node, (name, value: unknown) =>
        name === 'start' || name === 'end' ? undefined : value,
      )
      keys.set(node, key)
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    for (const part of partsOverInput(node)) count(part)
  }
  for (const { ast } of sharers) count(ast)

  const byKey = new Map<string, Slot>()
  const slots = new Map<Node, Slot>()
  /** Parts of what is shared are shared only if they occur elsewhere, too. */
  const assign = (node: Node, outer: number): number => {
    const key = keys.get(node) ?? ''
    const times = counts.get(key) ?? 0
    const isShared = times > outer
    if (isShared) {
      const slot = byKey.get(key) ?? { turn: -1, input: null, value: undefined, error: null, steps: 0 }
      byKey.set(key, slot)
      slots.set(node, slot)
    }
    const inner = partsOverInput(node).map((part) => assign(part, isShared ? times : outer))
    return inner.reduce((sum, each) => sum + each, isShared ? 1 : 0)
  }
  const sharing = new Sharing(slots)
  for (const expression of sharers) if (assign(expression.ast, 1) > 0) expression.share(sharing)
  return sharing
}

/** Parts that run over the input of the whole. */
function partsOverInput(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'index':
      return [node.target, node.key]
    case 'slice':
      return [node.target, node.from, node.to].filter((part) => part !== null)
    case 'iterate':
      return [node.target]
    case 'array':
      return node.body === null ? [] : [node.body]
    case 'object':
      return node.entries.flatMap(({ key, value }) => [key, value])
    case 'text':
      return node.parts.filter((part) => typeof part !== 'string')
    case 'negate':
      return [node.operand]
    case 'pipe':
      return [node.left]
    case 'comma':
    case 'binary':
    case 'logic':
    case 'alternative':
      return [node.left, node.right]
    case 'if':
      return [node.condition, node.consequence, ...(node.otherwise === null ? [] : [node.otherwise])]
    case 'try':
      return [node.body]
    case 'reduce':
    case 'foreach':
      return [node.source, node.init]
    case 'bind':
      return [node.source, node.body]
    case 'label':
      return [node.body]
    // Arguments run over whatever the function makes of it, and assignments over places.
    case 'call':
    case 'assign':
    case 'define':
    case 'identity':
    case 'recurse':
    case 'literal':
    case 'format':
    case 'break':
    case 'variable':
      return []
  }
}

/** Plain paths cost no more than looking up what was remembered; what reads a variable or breaks out is not its own. */
function isWorthIt(node: Node): boolean {
  if (node.kind === 'literal' || node.kind === 'identity' || node.kind === 'format' || isPath(node)) return false
  if (node.kind === 'text' && node.parts.every((part) => typeof part === 'string')) return false
  return !mentions(node, ({ kind }) => kind === 'variable' || kind === 'break')
}

function isPath(node: Node): boolean {
  return (
    node.kind === 'index' && node.key.kind === 'literal' && (node.target.kind === 'identity' || isPath(node.target))
  )
}

function mentions(tree: unknown, wanted: (node: Node) => boolean): boolean {
  if (typeof tree !== 'object' || tree === null) return false
  // Of what is in a tree only nodes, and patterns without meaning here, have a kind.
  if ('kind' in tree && wanted(tree as Node)) return true
  return Object.values(tree).some((part) => mentions(part, wanted))
}
