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

/** Where something stands in a mapping file. */
export interface Place {
  readonly expression: string
  readonly file?: string
  readonly line?: number
}

/** What a compiled mapping file says about itself, to people who ask why. */
export interface MappingsAbout {
  /** `field` as in `Problem`; `item` as in `ItemDraft`. Undefined: the file has no such field. */
  place(mapping: string, item: string, field: string): Place | undefined
  /** What the parts of a selector that read the body gave; none where items have a selector each. `now`: seconds. */
  selector(mapping: string, body: Json, context: { readonly now: number }): readonly Part[]
  /** Kinds that may make entities of the blueprint, by what the file says. */
  kindsOf(blueprint: string): readonly string[]
}

export interface Part {
  readonly part: string
  /** JSON text. */
  readonly gave: string
}

export interface MappingContext {
  /** Seconds since the epoch: what `now` is. */
  readonly now: number
  /** The JSON text of the body, for numbers of which a double cannot hold all digits. Without it they are rounded. */
  readonly text?: string
}

/** The mapping file and blueprints of one source, compiled. Pure: no clock, no I/O. */
export interface Mappings {
  /** Hash of everything that decides the output: file, blueprints, variables, engine version. "Unchanged" includes it. */
  readonly hash: string
  /** Kinds that some mapping reads. */
  readonly kinds: readonly string[]
  /** One output per mapping of this kind, in file order; none for an unknown kind. Never throws. */
  apply(kind: string, body: Json, context: MappingContext): readonly MappingOutput[]
  /** What must lead to something that was deleted goes with it (deleteDependentEntities). */
  readonly cascades?: true
  /** Share of a kind's entities, 0 to 1, of which no more is taken away without a person. Absent: the guard's own. */
  readonly threshold?: number
  /**
   * Names that the relations of a draft lead to, and that shall exist as stubs while nothing else makes them
   * (createMissingRelatedEntities). Absent: none.
   */
  readonly wants?: (draft: EntityDraft) => readonly { readonly blueprint: string; readonly identifier: string }[]
  /** Absent: nothing can be told beyond the outputs. */
  readonly about?: MappingsAbout
}
