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

/**
 * What an entity says, from what its contributions say, in any order. Field by field the first value in rank order wins; a
 * field that a contribution does not have falls through to the next. The mark of a failed expression goes with the value
 * it kept; a field that nobody has a value for keeps the first mark.
 */
export function merge(contributions: readonly Ranked[]): Document {
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
      if (properties.has(name)) continue
      properties.set(name, value)
      claim(`properties.${name}`, document)
    }
    for (const [name, value] of Object.entries(document.relations)) {
      if (name === TEAM || relations.has(name)) continue
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
