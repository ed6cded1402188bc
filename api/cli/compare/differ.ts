import { isDeepStrictEqual } from 'node:util'
import type { EntityView } from '../../../core/catalog/query/view.ts'
import type { Blueprint } from '../../../core/model/blueprint.ts'
import type { Json, JsonObject } from '../../../core/sdk/index.ts'

/** An entity as the other catalog has it. */
export interface Theirs {
  readonly blueprint: string
  readonly identifier: string
  /** Undefined: the export says nothing of it, which is no difference. */
  readonly title?: Json
  readonly team?: readonly string[]
  readonly properties: JsonObject
  readonly relations: JsonObject
  /** The fields that the export can say something of. Absent: all that an entity has. */
  readonly covers?: ReadonlySet<string>
}

export type Ours = Pick<EntityView, 'blueprint' | 'identifier' | 'title' | 'team' | 'properties' | 'relations'>

export interface Difference {
  /** `title`, `team`, `properties.NAME` or `relations.NAME`. */
  readonly field: string
  readonly there: Json
  readonly here: Json
  /** False: our blueprint has no such property or relation. */
  readonly known: boolean
}

interface Compared {
  /** References, sorted. */
  readonly equal: readonly string[]
  readonly differing: readonly { readonly reference: string; readonly differences: readonly Difference[] }[]
  readonly onlyThere: readonly string[]
  readonly onlyHere: readonly string[]
}

/** Sets two catalogs beside each other. `ignored`: fields that are no difference. Pure. */
export function compareCatalogs(
  theirs: readonly Theirs[],
  ours: readonly Ours[],
  blueprints: ReadonlyMap<string, Blueprint>,
  ignored: ReadonlySet<string>,
): Compared {
  const here = new Map(ours.map((entity) => [referenceOf(entity), entity]))
  const there = new Map(theirs.map((entity) => [referenceOf(entity), entity]))
  const equal: string[] = []
  const differing: { reference: string; differences: readonly Difference[] }[] = []
  const onlyThere: string[] = []
  for (const [reference, entity] of there) {
    const own = here.get(reference)
    if (own === undefined) {
      onlyThere.push(reference)
      continue
    }
    const differences = differencesOf(entity, own, blueprints.get(entity.blueprint)).filter(
      ({ field }) => !ignored.has(field),
    )
    if (differences.length === 0) equal.push(reference)
    else differing.push({ reference, differences })
  }
  return {
    equal: equal.sort(),
    differing: differing.sort((one, other) => (one.reference < other.reference ? -1 : 1)),
    onlyThere: onlyThere.sort(),
    onlyHere: [...here.keys()].filter((reference) => !there.has(reference)).sort(),
  }
}

const referenceOf = ({ blueprint, identifier }: { blueprint: string; identifier: string }): string =>
  `${blueprint}:${identifier}`

function differencesOf(theirs: Theirs, ours: Ours, blueprint: Blueprint | undefined): Difference[] {
  const found: Difference[] = []
  const note = (field: string, there: Json, here: Json, known = true): void => {
    if (theirs.covers?.has(field) !== false) found.push({ field, there, here, known })
  }
  if (theirs.title !== undefined && theirs.title !== ours.title) note('title', theirs.title, ours.title)
  if (theirs.team !== undefined && !isDeepStrictEqual(sorted(theirs.team), sorted(ours.team)))
    note('team', theirs.team, ours.team)
  for (const name of names(theirs.properties, ours.properties)) {
    const schema = own(blueprint?.schema.properties, name)
    const [there, here] = [own(theirs.properties, name) ?? null, own(ours.properties, name) ?? null]
    if (!sameValue(there, here, schema?.format)) note(`properties.${name}`, there, here, schema !== undefined)
  }
  for (const name of names(theirs.relations, ours.relations)) {
    const schema = own(blueprint?.relations, name)
    // Relations are JSON as they were said.
    const [said, made] = [own(theirs.relations, name) ?? null, (own(ours.relations, name) ?? null) as Json]
    const [there, here] = [targets(said, schema?.target), targets(made, schema?.target)]
    if (!isDeepStrictEqual(there, here)) note(`relations.${name}`, said, made, schema !== undefined)
  }
  return found
}

const names = (one: object, other: object): string[] =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])].sort()

function own<T>(object: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined
}

const sorted = (list: readonly string[]): string[] => [...new Set(list)].sort()

/** A moment may be written in several ways, and an object with its keys in any order. */
function sameValue(there: Json, here: Json, format: string | undefined): boolean {
  if (isDeepStrictEqual(there, here)) return true
  if (format !== 'date-time' || typeof there !== 'string' || typeof here !== 'string') return false
  return Date.parse(there) === Date.parse(here)
}

/** Targets without their blueprint, in no order. None, null and an empty list are the same. */
function targets(relation: Json, blueprint: string | undefined): Json {
  if (relation === null) return []
  const bare = (text: Json): Json =>
    typeof text === 'string' && blueprint !== undefined && text.startsWith(`${blueprint}:`)
      ? text.slice(blueprint.length + 1)
      : text
  // Array.isArray widens a readonly union.
  const list = Array.isArray(relation) ? (relation as readonly Json[]) : [relation]
  return [...new Map(list.map((one) => [JSON.stringify(bare(one)), bare(one)]))].sort(byName).map(([, one]) => one)
}

const byName = ([one]: readonly [string, Json], [other]: readonly [string, Json]): number =>
  one < other ? -1 : one > other ? 1 : 0
