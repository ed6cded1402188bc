import type { PropertySchema } from '../model/blueprint.ts'
import type { Relation, SearchQuery } from '../model/entity.ts'
import { isObject, type Json } from '../model/json.ts'
import { digits } from './digits.ts'
import { type Expression, evaluate, exactly, Failure, failure, show } from './expression.ts'
import type { RunContext } from './jq/index.ts'
import { isArray, isNumber, type Value } from './jq/value.ts'
import { numberText } from './number-text.ts'
import type { QueryTemplate, RuleTemplate, Template } from './parsed.ts'

export type PropertyType = NonNullable<PropertySchema['type']>

/** The same for what an expression gave, with all digits that the record has. */
export function wholeText(expression: Expression, value: number, context: RunContext): string {
  const exact = exactly(expression, value, context)
  return numberText(isNumber(exact) ? exact : value)
}

export function hasType(value: Json, type: PropertyType): boolean {
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return typeof value === 'object' && !Array.isArray(value)
  return typeof value === type
}

/** What a property is: one value, or a list or object of values. One failure fails the whole. */
export function evaluateTemplate(template: Template, input: Json, context: RunContext): Json | Failure {
  if (template.kind === 'expression') return evaluate(template, input, context)
  switch (template.kind) {
    case 'list': {
      const values: Json[] = []
      for (const item of template.items) {
        const value = evaluateTemplate(item, input, context)
        if (value instanceof Failure) return value
        values.push(value)
      }
      return values
    }
    case 'object': {
      const entries: [string, Json][] = []
      for (const { name, template: inner } of template.entries) {
        const value = evaluateTemplate(inner, input, context)
        if (value instanceof Failure) return value
        entries.push([name, value])
      }
      return Object.fromEntries(entries)
    }
    case 'query': {
      const query = evaluateQuery(template, input, context)
      // A SearchQuery is JSON; an interface lacks the index signature that would show it.
      return query instanceof Failure ? query : (query as unknown as Json)
    }
  }
}

/** Evaluates every leaf of a search query. */
export function evaluateQuery(template: QueryTemplate, input: Json, context: RunContext): SearchQuery | Failure {
  const combinator = evaluate(template.combinator, input, context)
  if (combinator instanceof Failure) return combinator
  if (combinator !== 'and' && combinator !== 'or') {
    return failure(template.combinator, 'type_mismatch', `a combinator is "and" or "or", not ${show(combinator)}`)
  }
  const rules: SearchQuery['rules'][number][] = []
  for (const rule of template.rules) {
    const value = rule.kind === 'query' ? evaluateQuery(rule, input, context) : evaluateRule(rule, input, context)
    if (value instanceof Failure) return value
    rules.push(value)
  }
  return { combinator, rules }
}

function evaluateRule(rule: RuleTemplate, input: Json, context: RunContext): SearchQuery['rules'][number] | Failure {
  const property = evaluateWord(rule.property, input, context)
  if (property instanceof Failure) return property
  const operator = evaluateWord(rule.operator, input, context)
  if (operator instanceof Failure) return operator
  const value = evaluateTemplate(rule.value, input, context)
  if (value instanceof Failure) return value
  return digits({ property, operator, value }, () => exactTemplate(rule.value, value, context))
}

/** The value of a template again, with all digits that the record has. */
function exactTemplate(template: Template, value: Json, context: RunContext): Value {
  if (template.kind === 'expression') return exactly(template, value, context)
  if (template.kind !== 'list' || !Array.isArray(value)) return value
  return template.items.map((item, index) => exactTemplate(item, value[index] ?? null, context))
}

function evaluateWord(expression: Expression, input: Json, context: RunContext): string | Failure {
  const value = evaluate(expression, input, context)
  if (value instanceof Failure || (typeof value === 'string' && value !== '')) return value
  return failure(expression, 'type_mismatch', `a rule needs a name here, not ${show(value)}`)
}

/**
 * Identifiers in a value: one, a list, or null for none. Numbers become text, and null or empty members of a list are
 * left out: they name nothing.
 */
function identifiers(expression: Expression, value: Value): string | readonly string[] | null | Failure {
  if (typeof value === 'string') return value === '' ? null : value
  if (value === null) return null
  if (isNumber(value)) return numberText(value)
  if (!isArray(value)) return failure(expression, 'type_mismatch', `identifiers are text, not ${show(value)}`)
  const texts: string[] = []
  for (const member of value) {
    if (typeof member === 'string') {
      if (member !== '') texts.push(member)
    } else if (isNumber(member)) texts.push(numberText(member))
    else if (member !== null) {
      return failure(expression, 'type_mismatch', `a list of identifiers holds text, not ${show(member)}`)
    }
  }
  return texts
}

/** A search query that an expression built as a whole. */
export function isSearchQuery(value: Json): value is Json & SearchQuery {
  if (!isObject(value) || !Array.isArray(value['rules'])) return false
  if (value['combinator'] !== 'and' && value['combinator'] !== 'or') return false
  return value['rules'].every(
    (rule: Json) =>
      isSearchQuery(rule) ||
      (isObject(rule) &&
        typeof rule['property'] === 'string' &&
        typeof rule['operator'] === 'string' &&
        'value' in rule),
  )
}

/** Targets of a relation. A list of several templates is one list; queries in it are joined with "or". */
export function evaluateRelation(template: Template, input: Json, context: RunContext): Relation | Failure {
  if (template.kind === 'expression') {
    const value = evaluate(template, input, context)
    if (value instanceof Failure) return value
    return isSearchQuery(value) ? value : identifiers(template, exactly(template, value, context))
  }
  if (template.kind === 'query') return evaluateQuery(template, input, context)
  if (template.kind === 'object') return null
  const texts: string[] = []
  const queries: SearchQuery[] = []
  for (const item of template.items) {
    const value = evaluateRelation(item, input, context)
    if (value instanceof Failure) return value
    if (typeof value === 'string') texts.push(value)
    else if (isList(value)) texts.push(...value)
    else if (value !== null) queries.push(value)
  }
  if (queries.length === 0) return texts
  const named = texts.length === 0 ? [] : [{ property: '$identifier', operator: 'in', value: texts }]
  return { combinator: 'or', rules: [...queries, ...named] }
}

export function isList(value: Relation): value is readonly string[] {
  return Array.isArray(value)
}
