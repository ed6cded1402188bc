import { isSearchQuery } from '../../mapping/values.ts'
import type { Blueprint, PropertySchema } from '../../model/blueprint.ts'
import type { Relation } from '../../model/entity.ts'
import type { Json } from '../../model/json.ts'
import { same } from '../document.ts'
import type { ManualItem, Written } from './item.ts'

/** What is wrong with an item, for whoever wrote it. */
export interface ItemError {
  readonly code: string
  /** `title`, `properties.NAME`, `relations.NAME`; absent: the item as a whole. */
  readonly field?: string
  readonly detail: string
  readonly hint?: string
}

/** Everything that the blueprint does not allow. Nulls are always allowed: they take away. */
export function checkItem(item: ManualItem, blueprint: Blueprint): readonly ItemError[] {
  const properties = Object.entries(item.properties ?? {}).flatMap(([name, value]) =>
    value === null ? [] : checkProperty(name, value, blueprint),
  )
  const relations = Object.entries(item.relations ?? {}).flatMap(([name, value]) =>
    value === null ? [] : checkRelation(name, value, blueprint),
  )
  return [...properties, ...relations]
}

/** An entity that exists because it was written needs what the blueprint requires. */
export function checkRequired(written: Written, blueprint: Blueprint): readonly ItemError[] {
  const missing = (blueprint.schema.required ?? []).filter((name) => !Object.hasOwn(written.properties, name))
  const pointless = Object.entries(blueprint.relations ?? {}).filter(
    ([name, { required }]) => required === true && !Object.hasOwn(written.relations, name),
  )
  return [...missing.map((name) => `properties.${name}`), ...pointless.map(([name]) => `relations.${name}`)].map(
    (field) => ({
      code: 'field_required',
      field,
      detail: `The blueprint ${blueprint.identifier} requires ${field}.`,
      hint: 'Write it with the entity.',
    }),
  )
}

function checkProperty(name: string, value: Json, { identifier, schema }: Blueprint): readonly ItemError[] {
  const field = `properties.${name}`
  const property = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
  if (property === undefined) {
    const known = Object.keys(schema.properties).join(', ')
    const detail = `The blueprint ${identifier} has no property "${name}".`
    return [{ code: 'property_unknown', field, detail, hint: `It has: ${known}.` }]
  }
  const wrong = mismatch(value, property)
  return wrong === undefined ? [] : [{ code: 'type_mismatch', field, ...wrong }]
}

function mismatch(
  value: Json,
  { type, enum: allowed }: PropertySchema,
): Pick<ItemError, 'detail' | 'hint'> | undefined {
  const is = Array.isArray(value) ? 'array' : typeof value
  if (type !== undefined && type !== is) {
    return { detail: `It is a property of type ${type}, not ${is}.`, hint: `Write a value of type ${type}.` }
  }
  if (allowed !== undefined && !allowed.some((each) => same(each, value))) {
    const list = allowed.map((each) => JSON.stringify(each)).join(', ')
    return { detail: `${JSON.stringify(value)} is none of its values.`, hint: `Values: ${list}.` }
  }
  return undefined
}

function checkRelation(name: string, value: Relation, { identifier, relations }: Blueprint): readonly ItemError[] {
  const field = `relations.${name}`
  const relation = Object.hasOwn(relations, name) ? relations[name] : undefined
  if (relation === undefined) {
    const known = Object.keys(relations).join(', ')
    const detail = `The blueprint ${identifier} has no relation "${name}".`
    return [{ code: 'relation_unknown', field, detail, hint: known === '' ? 'It has none.' : `It has: ${known}.` }]
  }
  if (Array.isArray(value) && relation.many !== true) {
    const detail = 'The relation points at one entity, not at a list.'
    return [{ code: 'type_mismatch', field, detail, hint: `Write one identifier of ${relation.target}.` }]
  }
  if (isTarget(value)) return []
  const detail = 'A relation is an identifier, a list of them, or a search query.'
  return [{ code: 'type_mismatch', field, detail, hint: `Write identifiers of ${relation.target}.` }]
}

/** Of a value that is JSON and may be anything. */
function isTarget(value: Relation): boolean {
  if (Array.isArray(value)) return value.every((each) => typeof each === 'string' && each !== '')
  return (typeof value === 'string' && value !== '') || isSearchQuery(value as unknown as Json)
}

/** Targets as they are read (`team:payments`) become targets as they are said (`payments`). */
export function withPlainTargets(item: ManualItem, { relations }: Blueprint): ManualItem {
  if (item.relations === undefined) return item
  const plain = (target: string | undefined, value: Relation): Relation => {
    if (Array.isArray(value))
      return value.map((each: Json) => (typeof each === 'string' ? strip(target, each) : each) as string)
    return typeof value === 'string' ? strip(target, value) : value
  }
  const said = Object.entries(item.relations).map(([name, value]) => [
    name,
    plain(Object.hasOwn(relations, name) ? relations[name]?.target : undefined, value),
  ])
  return { ...item, relations: Object.fromEntries(said) }
}

function strip(target: string | undefined, text: string): string {
  return target !== undefined && text.startsWith(`${target}:`) ? text.slice(target.length + 1) : text
}
