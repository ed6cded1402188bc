import { type Relation, TEAM } from '../model/entity.ts'
import type { Json } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import { type Document, same } from './document.ts'

/** Decides between contributions. Never the time of arrival: a rescan must not change winners. */
export interface Rank {
  /** Of the source, as configured; smaller wins. */
  readonly precedence: number
  /** Of the record; the newest wins, none comes last. */
  readonly version: string | null
  readonly key: string
  /** Only so that the order is total: two sources may have the same precedence and key. */
  readonly source: string
  readonly kind: string
  readonly mapping: string
  readonly item: string
}

export interface Ranked {
  readonly rank: Rank
  readonly document: Document
}

export function byRank(left: Ranked, right: Ranked): number {
  const [a, b] = [left.rank, right.rank]
  return (
    a.precedence - b.precedence ||
    byText(b.version ?? '', a.version ?? '') ||
    byText(a.key, b.key) ||
    byText(a.source, b.source) ||
    byText(a.kind, b.kind) ||
    byText(a.mapping, b.mapping) ||
    byText(a.item, b.item)
  )
}

function byText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

const none: ReadonlySet<string> = new Set()

/**
 * What an entity says, from what its contributions say, in any order. Field by field the first value in rank order wins; a
 * field that a contribution does not have falls through to the next. The mark of a failed expression goes with the value
 * it kept; a field that nobody has a value for keeps the first mark. Lists of a field in `united` are put together, each
 * value once.
 */
export function merge(contributions: readonly Ranked[], united: ReadonlySet<string> = none): Document {
  const [first, ...others] = contributions
  if (first !== undefined && others.every(({ document }) => same(document, first.document))) return first.document
  const ranked = contributions.toSorted(byRank).map(({ document }) => document)

  const marks = new Map<string, Problem[]>()
  const unclaimed = new Map<string, Problem[]>()
  const claim = (field: string, { failed }: Document): void => {
    marks.set(
      field,
      failed.filter((problem) => problem.field === field),
    )
  }
  let title: string | null = null
  let team: readonly string[] = []
  const properties = new Map<string, Json>()
  const relations = new Map<string, Relation>()
  for (const document of ranked) {
    if (title === null && document.title !== null) {
      title = document.title
      claim('title', document)
    }
    const byQuery = Object.hasOwn(document.relations, TEAM) ? document.relations[TEAM] : undefined
    if (team.length === 0 && !relations.has(TEAM) && (document.team.length > 0 || byQuery !== undefined)) {
      team = document.team
      if (byQuery !== undefined) relations.set(TEAM, byQuery)
      claim('team', document)
    }
    for (const [name, value] of Object.entries(document.properties)) {
      const before = properties.get(name)
      if (before !== undefined) {
        if (united.has(`properties.${name}`)) properties.set(name, together(before, value))
        continue
      }
      properties.set(name, value)
      claim(`properties.${name}`, document)
    }
    for (const [name, value] of Object.entries(document.relations)) {
      if (name === TEAM) continue
      const before = relations.get(name)
      if (before !== undefined) {
        // Relations are JSON as they were said.
        if (united.has(`relations.${name}`)) relations.set(name, together(before as Json, value as Json) as Relation)
        continue
      }
      relations.set(name, value)
      claim(`relations.${name}`, document)
    }
    for (const [field, problems] of Map.groupBy(document.failed, (problem) => problem.field)) {
      if (!unclaimed.has(field)) unclaimed.set(field, problems)
    }
  }
  const fields = [...new Set([...marks.keys(), ...unclaimed.keys()])].toSorted(byText)
  return {
    title,
    team,
    properties: Object.fromEntries(properties),
    relations: Object.fromEntries(relations),
    failed: fields.flatMap((field) => marks.get(field) ?? unclaimed.get(field) ?? []),
  }
}

/** What is no list (one target, say) stands for a list of itself; an object (a search query) stays alone. */
function together(first: Json, next: Json): Json {
  const [left, right] = [listOf(first), listOf(next)]
  if (left === undefined || right === undefined) return first
  return [...left, ...right.filter((value) => !left.some((known) => same(known, value)))]
}

function listOf(value: Json): readonly Json[] | undefined {
  if (Array.isArray(value)) return value
  return value === null || typeof value === 'object' ? undefined : [value]
}
