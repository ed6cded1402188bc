import type { EntityDraft, Relation, SearchQuery } from '../model/entity.ts'
import type { Json } from '../model/json.ts'
import type { Mappings } from '../model/mapping.ts'

/** An object as a source has it. */
export interface Observed {
  readonly source: string
  readonly kind: string
  readonly key: string
  readonly version: string | undefined
  readonly body: Json
}

/** What an entity has to be. Relations as they were said; what they lead to is asked of `targetOf`. */
export interface Expected {
  readonly id: number
  /** Only relations want it. */
  readonly stub?: true
  readonly title: string | null
  readonly team: readonly string[]
  readonly properties: Readonly<Record<string, Json>>
  readonly relations: Readonly<Record<string, Relation>>
}

interface Saying {
  /** Record, mapping and item. */
  readonly part: string
  readonly record: string
  readonly source: string
  readonly name: string
  readonly owning: boolean
  readonly draft: Omit<EntityDraft, 'identifier'>
  readonly rank: readonly string[]
}

interface Being {
  readonly id: number
  readonly name: string
  /** None: a stub. */
  readonly owners: readonly Saying[]
}

/** By blueprint and relation, the blueprint that it leads to. */
type Targets = Readonly<Record<string, Readonly<Record<string, string>>>>

/**
 * The catalog, made as plainly as it can be said: all records through the mappings, grouped by name, merged field by
 * field. It remembers no more than who an entity was, because a renamed one stays itself. It shares no code with the store.
 */
export class Reference {
  readonly #records = new Map<string, Observed>()
  readonly #mappings = new Map<string, Mappings>()
  #precedence: readonly string[] = []
  #beings: Being[] = []
  #names = new Map<string, Expected>()
  readonly #aliases = new Map<string, number>()
  #ids = 0
  readonly #united: readonly string[]
  readonly #targets: Targets
  /** Sources of which relations make what they lead to. */
  readonly #making = new Set<string>()

  /** `united`: properties and relations of which the lists of all contributions are put together. */
  constructor(united: readonly string[] = [], targets: Targets = {}) {
    this.#united = united
    this.#targets = targets
  }

  /** `sources`: the first one wins. */
  order(sources: readonly string[]): void {
    this.#precedence = sources
    this.#settle()
  }

  map(source: string, mappings: Mappings, missing = false): void {
    this.#mappings.set(source, mappings)
    if (missing) this.#making.add(source)
    else this.#making.delete(source)
    this.#settle()
  }

  observe(observed: Observed): void {
    this.#records.set(recordOf(observed), observed)
    this.#settle()
  }

  withdraw(observed: Pick<Observed, 'source' | 'kind' | 'key'>): void {
    this.#records.delete(recordOf(observed))
    this.#settle()
  }

  /** By `blueprint:identifier`. */
  get entities(): ReadonlyMap<string, Expected> {
    return this.#names
  }

