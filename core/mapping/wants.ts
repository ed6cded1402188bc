import type { EntityDraft, Relation } from '../model/entity.ts'
import type { Mappings } from '../model/mapping.ts'
import type { BlueprintIndex } from './expectation.ts'

/** createMissingRelatedEntities: what relations by identifier lead to. A search query names nothing that could be made. */
export function wantsOf(blueprints: BlueprintIndex): NonNullable<Mappings['wants']> {
  const targets = new Map<string, ReadonlyMap<string, string>>()
  return ({ blueprint, relations }: EntityDraft) => {
    const known = targets.get(blueprint) ?? blueprints.targetsOf(blueprint)
    targets.set(blueprint, known)
    if (known.size === 0) return []
    return Object.entries(relations).flatMap(([relation, said]) => {
      const target = known.get(relation)
      return target === undefined ? [] : namedBy(said).map((identifier) => ({ blueprint: target, identifier }))
    })
  }
}

function namedBy(said: Relation): readonly string[] {
  if (typeof said === 'string') return said === '' ? [] : [said]
  return Array.isArray(said) ? said : []
}
