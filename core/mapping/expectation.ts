import type { Blueprint } from '../model/blueprint.ts'
import type { EntityBlock } from './parsed.ts'
import type { PropertyType } from './values.ts'

/** What a blueprint declares about the fields of one entity block, in the block's order; undefined where it says nothing. */
export interface Expectation {
  readonly types: readonly (PropertyType | undefined)[]
  readonly many: readonly (boolean | undefined)[]
  typeOf(property: string): PropertyType | undefined
}

/**
 * The blueprints that mapped values are held against. Without any (`undefined`) nothing is checked: then every blueprint
 * is as good as known.
 */
export class BlueprintIndex {
  readonly #blueprints: ReadonlyMap<string, Blueprint> | undefined
  readonly #cache = new WeakMap<EntityBlock, Map<string, Expectation>>()

  constructor(blueprints: readonly Blueprint[] | undefined) {
    this.#blueprints = blueprints && new Map(blueprints.map((blueprint) => [blueprint.identifier, blueprint]))
  }

  /** Where relations of a blueprint lead; only to blueprints that there are. */
  targetsOf(name: string): ReadonlyMap<string, string> {
    const relations = Object.entries(this.#blueprints?.get(name)?.relations ?? {})
    return new Map(
      relations.flatMap(([relation, { target }]) => (this.#blueprints?.has(target) ? [[relation, target]] : [])),
    )
  }

  /** Undefined: there is no such blueprint. */
  expect(block: EntityBlock, name: string): Expectation | undefined {
    let byName = this.#cache.get(block)
    if (byName === undefined) {
      byName = new Map()
      this.#cache.set(block, byName)
    }
    // Names come from data where a blueprint is computed: what is not declared is not remembered by name.
    const blueprint = this.#blueprints?.get(name)
    if (this.#blueprints !== undefined && blueprint === undefined) return undefined
    const key = blueprint === undefined ? '' : name
    const cached = byName.get(key)
    if (cached !== undefined) return cached
    const made = expectation(block, blueprint)
    byName.set(key, made)
    return made
  }
}

function expectation(block: EntityBlock, blueprint: Blueprint | undefined): Expectation {
  const properties = new Map(Object.entries(blueprint?.schema.properties ?? {}))
  const relations = new Map(Object.entries(blueprint?.relations ?? {}))
  return {
    types: block.properties.map(({ name }) => properties.get(name)?.type),
    many: block.relations.map(({ name }) => {
      const relation = relations.get(name)
      return relation && (relation.many ?? false)
    }),
    typeOf: (property) => properties.get(property)?.type,
  }
}
