import type { Definition, Node } from './ast.ts'
import type { Code } from './code.ts'

/** A name and what it stands for, in front of the names that were there before. */
export type Names = (Binding & { readonly up: Names }) | null

type Binding = CellBinding | Callee

/** A cell of the environment, counted from its root. */
interface CellBinding {
  readonly kind: 'variable' | 'label'
  readonly name: string
  readonly level: number
}

/** What can be called by name. */
export type Callee =
  | { readonly kind: 'function'; readonly name: string; readonly instance: Instance }
  /** A parameter of an inlined call: the argument, with the names it was written under. */
  | { readonly kind: 'argument'; readonly name: string; readonly node: Node; readonly names: Names }
  /** A parameter that stands in a cell. */
  | { readonly kind: 'parameter'; readonly name: string; readonly level: number }

/** A definition at one place of the program. */
export interface Instance {
  readonly definition: Definition
  readonly names: Names
  /** Cells below the definition's own. */
  readonly depth: number
  readonly recursive: boolean
  /** The body, compiled once for calls that are not inlined. */
  body: Code | null
}

/** Where a node is compiled: the names it sees, and how many cells its environment will have. */
export interface Scope {
  readonly names: Names
  readonly depth: number
}

export function withCell(scope: Scope, kind: 'variable' | 'label' | 'parameter', name: string): Scope {
  const depth = scope.depth + 1
  return { names: { kind, name, level: depth, up: scope.names }, depth }
}

/** `$name`, a label or, for `f`, whatever `f` with this many arguments is. */
export function lookUp(names: Names, kind: 'variable' | 'label', name: string): number | undefined {
  for (let at = names; at !== null; at = at.up) if (at.kind === kind && at.name === name) return at.level
  return undefined
}

export function lookUpCall(names: Names, name: string, arity: number): Callee | undefined {
  for (let at = names; at !== null; at = at.up) {
    if (at.name !== name) continue
    if (at.kind === 'function' && at.instance.definition.parameters.length === arity) return at
    if ((at.kind === 'argument' || at.kind === 'parameter') && arity === 0) return at
  }
  return undefined
}
