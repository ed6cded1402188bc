import type { EntityDraft } from '../model/entity.ts'
import type { Json } from '../model/json.ts'
import type { ItemDraft, MappingOutput, QueryDraft } from '../model/mapping.ts'
import type { Problem } from '../model/problem.ts'
import type { BlueprintIndex } from './expectation.ts'
import { type Expression, evaluate, Failure, failure, show } from './expression.ts'
import { propertiesOf, relationsOf, teamOf, titleOf } from './fields.ts'
import { itemContexts, itemInputs } from './items.ts'
import type { RunContext } from './jq/index.ts'
import type { EntityBlock, ResourceBlock } from './parsed.ts'
import { evaluateQuery, isList, wholeText } from './values.ts'

const none: readonly Problem[] = []
const nobody: readonly string[] = []

/** One mapping over one record. Pure, and never throws: what fails is part of the output. */
export function applyResource(
  resource: ResourceBlock,
  blueprints: BlueprintIndex,
  body: Json,
  context: RunContext,
): MappingOutput {
  const mapping = resource.id
  if (resource.broken !== undefined) return { mapping, state: 'quarantined', problem: resource.broken.problem }
  if (resource.items !== undefined) return applyToItems(resource, blueprints, body, context)
  resource.sharing.turn()
  const selected = select(resource.selector, body, context)
  if (selected instanceof Failure) return { mapping, state: 'quarantined', problem: selected.problem }
  if (!selected) return { mapping, state: 'deselected', expression: resource.selector.text }
  const output = new Output()
  for (let index = 0; index < resource.entities.length; index++) {
    const block = resource.entities[index]
    if (block !== undefined) output.add(String(index), draftOf(block, blueprints, body, context), !block.weak)
  }
  return output.selected(mapping)
}

/** With itemsToParse every item is an input of its own, for the selector, too. */
function applyToItems(
  resource: ResourceBlock,
  blueprints: BlueprintIndex,
  body: Json,
  context: RunContext,
): MappingOutput {
  const mapping = resource.id
  const { items } = resource
  const list = items === undefined ? [] : evaluate(items.expression, body, context)
  if (list instanceof Failure) return { mapping, state: 'quarantined', problem: list.problem }
  if (items === undefined || list === null) return { mapping, state: 'selected', drafts: [], quarantined: [] }
  if (!Array.isArray(list)) {
    const { problem } = failure(items.expression, 'type_mismatch', `itemsToParse must give a list, not ${show(list)}`)
    return { mapping, state: 'quarantined', problem }
  }
  const output = new Output()
  const contexts = itemContexts(items, context)
  for (const [position, input] of itemInputs(items, body, list).entries()) {
    const inner = contexts(position)
    resource.sharing.turn()
    const selected = select(resource.selector, input, inner)
    if (selected === false) continue
    for (const [index, block] of resource.entities.entries()) {
      const item = `${index}.${position}`
      output.add(item, selected instanceof Failure ? selected : draftOf(block, blueprints, input, inner), !block.weak)
    }
  }
  return output.selected(mapping)
}

class Output {
  readonly drafts: ItemDraft[] = []
  readonly quarantined: { item: string; problem: Problem }[] = []
  readonly updates: QueryDraft[] = []

  add(item: string, made: EntityDraft | Omit<QueryDraft, 'item'> | Failure, owning: boolean): void {
    if (made instanceof Failure) this.quarantined.push({ item, problem: made.problem })
    else if ('query' in made) this.updates.push({ item, ...made })
    else this.drafts.push({ item, draft: made, owning })
  }

  selected(mapping: string): MappingOutput {
    const { drafts, quarantined, updates } = this
    if (updates.length === 0) return { mapping, state: 'selected', drafts, quarantined }
    return { mapping, state: 'selected', drafts, quarantined, updates }
  }
}

/** A selector gives a real boolean; anything else is a mistake and not a no. */
function select(selector: Expression, input: Json, context: RunContext): boolean | Failure {
  const value = evaluate(selector, input, context)
  if (typeof value === 'boolean' || value instanceof Failure) return value
  return failure(selector, 'type_mismatch', `a selector must give true or false, not ${show(value)}`)
}

function draftOf(
  block: EntityBlock,
  blueprints: BlueprintIndex,
  input: Json,
  context: RunContext,
): EntityDraft | Omit<QueryDraft, 'item'> | Failure {
  const blueprint = evaluate(block.blueprint, input, context)
  if (blueprint instanceof Failure) return blueprint
  if (typeof blueprint !== 'string' || blueprint === '') {
    return failure(block.blueprint, 'blueprint_unknown', `a blueprint is named by a text, not ${show(blueprint)}`)
  }
  const expected = blueprints.expect(block, blueprint)
  if (expected === undefined) {
    return failure(block.blueprint, 'blueprint_unknown', `there is no blueprint "${blueprint}"`)
  }
  const identifier = identify(block, input, context)
  if (identifier instanceof Failure) return identifier
  const problems: Problem[] = []
  const title = titleOf(block.title, input, context, problems)
  const team = block.team === undefined ? nobody : teamOf(block.team, input, context, problems)
  const properties = propertiesOf(block, expected, input, context, problems)
  const relations = relationsOf(block, expected, input, context, problems)
  const failed = problems.length === 0 ? none : problems
  if (typeof identifier === 'string' && isList(team)) {
    return { blueprint, identifier, title, team, properties, relations, failed }
  }
  const teams = isList(team) ? { team } : { team: nobody, teamQuery: team }
  const draft = { blueprint, title, ...teams, properties, relations, failed }
  return typeof identifier === 'string' ? { identifier, ...draft } : { query: identifier, draft }
}

function identify(block: EntityBlock, input: Json, context: RunContext): string | QueryDraft['query'] | Failure {
  const { identifier } = block
  if (identifier.kind === 'query') return evaluateQuery(identifier, input, context)
  const value = evaluate(identifier, input, context)
  if (typeof value === 'string' && value !== '') return value
  if (value instanceof Failure) return value
  if (typeof value === 'number') return wholeText(identifier, value, context)
  const what = value === '' ? 'an empty string' : show(value)
  return failure(identifier, 'identifier_missing', `an identifier is a text or a number, not ${what}`)
}
