import type { Relation, SearchQuery } from '../model/entity.ts'
import { isObject, type Json } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import type { Expectation } from './expectation.ts'
import { type Expression, evaluate, Failure, failure, show } from './expression.ts'
import type { RunContext } from './jq/index.ts'
import type { EntityBlock, NamedTemplate, Template } from './parsed.ts'
import { evaluateRelation, evaluateTemplate, hasType, isList, type PropertyType, wholeText } from './values.ts'

/**
 * The fields that may fail one by one: what fails is pushed to `failed` and is absent, the rest of the entity stands.
 */
export function titleOf(
  title: Expression | undefined,
  input: Json,
  context: RunContext,
  failed: Problem[],
): string | null {
  if (title === undefined) return null
  const value = evaluate(title, input, context)
  if (value === null || typeof value === 'string') return value
  if (typeof value === 'number') return wholeText(title, value, context)
  if (typeof value === 'boolean') return String(value)
  const wrong =
    value instanceof Failure ? value : failure(title, 'type_mismatch', `a title is a text, not ${show(value)}`)
  failed.push(wrong.problem)
  return null
}

export function teamOf(
  team: Template,
  input: Json,
  context: RunContext,
  failed: Problem[],
): readonly string[] | SearchQuery {
  const value = evaluateRelation(team, input, context)
  if (value instanceof Failure) failed.push(value.problem)
  if (value === null || value instanceof Failure) return []
  return typeof value === 'string' ? [value] : value
}

export function propertiesOf(
  block: EntityBlock,
  expected: Expectation,
  input: Json,
  context: RunContext,
  failed: Problem[],
): Readonly<Record<string, Json>> {
  const { spread } = block
  const all: Record<string, Json> = {}
  if (spread !== undefined) {
    for (const [name, value] of Object.entries(spreadOf(spread, input, context, failed))) put(all, name, value)
  }
  const before = failed.length
  const values: (Json | undefined)[] = []
  for (let index = 0; index < block.properties.length; index++) {
    const property = block.properties[index]
    if (property === undefined) continue
    values.push(propertyOf(property, expected.types[index], input, context, failed))
  }
  // Nearly always; where nothing failed there is a value for each.
  if (spread === undefined && failed.length === before) return block.together(values as Json[])
  for (const [index, { name }] of block.properties.entries()) {
    const value = values[index]
    // What a spread said does not stand in for an expression that failed: the last good value does.
    if (value === undefined) delete all[name]
    else put(all, name, value)
  }
  if (spread !== undefined) dropWrongTypes(block, spread, expected, all, failed)
  return all
}

/** Undefined where it failed. */
function propertyOf(
  property: NamedTemplate,
  type: PropertyType | undefined,
  input: Json,
  context: RunContext,
  failed: Problem[],
): Json | undefined {
  const value = evaluateTemplate(property.template, input, context)
  if (value instanceof Failure) failed.push(value.problem)
  else if (value === null || type === undefined || hasType(value, type)) return value
  else failed.push(wrongType(property, `blueprint declares ${type}, the expression gave ${show(value)}`))
  return undefined
}

function spreadOf(
  spread: Expression,
  input: Json,
  context: RunContext,
  failed: Problem[],
): Readonly<Record<string, Json>> {
  const value = evaluate(spread, input, context)
  if (value === null) return {}
  if (!(value instanceof Failure) && isObject(value)) return value
  const wrong =
    value instanceof Failure ? value : failure(spread, 'type_mismatch', `"*" spreads an object, not ${show(value)}`)
  failed.push(wrong.problem)
  return {}
}

/** Types of what came out of a spread. */
function dropWrongTypes(
  block: EntityBlock,
  spread: Expression,
  expected: Expectation,
  properties: Record<string, Json>,
  failed: Problem[],
): void {
  const explicit = new Set(block.properties.map(({ name }) => name))
  for (const [name, value] of Object.entries(properties)) {
    const type = expected.typeOf(name)
    if (explicit.has(name) || value === null || type === undefined || hasType(value, type)) continue
    delete properties[name]
    const { problem } = failure(
      spread,
      'type_mismatch',
      `blueprint declares ${type}, the expression gave ${show(value)}`,
    )
    failed.push({ ...problem, field: `properties.${name}` })
  }
}

export function relationsOf(
  block: EntityBlock,
  expected: Expectation,
  input: Json,
  context: RunContext,
  failed: Problem[],
): Readonly<Record<string, Relation>> {
  const relations: Record<string, Relation> = {}
  for (let index = 0; index < block.relations.length; index++) {
    const relation = block.relations[index]
    if (relation === undefined) continue
    const value = evaluateRelation(relation.template, input, context)
    if (value instanceof Failure) failed.push(value.problem)
    else if (!isList(value) || expected.many[index] !== false) put(relations, relation.name, value)
    else if (value.length <= 1) put(relations, relation.name, value[0] ?? null)
    else {
      const message = `the relation points at one entity, the expression gave ${value.length}`
      failed.push(wrongType(relation, message))
    }
  }
  return relations
}

function wrongType(named: NamedTemplate, message: string): Problem {
  return { ...named.place, code: 'type_mismatch', message }
}

/** Assign, also to the one name that assignment would take for the prototype. */
function put<T>(target: Record<string, T>, name: string, value: T): void {
  if (name === '__proto__')
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
  else target[name] = value
}