  /** The entity that a name leads to: by its own, or by one it had before. Undefined: nothing of that name is there. */
  targetOf(name: string): string | undefined {
    if (this.#names.has(name)) return name
    const id = this.#aliases.get(name)
    return this.#beings.find((being) => being.id === id)?.name
  }

  /** Names of the entities of the blueprint that the query finds, in order. */
  found(blueprint: string, query: SearchQuery): readonly string[] {
    const names = [...this.#names].filter(
      ([name, entity]) => name.startsWith(`${blueprint}:`) && matches(entity, query),
    )
    return names.map(([name]) => name).toSorted()
  }

  #settle(): void {
    const said = [...this.#records.values()].flatMap((record) => this.#sayings(record)).toSorted(byRank)
    const groups = Map.groupBy(said, ({ name }) => name)
    const owned = [...groups].filter(([, group]) => group.some(({ owning }) => owning))
    const taken = this.#identify(new Map(owned))
    for (const [name, id] of taken) {
      const before = this.#beings.find((being) => being.id === id)?.name ?? name
      if (before !== name) this.#aliases.set(before, id)
    }
    this.#beings = owned.map(([name, group]) => ({
      id: taken.get(name) ?? ++this.#ids,
      name,
      owners: group.filter(({ owning }) => owning),
    }))
    const stubs = this.#missing(said).map((name) => ({ id: taken.get(name) ?? ++this.#ids, name, owners: [] }))
    this.#beings.push(...stubs)
    for (const { name } of this.#beings) this.#aliases.delete(name)
    const ids = new Map(this.#beings.map(({ id, name }) => [name, id]))
    this.#names = new Map([
      ...owned.map(([name, group]): [string, Expected] => [
        name,
        { id: ids.get(name) ?? 0, ...merged(group, this.#united) },
      ]),
      ...stubs.map(({ id, name }): [string, Expected] => [name, { id, stub: true, ...bare(name) }]),
    ])
  }

  /** Names that relations lead to and that nothing goes by, now or before. */
  #missing(said: readonly Saying[]): readonly string[] {
    const wanted = said.flatMap(({ source, draft }) =>
      Object.entries(draft.relations).flatMap(([relation, led]) => {
        const target = this.#targets[draft.blueprint]?.[relation]
        const names = typeof led === 'string' ? [led] : Array.isArray(led) ? led : []
        return target === undefined || !this.#making.has(source) ? [] : names.map((each) => `${target}:${each}`)
      }),
    )
    const alive = new Set(this.#beings.map(({ id }) => id))
    const taken = new Set(this.#beings.map(({ name }) => name))
    return [...new Set(wanted)].filter((name) => !taken.has(name) && !alive.has(this.#aliases.get(name) ?? 0))
  }

  /** Who goes by which name now: an entity stays while one of its owners says its name, and else goes where they go. */
  #identify(groups: ReadonlyMap<string, readonly Saying[]>): ReadonlyMap<string, number> {
    const taken = new Map<string, number>()
    const beings = this.#beings.toSorted((a, b) => a.id - b.id)
    const staying = beings.filter(({ name, owners }) =>
      groups.get(name)?.some((each) => each.owning && owners.some(({ record }) => record === each.record)),
    )
    for (const { name, id } of staying) taken.set(name, id)
    const now = new Map([...groups.values()].flat().map((each) => [each.part, each.name]))
    for (const { id, name, owners } of beings.filter((being) => !staying.includes(being))) {
      const goes = owners.map(({ part }) => now.get(part)).find((to) => to !== undefined && isFree(to, name, taken))
      if (goes !== undefined) taken.set(goes, id)
    }
    for (const { name, id, owners } of beings) if (owners.length === 0 && !taken.has(name)) taken.set(name, id)
    return taken
  }

  #sayings({ source, kind, key, version, body }: Observed): Saying[] {
    const outputs = this.#mappings.get(source)?.apply(kind, body, { now: 0 }) ?? []
    const first = String(this.#precedence.indexOf(source)).padStart(3, '0')
    return outputs.flatMap((output) => {
      if (output.state !== 'selected') return []
      return output.drafts.map(({ item, draft, owning }) => ({
        part: `${source} ${kind} ${key} ${output.mapping} ${item}`,
        record: `${source} ${kind} ${key}`,
        source,
        name: `${draft.blueprint}:${draft.identifier}`,
        owning,
        draft,
        rank: [first, newestFirst(version), key, source, kind, output.mapping, item],
      }))
    })
  }
}

function bare(name: string): Omit<Expected, 'id'> {
  return { title: name.slice(name.indexOf(':') + 1), team: [], properties: {}, relations: {} }
}

function recordOf({ source, kind, key }: Pick<Observed, 'source' | 'kind' | 'key'>): string {
  return `${source} ${kind} ${key}`
}

function isFree(to: string, from: string, taken: ReadonlyMap<string, number>): boolean {
  return !taken.has(to) && to.split(':')[0] === from.split(':')[0]
}

/** Of versions of three digits; none comes last. */
function newestFirst(version: string | undefined): string {
  return version === undefined ? '~' : String(999 - Number(version)).padStart(3, '0')
}

function byRank(left: Saying, right: Saying): number {
  const at = left.rank.findIndex((part, index) => part !== right.rank[index])
  return at < 0 ? 0 : (left.rank[at] ?? '') < (right.rank[at] ?? '') ? -1 : 1
}

/** Field by field the first that says something. */
function merged(group: readonly Saying[], united: readonly string[]): Omit<Expected, 'id'> {
  const drafts = group.map(({ draft }) => draft)
  return {
    title: drafts.find(({ title }) => title !== null)?.title ?? null,
    team: drafts.find(({ team }) => team.length > 0)?.team ?? [],
    properties: firstOf(
      drafts.map(({ properties }) => properties),
      united,
    ),
    relations: firstOf(
      drafts.map(({ relations }) => relations),
      united,
    ),
  }
}

function firstOf<T>(
  said: readonly Readonly<Record<string, T>>[],
  united: readonly string[],
): Readonly<Record<string, T>> {
  const fields = said.toReversed().flatMap((each) => Object.entries(each).filter(([, value]) => value !== null))
  const all = (name: string): T => {
    const lists = said.flatMap((each) => (Object.hasOwn(each, name) && Array.isArray(each[name]) ? each[name] : []))
    // Of texts alone.
    return [...new Set(lists)] as T
  }
  return Object.fromEntries(fields.map(([name, value]) => [name, united.includes(name) ? all(name) : value]))
}

function matches(entity: Expected, { combinator, rules }: SearchQuery): boolean {
  const holds = (rule: SearchQuery['rules'][number]): boolean => {
    if ('rules' in rule) return matches(entity, rule)
    const value = rule.property === '$title' ? entity.title : (entity.properties[rule.property] ?? null)
    if (value === null || rule.value === null) return false
    if (rule.operator === '=') return value === rule.value
    return typeof value === 'string' && typeof rule.value === 'string' && value.startsWith(rule.value)
  }
  return combinator === 'and' ? rules.every(holds) : rules.some(holds)
}
