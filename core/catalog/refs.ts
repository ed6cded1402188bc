import { hash } from 'node:crypto'
import type { Blueprint } from '../model/blueprint.ts'
import { isQuery, type Relation, type SearchQuery, TEAM } from '../model/entity.ts'

/** The same in SQL: function `ref_target` of the first migration. */
export function refTarget(blueprint: string, identifier: string): bigint {
  return hash('md5', `${blueprint}:${identifier}`, 'buffer').readBigInt64BE(0)
}

/** What the catalog derives from an entity's document with the help of its blueprint. */
export interface Rules {
  readonly searchable: readonly string[]
  /** Relation to the blueprint it points at. */
  readonly targets: ReadonlyMap<string, string>
  /** `properties.NAME` and `relations.NAME` of which the lists of all contributions are united. */
  readonly united: ReadonlySet<string>
  /** Records that claim one name are in conflict: only the first of them is heard. */
  readonly exclusive: boolean
  /** Relations that take several targets. */
  readonly many: ReadonlySet<string>
  /** Of both: an entity that was derived by other rules is derived anew when it is next written, though nothing in it changed. */
  readonly digest: number
}

/** Grows when the derivation itself changes (how words are split). */
const derivation = 2
export const noRules: Rules = {
  searchable: [],
  targets: new Map(),
  many: new Set(),
  united: new Set(),
  exclusive: false,
  digest: derivation,
}

/** `teams`: the blueprint that teams have. */
export function rulesOf(
  blueprint: Pick<Blueprint, 'searchable' | 'relations'> & Partial<Pick<Blueprint, 'schema' | 'identity'>>,
  teams = 'team',
): Rules {
  const searchable = blueprint.searchable ?? []
  const targets = Object.entries(blueprint.relations ?? {}).map(([name, { target }]) => [name, target] as const)
  const many = Object.entries(blueprint.relations ?? {}).flatMap(([name, relation]) =>
    relation.many === true ? [name] : [],
  )
  const united = [
    ...Object.entries(blueprint.schema?.properties ?? {}).flatMap(([name, property]) =>
      property.merge === 'union' ? [`properties.${name}`] : [],
    ),
    ...Object.entries(blueprint.relations ?? {}).flatMap(([name, relation]) =>
      relation.merge === 'union' && relation.many === true ? [`relations.${name}`] : [],
    ),
  ]
  const text = JSON.stringify([
    derivation,
    searchable,
    targets.toSorted(([a], [b]) => (a < b ? -1 : 1)),
    many.toSorted(),
    teams,
    united,
    blueprint.identity ?? 'merge',
  ])
  return {
    searchable,
    targets: new Map([...targets, [TEAM, teams]]),
    many: new Set([...many, TEAM]),
    united: new Set(united),
    exclusive: blueprint.identity === 'conflict',
    digest: hash('md5', text, 'buffer').readInt32BE(0),
  }
}

export interface Ref {
  readonly relation: string
  readonly position: number
  readonly blueprint: string
  readonly identifier: string
}

/** Only relations by identifier; one that the blueprint does not have points nowhere. */
export function* refsOf(relations: Readonly<Record<string, Relation>>, rules: Rules): Generator<Ref> {
  for (const [relation, said] of Object.entries(relations)) {
    const blueprint = rules.targets.get(relation)
    if (blueprint === undefined) continue
    const identifiers = typeof said === 'string' ? [said] : isList(said) ? said : []
    for (const [position, identifier] of identifiers.entries()) yield { relation, position, blueprint, identifier }
  }
}

function isList(said: Relation): said is readonly string[] {
  return Array.isArray(said)
}

export interface QueryRef {
  readonly relation: string
  readonly position: 0 | -1
  readonly blueprint: string
  readonly query: SearchQuery
}

/** Relations by search query. */
export function queriesOf(relations: Readonly<Record<string, Relation>>, rules: Rules): readonly QueryRef[] {
  return Object.entries(relations).flatMap(([relation, said]): QueryRef[] => {
    const blueprint = rules.targets.get(relation)
    if (blueprint === undefined || !isQuery(said)) return []
    return [{ relation, position: rules.many.has(relation) ? 0 : -1, blueprint, query: said }]
  })
}
