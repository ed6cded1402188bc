import type { Value } from './value.ts'

/** Where a node stands in the expression text, in UTF-16 units: `source.slice(start, end)`. */
export interface Span {
  readonly start: number
  readonly end: number
}

export type BinaryOperator = '+' | '-' | '*' | '/' | '%' | '==' | '!=' | '<' | '<=' | '>' | '>='
export type AssignOperator = '=' | '|=' | '+=' | '-=' | '*=' | '/=' | '%=' | '//='

export interface Definition extends Span {
  readonly name: string
  /** `$value` parameters are listed with their dollar. */
  readonly parameters: readonly string[]
  readonly body: Node
}

export type Pattern =
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'array'; readonly items: readonly Pattern[] }
  | { readonly kind: 'object'; readonly entries: readonly PatternEntry[] }

/** `{$name}`, `{$name: pattern}` and `{key: pattern}`: the first two bind the field itself. */
export interface PatternEntry {
  readonly key: Node
  readonly variable?: string
  readonly pattern?: Pattern
}

export interface ObjectEntry {
  readonly key: Node
  readonly value: Node
}

export type Node = Span &
  (
    | { readonly kind: 'identity' }
    | { readonly kind: 'recurse' }
    | { readonly kind: 'literal'; readonly value: Value }
    /** A string with interpolations, each passed through the format (`text` when none is named). */
    | { readonly kind: 'text'; readonly format: string; readonly parts: readonly (string | Node)[] }
    | { readonly kind: 'format'; readonly format: string }
    /** `target[key]`; `optional` (a `?` directly behind) swallows only a failure of this access. */
    | { readonly kind: 'index'; readonly target: Node; readonly key: Node; readonly optional: boolean }
    | {
        readonly kind: 'slice'
        readonly target: Node
        readonly from: Node | null
        readonly to: Node | null
        readonly optional: boolean
      }
    | { readonly kind: 'iterate'; readonly target: Node; readonly optional: boolean }
    | { readonly kind: 'array'; readonly body: Node | null }
    | { readonly kind: 'object'; readonly entries: readonly ObjectEntry[] }
    | { readonly kind: 'negate'; readonly operand: Node }
    | { readonly kind: 'pipe'; readonly left: Node; readonly right: Node }
    | { readonly kind: 'comma'; readonly left: Node; readonly right: Node }
    | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Node; readonly right: Node }
    | { readonly kind: 'logic'; readonly operator: 'and' | 'or'; readonly left: Node; readonly right: Node }
    | { readonly kind: 'alternative'; readonly left: Node; readonly right: Node }
    | { readonly kind: 'assign'; readonly operator: AssignOperator; readonly left: Node; readonly right: Node }
    | { readonly kind: 'if'; readonly condition: Node; readonly consequence: Node; readonly otherwise: Node | null }
    | { readonly kind: 'try'; readonly body: Node; readonly handler: Node | null }
    | {
        readonly kind: 'reduce'
        readonly source: Node
        readonly patterns: readonly Pattern[]
        readonly init: Node
        readonly update: Node
      }
    | {
        readonly kind: 'foreach'
        readonly source: Node
        readonly patterns: readonly Pattern[]
        readonly init: Node
        readonly update: Node
        readonly extract: Node | null
      }
    | { readonly kind: 'bind'; readonly source: Node; readonly patterns: readonly Pattern[]; readonly body: Node }
    | { readonly kind: 'label'; readonly name: string; readonly body: Node }
    | { readonly kind: 'break'; readonly name: string }
    | { readonly kind: 'define'; readonly definition: Definition; readonly body: Node }
    | { readonly kind: 'call'; readonly name: string; readonly parameters: readonly Node[] }
    | { readonly kind: 'variable'; readonly name: string }
  )

export type NodeOf<K extends Node['kind']> = Extract<Node, { readonly kind: K }>
