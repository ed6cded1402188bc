import { type EntityDraft, type Relation, TEAM } from '../model/entity.ts'
import { isObject, type Json } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'

/** What an entity or one contribution says, beside its name. Normal: no field is null or absent-but-named, all text can be stored. */
export interface Document {
  readonly title: string | null
  readonly team: readonly string[]
  readonly properties: Readonly<Record<string, Json>>
  readonly relations: Readonly<Record<string, Relation>>
  readonly failed: readonly Problem[]
}

/** What readers of the feed and of history get of an entity. `stub`: relations lead to it, and nothing owns it. */
export type Told = Document & { readonly stub?: true }

export const emptyDocument: Document = { title: null, team: [], properties: {}, relations: {}, failed: [] }

/** A null means the same as absent: the next contribution's value shows. So it need not be stored. */
export function documentOf(draft: EntityDraft): Document {
  return {
    title: draft.title === null ? null : storable(draft.title),
    team: draft.team.map(storable),
    properties: fields(draft.properties),
    relations: fields(
      draft.teamQuery === undefined ? draft.relations : { ...draft.relations, [TEAM]: draft.teamQuery },
    ),
    failed: draft.failed.length === 0 ? draft.failed : clean(draft.failed),
  }
}

function fields<T extends Json | Relation>(from: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  let nulls = false
  for (const name in from) if (from[name] === null || from[name] === undefined) nulls = true
  // Built from entries, because a property may be called __proto__.
  const said = nulls ? Object.fromEntries(Object.entries(from).filter(([, value]) => (value ?? null) !== null)) : from
  return clean(said)
}

/**
 * PostgreSQL's text and jsonb hold neither NUL nor half of a surrogate pair, so U+FFFD stands for them in entities, names
 * and keys. The record's body keeps the exact text.
 */
export function storable(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed()
  return whole.includes('\0') ? whole.replaceAll('\0', '\uFFFD') : whole
}

function clean<T>(value: T): T {
  if (isStorable(value)) return value
  // The same shape with other characters in its strings.
  return cleanDeep(JSON.parse(JSON.stringify(value))) as T
}

function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0')
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isStorable)
  // An object that is no list. Of every value of every entity that is written, so without lists of its members.
  const members = value as Readonly<Record<string, unknown>>
  for (const name in members) if (!isStorable(name) || !isStorable(members[name])) return false
  return true
}

function cleanDeep(value: Json): Json {
  if (typeof value === 'string') return storable(value)
  if (Array.isArray(value)) return value.map(cleanDeep)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [storable(name), cleanDeep(each)]))
}

/** JSON text that jsonb accepts. */
export function storableJson(value: unknown): string {
  return JSON.stringify(clean(value))
}

/** Equal as JSON: the order of an object's members says nothing. */
export function same(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left)) {
    return Array.isArray(right) && left.length === right.length && left.every((each, index) => same(each, right[index]))
  }
  if (Array.isArray(right)) return false
  const names = Object.keys(left)
  if (names.length !== Object.keys(right).length) return false
  // Both are objects that are no lists; what they have not themselves is not asked for.
  const [a, b] = [left as Readonly<Record<string, unknown>>, right as Readonly<Record<string, unknown>>]
  return names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]))
}

export type Patch = Readonly<Record<string, readonly [before: Json, after: Json]>>

/** Field by field; undefined when nothing differs. Fields: `stub`, `title`, `team`, `failed`, `properties.NAME`, `relations.NAME`. */
export function difference(before: Told, after: Told): Patch | undefined {
  const patch: [string, readonly [Json, Json]][] = []
  const compare = (left: unknown, right: unknown, field: string, name?: string): void => {
    if (same(left, right)) return
    // Both come from or go to jsonb, so they are JSON.
    const values = [(left ?? null) as Json, (right ?? null) as Json] as const
    patch.push([name === undefined ? field : `${field}.${name}`, values])
  }
  compare(before.stub === true, after.stub === true, 'stub')
  compare(before.title, after.title, 'title')
  compare(before.team, after.team, 'team')
  compare(before.failed, after.failed, 'failed')
  for (const part of ['properties', 'relations'] as const) {
    const [left, right] = [before[part], after[part]]
    for (const name of Object.keys(left)) compare(left[name], own(right, name), part, name)
    for (const name of Object.keys(right)) if (!Object.hasOwn(left, name)) compare(undefined, right[name], part, name)
  }
  return patch.length === 0 ? undefined : Object.fromEntries(patch)
}

function own(from: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(from, name) ? from[name] : undefined
}
