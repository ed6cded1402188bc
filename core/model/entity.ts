import type { Json } from './json.ts'
import type { Problem } from './problem.ts'

/** A search query, as mapping files write it; every leaf is already evaluated. */
export interface SearchQuery {
  readonly combinator: 'and' | 'or'
  readonly rules: readonly (
    | SearchQuery
    | { readonly property: string; readonly operator: string; readonly value: Json }
  )[]
}

/** One or several targets by identifier, or a query that is resolved against the catalog. Null says: none. */
export type Relation = string | readonly string[] | SearchQuery | null

/** The name that teams by search query go by among an entity's relations. */
export const TEAM = '$team'

export function isQuery(relation: Relation): relation is SearchQuery {
  return typeof relation === 'object' && relation !== null && 'combinator' in relation
}

/** What one record says about one entity through one mapping: the content of a contribution. */
export interface EntityDraft {
  readonly blueprint: string
  readonly identifier: string
  readonly title: string | null
  /** Identifiers of teams. */
  readonly team: readonly string[]
  /** Teams by a search query, beside `team`. */
  readonly teamQuery?: SearchQuery
  /** A value of null or an absent one falls through to the next contribution. */
  readonly properties: Readonly<Record<string, Json>>
  readonly relations: Readonly<Record<string, Relation>>
  /** Fields whose expression failed (I8). Their value here is the last good one, or absent at first sight. */
  readonly failed: readonly Problem[]
}

/** `blueprint:identifier`, the way people write an entity everywhere. */
export function reference(blueprint: string, identifier: string): string {
  return `${blueprint}:${identifier}`
}

/** Blueprint identifiers have no colon; entity identifiers may. */
export function parseReference(text: string): { blueprint: string; identifier: string } | undefined {
  const colon = text.indexOf(':')
  if (colon <= 0 || colon === text.length - 1) return undefined
  return { blueprint: text.slice(0, colon), identifier: text.slice(colon + 1) }
}
