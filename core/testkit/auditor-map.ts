import type { Json } from '../model/json.ts'
import type { SourceName, Thing } from './thing.ts'

/**
 * The truth, mapped a second time by other code: what the simulated mappings say about objects as they are, merged. It
 * shares nothing with the engine, the store or those mappings.
 */
export interface Expected {
  readonly title: string | null
  readonly properties: ReadonlyMap<string, Json>
  readonly relations: ReadonlyMap<string, Json>
  /** An expression fails on one of the objects: this property may hold a last good value, marked. */
  readonly loose: boolean
  /** It is made of one object's words alone. */
  readonly sole: boolean
}

export type Versions = Readonly<Record<SourceName, 'v1' | 'v2'>>

interface Saying {
  readonly name: string
  readonly owns: boolean
  readonly title: string | null
  readonly properties: Readonly<Record<string, Json>>
  readonly relations: Readonly<Record<string, Json>>
  readonly order: readonly string[]
  readonly loose: boolean
}

/** Entities by `blueprint:identifier`. */
export function mapTruth(things: readonly Thing[], versions: Versions): ReadonlyMap<string, Expected> {
  const sayings = things.filter((thing) => thing.partitions.size > 0).flatMap((thing) => sayingsOf(thing, versions))
  const groups = Map.groupBy(sayings, ({ name }) => name)
  const entities = new Map<string, Expected>()
  for (const [name, group] of groups) if (group.some(({ owns }) => owns)) entities.set(name, merged(group))
  return entities
}

function merged(group: readonly Saying[]): Expected {
  const ranked = group.toSorted((left, right) => (compare(left.order, right.order) ? -1 : 1))
  const first = (part: 'properties' | 'relations'): Map<string, Json> => {
    const found = new Map<string, Json>()
    for (const saying of ranked) {
      for (const [name, value] of Object.entries(saying[part])) {
        if (value !== null && !found.has(name)) found.set(name, value)
      }
    }
    return found
  }
  return {
    title: ranked.find(({ title }) => title !== null)?.title ?? null,
    properties: first('properties'),
    relations: first('relations'),
    loose: ranked.some(({ loose }) => loose),
    sole: ranked.length === 1,
  }
}

/** True: `left` comes before. */
function compare(left: readonly string[], right: readonly string[]): boolean {
  const at = left.findIndex((part, index) => part !== right[index])
  return at >= 0 && (left[at] ?? '') < (right[at] ?? '')
}

/** Source by rank, then the newest version, then the key, then the mapping and the item. */
function orderOf({ source, kind, key, serial }: Thing, versioned: boolean, mapping: string, item: string): string[] {
  // Newest first, those without a version last.
  const version = versioned ? String(99_999_999 - serial).padStart(8, '0') : '~'
  return [source === 'alpha' ? '0' : '1', version, key, source, kind, mapping, item]
}

function sayingsOf(thing: Thing, versions: Versions): readonly Saying[] {
  const { kind, name, owner, stars, tier, labels, archived, key } = thing
  const loose = thing.weird === 'property'
  const shown = loose ? null : tier
  const newer = versions[thing.source] === 'v2'
  const say = (
    mapping: string,
    entity: string,
    title: string | null,
    properties: Saying['properties'],
    relations: Saying['relations'],
    more: { item?: string; owns?: boolean; loose?: boolean } = {},
  ): Saying => ({
    name: entity,
    owns: more.owns ?? true,
    title,
    properties,
    relations,
    order: orderOf(thing, ['repo', 'service', 'incident', 'branch'].includes(kind), mapping, more.item ?? '0'),
    loose: more.loose ?? loose,
  })
  if (kind === 'repo') {
    const flagship = newer
      ? []
      : [say('flagship', `team:${owner}`, null, { flagship: name, stars }, {}, { owns: false, loose: false })]
    if (archived) return flagship
    const all = labels.map((label, index) =>
      say('label', `label:${name}/${label}`, label, {}, { service: name }, { item: `0.${index}`, loose: false }),
    )
    const statistics: Saying['properties'] = newer ? { popularity: stars } : { stars }
    const properties = { ...statistics, tier: shown, labels: labels.length }
    const own = say('repo', `service:${name}`, newer ? `${name}!` : name, properties, { owner })
    return [own, ...all, ...flagship]
  }
  if (archived) return []
  if (kind === 'person') return [say('person', `person:${name}`, name, { stars, tier: shown }, { teams: [owner] })]
  if (kind === 'team') return [say('team', `team:${name}`, name, { stars, tier: shown }, {})]
  if (kind === 'branch') return [say('branch', `branch:${key}`, name, { stars, tier: shown }, { owner })]
  if (kind === 'incident') {
    return [say('incident', `incident:${key}`, name, { stars, tier: shown }, { service: name })]
  }
  const oncall: Saying['properties'] = newer ? {} : { oncall: owner }
  return [say('service', `service:${name}`, `service ${name}`, { stars, tier: shown, ...oncall }, { owner })]
}
