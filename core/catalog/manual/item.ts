import type { Relation } from '../../model/entity.ts'
import { isObject, type Json, type JsonObject } from '../../model/json.ts'
import { same } from '../document.ts'

/** What somebody writes about one entity. What is absent stays as it was; null takes away what was written before. */
export interface ManualItem {
  readonly blueprint: string
  readonly identifier: string
  readonly title?: string | null
  readonly team?: string | readonly string[] | null
  readonly properties?: JsonObject
  readonly relations?: Readonly<Record<string, Relation>>
}

/** All that is written about an entity: the body of its record. */
export interface Written {
  readonly title: string | null
  readonly team: readonly string[]
  readonly properties: JsonObject
  readonly relations: Readonly<Record<string, Relation>>
}

export const nothingWritten: Written = { title: null, team: [], properties: {}, relations: {} }

/** `replace`: the item is all that is written from now on. */
export function writeOver(before: Written, item: ManualItem, replace: boolean): Written {
  const base = replace ? nothingWritten : before
  return {
    title: item.title === undefined ? base.title : item.title,
    team: item.team === undefined ? base.team : typeof item.team === 'string' ? [item.team] : (item.team ?? []),
    properties: over(base.properties, item.properties),
    relations: over(base.relations, item.relations),
  }
}

function over<T extends Json | Relation>(
  before: Readonly<Record<string, T>>,
  said: Readonly<Record<string, T>> = {},
): Readonly<Record<string, T>> {
  const fields = new Map([...Object.entries(before), ...Object.entries(said)])
  // From entries, because a property may be called __proto__.
  return Object.fromEntries([...fields].filter(([, value]) => value !== null))
}

export function isNothing(written: Written): boolean {
  return same(written, nothingWritten)
}

/** Of a stored body; this module wrote it. */
export function writtenIn(body: string): Written {
  const stored: unknown = JSON.parse(body)
  if (!isObject(stored as Json)) return nothingWritten
  return { ...nothingWritten, ...(stored as Partial<Written>) }
}
