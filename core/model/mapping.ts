import type { EntityDraft, SearchQuery } from './entity.ts'
import type { Json } from './json.ts'
import type { Problem } from './problem.ts'

/**
 * What one mapping made of one record. `quarantined` withdraws nothing (I8): a selector, items expression, blueprint or
 * identifier failed. `deselected` (the selector is false) withdraws what this mapping said before.
 */
export type MappingOutput =
  | {
      readonly mapping: string
      readonly state: 'selected'
      readonly drafts: readonly ItemDraft[]
      /** Items of which the identifier or blueprint failed: what they said before is kept. */
      readonly quarantined: readonly { readonly item: string; readonly problem: Problem }[]
      /** What is said about entities that a search query finds. It never makes one exist. Absent: nothing. */
      readonly updates?: readonly QueryDraft[]
    }
  | {
      readonly mapping: string
      readonly state: 'deselected' /** The selector, for explain. */
      readonly expression: string
    }
  | { readonly mapping: string; readonly state: 'quarantined'; readonly problem: Problem }

/** What a mapping whose identifier is a search query says about the entities that the query finds. */
export interface QueryDraft {
  readonly item: string
  readonly query: SearchQuery
  readonly draft: Omit<EntityDraft, 'identifier'>
}

export interface ItemDraft {
  /** Which item and entity block of the mapping: "0", or "0.3" for the fourth of itemsToParse. Stable between observations. */
  readonly item: string
  readonly draft: EntityDraft
  /** A weak contribution never makes an entity exist: stubs of missing relation targets. */
  readonly owning: boolean
}

/** The mapping file and blueprints of one source, compiled. Pure: no clock, no I/O. */
export interface Mappings {
  /** Hash of everything that decides the output: file, blueprints, variables, engine version. "Unchanged" includes it. */
  readonly hash: string
  /** Kinds that some mapping reads. */
  readonly kinds: readonly string[]
  /** One output per mapping of this kind, in file order; none for an unknown kind. `now`: seconds since the epoch. Never throws. */
  apply(kind: string, body: Json, context: { readonly now: number }): readonly MappingOutput[]
}
