import type { Parameters } from '../sql.ts'
import { visible } from '../view.ts'
import { lineError, type Node, type Value } from './parse.ts'
import { any, between, filled, propertyTest } from './property.ts'
import { stateTest, type Unsound } from './state.ts'
import { bounds, isPattern, noMoment, textTest } from './values.ts'
import type { Subject, Vocabulary } from './vocabulary.ts'

export interface Scene {
  readonly vocabulary: Vocabulary
  readonly parameters: Parameters
  /** Ages count back from here; milliseconds since the epoch. */
  readonly now: number
  /** Absent: another moment is asked about. */
  readonly unsound?: Unsound
}

type Field = Extract<Node, { type: 'field' }>

/** One `name:value` as a condition over `entities` under the given alias. Throws `query_invalid`. */
export function fieldTest(field: Field, scene: Scene): string {
  const subjects = scene.vocabulary.subjects(field.name, field.place)
  return any(subjects.map((subject) => any(field.values.map((value) => test(subject, field, value, scene, 'e')))))
}

function test(subject: Subject, field: Field, value: Value, scene: Scene, e: string): string {
  const { parameters } = scene
  const { comparison } = field
  switch (subject.of) {
    case 'blueprint':
      if (isPattern(value) || comparison === '~') return textTest(`${e}.blueprint`, comparison, value, parameters)
      plain(field, value)
      return `${e}.blueprint = ${parameters.add(scene.vocabulary.blueprint(value.text, value.place))}`
    case 'identifier':
      return textTest(`${e}.identifier`, comparison, value, parameters, true)
    case 'title':
      return textTest(`coalesce(${e}.title, ${e}.identifier)`, comparison, value, parameters)
    case 'team':
      return `EXISTS (SELECT FROM unnest(${e}.team) t (name) WHERE ${textTest('t.name', comparison, value, parameters, true)})`
    case 'source':
      return `EXISTS (SELECT FROM contributions c JOIN records r ON r.id = c.record_id JOIN kinds k ON k.id = r.kind_id
        JOIN sources o ON o.id = k.source_id WHERE c.entity_id = ${e}.id AND ${textTest('o.name', comparison, value, parameters)})`
    case 'time': {
      const found = bounds(comparison, value, scene.now)
      if (found === undefined) throw noMoment(field.name, value)
      return between(`${e}.${subject.column}`, found, parameters)
    }
    case 'property':
      return propertyTest(subject, field, value, scene, e)
    case 'relation':
      return relationTest(subject, field, value, scene, e)
    case 'hop': {
      const there = test(subject.subject, field, value, scene, 'target')
      return throughRelation(subject.relation, there, parameters, e)
    }
    case 'entity':
      return `(${e}.blueprint = ${parameters.add(subject.blueprint)} AND ${textTest(`${e}.identifier`, comparison, value, parameters, true)})`
    case 'has':
      plain(field, value)
      return any(scene.vocabulary.subjects(value.text, value.place).map((one) => has(one, value, parameters, e)))
    case 'is':
      plain(field, value)
      return stateTest(value, scene.unsound, parameters, e)
    case 'sort':
      throw lineError('sort: stands by itself, once.', field.place, 'Not within parentheses, and not negated.')
  }
}

function plain(field: Field, value: Value): void {
  if (field.comparison === '' || field.comparison === '=') return
  throw lineError(`${field.name}: does not compare by ${field.comparison}.`, value.place, `Write ${field.name}:NAME.`)
}

function relationTest(
  { relation, targets }: Extract<Subject, { of: 'relation' }>,
  field: Field,
  value: Value,
  { parameters }: Scene,
  e: string,
): string {
  const { comparison } = field
  if (comparison !== '' && comparison !== '=' && comparison !== '~') {
    throw lineError(
      `Relations do not compare by ${comparison}.`,
      value.place,
      `Write ${field.name}:NAME or has:${field.name}.`,
    )
  }
  const name = parameters.add(relation)
  // As it was said, also where nothing goes by that name.
  if (targets.length === 0) {
    return `EXISTS (SELECT FROM refs r WHERE r.entity_id = ${e}.id AND r.relation = ${name}
      AND ${textTest('r.identifier', comparison, value, parameters, true)})`
  }
  const blueprints = `${parameters.add(targets)}::text[]`
  const matches = textTest('t.identifier', comparison, value, parameters, true)
  const found = `t.blueprint = ANY (${blueprints}) AND ${visible.replaceAll('e.', 't.')} AND ${matches}`
  return `${e}.id IN (SELECT r.entity_id FROM refs r WHERE r.relation = ${name} AND r.target IN (
    SELECT ref_target(t.blueprint, t.identifier) FROM entities t WHERE ${found}
    UNION ALL SELECT ref_target(a.blueprint, a.identifier) FROM aliases a JOIN entities t ON t.id = a.entity_id WHERE ${found}
    UNION ALL SELECT ref_target(b, ${parameters.add(value.text)}) FROM unnest(${blueprints}) b))`
}

function throughRelation(relation: string, there: string, parameters: Parameters, e: string): string {
  return `EXISTS (SELECT FROM refs r
    LEFT JOIN aliases a ON a.blueprint = r.blueprint AND a.identifier = r.identifier
    JOIN entities target ON ${visible.replaceAll('e.', 'target.')}
      AND (target.id = a.entity_id OR (a.entity_id IS NULL AND target.blueprint = r.blueprint AND target.identifier = r.identifier))
    WHERE r.entity_id = ${e}.id AND r.relation = ${parameters.add(relation)} AND ${there})`
}

function has(subject: Subject, value: Value, parameters: Parameters, e: string): string {
  switch (subject.of) {
    case 'property':
      return filled(subject, parameters, e)
    case 'relation':
      return `EXISTS (SELECT FROM refs r WHERE r.entity_id = ${e}.id AND r.relation = ${parameters.add(subject.relation)})`
    case 'hop':
      return throughRelation(subject.relation, has(subject.subject, value, parameters, 'target'), parameters, e)
    case 'team':
      return `cardinality(${e}.team) > 0`
    case 'title':
      return `coalesce(${e}.title, '') <> ''`
    case 'entity':
      return 'false'
    case 'blueprint':
    case 'identifier':
    case 'source':
    case 'time':
    case 'has':
    case 'is':
    case 'sort':
      throw lineError(
        `Every entity has "${value.text}".`,
        value.place,
        'has: takes a property, a relation, team or title.',
      )
  }
}
