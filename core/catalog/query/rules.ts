import type { SearchQuery } from '../../model/entity.ts'
import type { Json } from '../../model/json.ts'
import { endsOf, type Operator, operatorOf, refusalOf } from '../../model/search.ts'
import { CatchmentError } from '../../sdk/index.ts'
import type { Parameters } from './sql.ts'

const nesting = 8
const length = 100
/** Values of one rule. */
const longest = 1000

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
      return comparison(rule, parameters)
    })
    if (parts.length === 0) return 'true'
    return `(${parts.join(part.combinator === 'and' ? ' AND ' : ' OR ')})`
  }
  return compile(query, 1)
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

interface Rule {
  readonly property: string
  readonly operator: string
  readonly value: Json
}

function comparison({ property, operator: said, value }: Rule, parameters: Parameters): string {
  const refused = refusalOf(property, said)
  const operator = operatorOf(said)
  if (refused !== undefined || operator === undefined) throw invalid(refused?.message ?? said, refused?.hint)
  const time = times[property]
  if (time !== undefined) return compareTime(time, operator, value, parameters)
  if (property.startsWith('relations.')) return compareRelation(property.slice(10), operator, value, parameters)
  const column = columns[property]
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
    case '<=':
      return ordered(field, operator, json(value))
    case 'between':
    case 'notBetween': {
      const { from, to } = wantEnds(operator, value)
      const within = `(${ordered(field, '>=', json(from))} AND ${ordered(field, '<=', json(to))})`
      return operator === 'between' ? within : `NOT coalesce(${within}, false)`
    }
    case 'contains':
      return contains(field, text, value, parameters)
    case 'doesNotContain':
      return `NOT coalesce(${contains(field, text, value, parameters)}, false)`
    case 'containsAny': {
      const any = wantList(operator, value).map((part) => contains(field, text, part, parameters))
      return any.length === 0 ? `(${field} IS NULL AND false)` : `(${any.join(' OR ')})`
    }
    case 'beginsWith':
      return `starts_with(${text}, ${parameters.add(wantText(operator, value))}::text)`
    case 'doesNotBeginWith':
      return `NOT coalesce(starts_with(${text}, ${parameters.add(wantText(operator, value))}::text), false)`
    case 'endsWith':
      return endsWith(text, wantText(operator, value), parameters)
    case 'doesNotEndWith':
      return `NOT coalesce(${endsWith(text, wantText(operator, value), parameters)}, false)`
    case 'in':
    case 'notIn': {
      const list = parameters.add(wantList(operator, value).map((part) => JSON.stringify(part)))
      const member = `${field} = ANY(${list}::text[]::jsonb[])`
      return operator === 'in' ? member : `NOT coalesce(${member}, false)`
    }
    case 'isEmpty':
      return empty
    case 'isNotEmpty':
      return `NOT ${empty}`
  }
}

/** Only values of one type compare: jsonb orders the types among themselves, which answers no question of a person. */
function ordered(field: string, operator: '>' | '>=' | '<' | '<=', side: string): string {
  return `(jsonb_typeof(${field}) = jsonb_typeof(${side}) AND ${field} ${operator} ${side})`
}

function endsWith(text: string, end: string, parameters: Parameters): string {
  const value = `${parameters.add(end)}::text`
  return `right(${text}, length(${value})) = ${value}`
}

/** A list that has the value, or a text that has it somewhere, in any case. */
function contains(field: string, text: string, value: Json, parameters: Parameters): string {
  const member = `(jsonb_typeof(${field}) = 'array' AND ${field} @> ${parameters.add(JSON.stringify([value]))}::jsonb)`
  if (typeof value !== 'string') return member
  return `(${member} OR (jsonb_typeof(${field}) = 'string' AND position(lower(${parameters.add(value)}::text) IN lower(${text})) > 0))`
}

function compareTime(column: string, operator: Operator, value: Json, parameters: Parameters): string {
  if (operator === 'between' || operator === 'notBetween') {
    const { from, to } = wantEnds(operator, value)
    const within = `${column} BETWEEN ${wantTime(operator, from, parameters)} AND ${wantTime(operator, to, parameters)}`
    return operator === 'between' ? `(${within})` : `NOT (${within})`
  }
  return `${column} ${operator === '!=' ? '<>' : operator} ${wantTime(operator, value, parameters)}`
}

function wantTime(operator: string, value: Json, parameters: Parameters): string {
  const text = wantText(operator, value)
  if (Number.isNaN(Date.parse(text))) {
    throw invalid(`"${text}" is not a time.`, 'Write it as in ISO 8601: 2026-11-28T09:30:00Z')
  }
  return `${parameters.add(new Date(text))}::timestamptz`
}

function compareRelation(relation: string, operator: Operator, value: Json, parameters: Parameters): string {
  const name = parameters.add(relation)
  const found = 'FROM searches s JOIN entities t ON t.id = ANY (s.found) WHERE s.id = r.search'
  const targets = (texts?: readonly string[]): string => {
    const list = texts === undefined ? '' : ` = ANY (${parameters.add(texts)}::text[])`
    const said = texts === undefined ? '' : ` AND r.identifier${list}`
    const searched = texts === undefined ? '' : ` AND t.identifier${list}`
    return `EXISTS (SELECT FROM refs r WHERE r.entity_id = e.id AND r.relation = ${name}
      AND (r.search IS NULL${said} OR EXISTS (SELECT ${found}${searched})))`
  }
  if (operator === 'isEmpty') return `NOT ${targets()}`
  if (operator === 'isNotEmpty') return targets()
  const several = operator === 'in' || operator === 'containsAny' || operator === 'notIn'
  const leads = targets(several ? wantTexts(operator, value) : [wantText(operator, value)])
  return operator === '!=' || operator === 'doesNotContain' || operator === 'notIn' ? `NOT ${leads}` : leads
}

function wantText(operator: string, value: Json): string {
  if (typeof value !== 'string') throw invalid(`The operator "${operator}" wants a text here.`)
  return value
}

function wantList(operator: string, value: Json): readonly Json[] {
  if (!Array.isArray(value)) throw invalid(`The operator "${operator}" wants a list of values.`)
  if (value.length > longest) throw invalid(`The operator "${operator}" takes ${longest} values at most.`)
  return value
}

function wantTexts(operator: string, value: Json): readonly string[] {
  return wantList(operator, value).map((part) => wantText(operator, part))
}

function wantEnds(operator: string, value: Json): { readonly from: Json; readonly to: Json } {
  const ends = endsOf(value)
  if (ends !== undefined && ends.from !== null && ends.to !== null) return ends
  throw invalid(`The operator "${operator}" wants both ends.`, 'Write { "from": 1, "to": 10 }; both are part of it.')
}
