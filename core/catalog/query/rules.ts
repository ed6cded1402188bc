import type { SearchQuery } from '../../model/entity.ts'
import type { Json } from '../../model/json.ts'
import { CatchmentError } from '../../sdk/index.ts'
import type { Parameters } from './sql.ts'

export const operators = [
  '=',
  '!=',
  '>',
  '>=',
  '<',
  '<=',
  'contains',
  'doesNotContain',
  'beginsWith',
  'in',
  'isEmpty',
  'isNotEmpty',
] as const

type Operator = (typeof operators)[number]

const nesting = 8
const length = 100

/**
 * A search query as a condition over `entities e`. Its language is that of search relations in mapping files: a
 * `property` is the name of one, or `$identifier`, `$title`, `$blueprint`, `$team`, `$stub`, `$createdAt`, `$updatedAt`, or
 * `relations.NAME` (compared with the target's identifier). Throws `query_invalid`.
 */
export function condition(query: SearchQuery, parameters: Parameters): string {
  let rules = 0
  const compile = (part: SearchQuery, depth: number): string => {
    if (depth > nesting) throw invalid(`The query is nested deeper than ${nesting}.`)
    const parts = part.rules.map((rule) => {
      if ('rules' in rule) return compile(rule, depth + 1)
      rules += 1
      if (rules > length) throw invalid(`The query has more than ${length} rules.`)
      return comparison(rule.property, operator(rule.operator), rule.value, parameters)
    })
    if (parts.length === 0) return 'true'
    return `(${parts.join(part.combinator === 'and' ? ' AND ' : ' OR ')})`
  }
  return compile(query, 1)
}

function operator(text: string): Operator {
  const known = operators.find((name) => name === text)
  if (known === undefined) throw invalid(`There is no operator "${text}".`, `Operators: ${operators.join(' ')}`)
  return known
}

function invalid(message: string, hint?: string): CatchmentError {
  return new CatchmentError(message, { code: 'query_invalid', status: 400, ...(hint === undefined ? {} : { hint }) })
}

const times: Readonly<Record<string, string>> = { $createdAt: 'e.created_at', $updatedAt: 'e.updated_at' }
const columns: Readonly<Record<string, string>> = {
  $identifier: 'to_jsonb(e.identifier)',
  $title: 'to_jsonb(e.title)',
  $blueprint: 'to_jsonb(e.blueprint)',
  $team: 'to_jsonb(e.team)',
  $stub: 'to_jsonb(e.anchor IS NULL)',
}

function comparison(property: string, operator: Operator, value: Json, parameters: Parameters): string {
  const time = times[property]
  if (time !== undefined) return compareTime(time, operator, value, parameters)
  if (property.startsWith('relations.')) return compareRelation(property.slice(10), operator, value, parameters)
  const column = columns[property]
  if (column === undefined && property.startsWith('$')) {
    const known = [...Object.keys(columns), ...Object.keys(times)].join(' ')
    throw invalid(`There is no field "${property}".`, `Fields: ${known}; properties go by their own name.`)
  }
  // Containment is the one comparison of properties that an index answers.
  if (column === undefined && operator === '=' && (typeof value !== 'object' || value === null) && value !== null) {
    return `e.properties @> ${parameters.add(JSON.stringify({ [property]: value }))}::jsonb`
  }
  const field = column ?? `(e.properties -> ${parameters.add(property)}::text)`
  return compareJson(field, operator, value, parameters)
}

function compareJson(field: string, operator: Operator, value: Json, parameters: Parameters): string {
  const json = (part: Json): string => `${parameters.add(JSON.stringify(part))}::jsonb`
  const text = `(${field} #>> '{}')`
  const empty = `(${field} IS NULL OR ${field} IN ('null'::jsonb, '""'::jsonb, '[]'::jsonb, '{}'::jsonb))`
  switch (operator) {
    case '=':
      return value === null ? `coalesce(${field}, 'null') = 'null'::jsonb` : `${field} = ${json(value)}`
    case '!=':
      return `coalesce(${field}, 'null') <> ${json(value)}`
    case '>':
    case '>=':
    case '<':
    case '<=': {
      const side = json(value)
      // Only values of one type compare: jsonb orders the types among themselves, which answers no question of a person.
      return `(jsonb_typeof(${field}) = jsonb_typeof(${side}) AND ${field} ${operator} ${side})`
    }
    case 'contains':
      return contains(field, text, value, parameters)
    case 'doesNotContain':
      return `NOT coalesce(${contains(field, text, value, parameters)}, false)`
    case 'beginsWith':
      return `starts_with(${text}, ${parameters.add(wantText(operator, value))}::text)`
    case 'in':
      if (!Array.isArray(value)) throw invalid('The operator "in" wants a list of values.')
      return `${field} = ANY(${parameters.add(value.map((part) => JSON.stringify(part)))}::text[]::jsonb[])`
    case 'isEmpty':
      return empty
    case 'isNotEmpty':
      return `NOT ${empty}`
  }
}

/** A list that has the value, or a text that has it somewhere, in any case. */
function contains(field: string, text: string, value: Json, parameters: Parameters): string {
  const member = `(jsonb_typeof(${field}) = 'array' AND ${field} @> ${parameters.add(JSON.stringify([value]))}::jsonb)`
  if (typeof value !== 'string') return member
  return `(${member} OR (jsonb_typeof(${field}) = 'string' AND position(lower(${parameters.add(value)}::text) IN lower(${text})) > 0))`
}

function compareTime(column: string, operator: Operator, value: Json, parameters: Parameters): string {
  if (!['=', '!=', '>', '>=', '<', '<='].includes(operator)) throw invalid(`Times do not know "${operator}".`)
  const text = wantText(operator, value)
  if (Number.isNaN(Date.parse(text))) {
    throw invalid(`"${text}" is not a time.`, 'Write it as in ISO 8601: 2026-11-28T09:30:00Z')
  }
  return `${column} ${operator === '!=' ? '<>' : operator} ${parameters.add(new Date(text))}::timestamptz`
}

function compareRelation(relation: string, operator: Operator, value: Json, parameters: Parameters): string {
  const name = parameters.add(relation)
  const found = 'FROM searches s JOIN entities t ON t.id = ANY (s.found) WHERE s.id = r.search'
  const targets = (text?: string): string => {
    const said = text === undefined ? '' : ` AND r.identifier = ${parameters.add(text)}`
    const searched = text === undefined ? '' : ` AND t.identifier = ${parameters.add(text)}`
    return `EXISTS (SELECT FROM refs r WHERE r.entity_id = e.id AND r.relation = ${name}
      AND (r.search IS NULL${said} OR EXISTS (SELECT ${found}${searched})))`
  }
  switch (operator) {
    case '=':
    case 'contains':
      return targets(wantText(operator, value))
    case '!=':
    case 'doesNotContain':
      return `NOT ${targets(wantText(operator, value))}`
    case 'isEmpty':
      return `NOT ${targets()}`
    case 'isNotEmpty':
      return targets()
    case '>':
    case '>=':
    case '<':
    case '<=':
    case 'beginsWith':
    case 'in':
      throw invalid(
        `Relations do not know "${operator}".`,
        'They know = != contains doesNotContain isEmpty isNotEmpty.',
      )
  }
}

function wantText(operator: string, value: Json): string {
  if (typeof value !== 'string') throw invalid(`The operator "${operator}" wants a text here.`)
  return value
}
