import type { CharSet } from './charset.ts'

/** A regular expression as a tree. Widths are in characters. */
export type Node =
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'sequence'; readonly items: readonly Node[] }
  | { readonly kind: 'either'; readonly branches: readonly Node[] }
  | { readonly kind: 'capture'; readonly group: number; readonly body: Node }
  | {
      readonly kind: 'repeat'
      readonly body: Node
      readonly least: number
      /** Infinity where there is no bound. */
      readonly most: number
      readonly mode: 'greedy' | 'lazy' | 'possessive'
    }
  | { readonly kind: 'look'; readonly behind: boolean; readonly negative: boolean; readonly body: Node }
  | { readonly kind: 'atomic'; readonly body: Node }
  | { readonly kind: 'anchor'; readonly at: Anchor }
  /** Any of these groups, the last that took part; all of one name. */
  | { readonly kind: 'backreference'; readonly groups: readonly number[]; readonly ignoreCase: boolean }
  | { readonly kind: 'call'; readonly group: number }
  /** `\K`: the match starts here. */
  | { readonly kind: 'keep' }
  | {
      readonly kind: 'condition'
      readonly groups: readonly number[]
      readonly consequence: Node
      readonly otherwise: Node
    }
  /** `(?~body)`: as much as possible that does not contain the body. */
  | { readonly kind: 'absent'; readonly body: Node }
  /** `\X`: one grapheme. */
  | { readonly kind: 'grapheme' }

export type Anchor =
  | 'start'
  | 'end'
  | 'endOrNewline'
  | 'lineStart'
  | 'lineEnd'
  | 'wordBoundary'
  | 'notWordBoundary'
  | 'searchStart'

export interface Pattern {
  readonly root: Node
  /** Number of capture groups. */
  readonly groups: number
  readonly names: readonly { readonly name: string; readonly group: number }[]
  /** Groups by number, for calls. */
  readonly bodies: ReadonlyMap<number, Node>
}

export interface RegexOptions {
  readonly ignoreCase: boolean
  /** Blanks and comments do not count. */
  readonly extended: boolean
  /** `.` matches a newline. */
  readonly dotAll: boolean
  /** Of all matches the longest. */
  readonly longest: boolean
  /** No empty match. */
  readonly notEmpty: boolean
}

export class RegexError extends Error {}

export const empty: Node = { kind: 'sequence', items: [] }
