import type { Json, JsonObject } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import type { TextRange } from './diagnostic.ts'
import type { Expression, Failure } from './expression.ts'
import type { Sharing } from './jq/index.ts'

/** A mapping file, read: its shape is checked, its expressions are compiled, and nothing is evaluated yet. */
export interface MappingFile {
  readonly resources: readonly ResourceBlock[]
  readonly options: MappingOptions
}

/** Root keys. Absent ones were not written; what the engine makes of each is in docs/mapping.md. */
export interface MappingOptions {
  readonly createMissingRelatedEntities?: boolean
  readonly deleteDependentEntities?: boolean
  readonly enableMergeEntity?: boolean
  /** Share of entities, 0 to 1, above which a resync must not delete. */
  readonly entityDeletionThreshold?: number
  /** Keys that belong to an integration. */
  readonly other: JsonObject
}

/** One entry of `resources`: what the glossary calls a mapping. */
export interface ResourceBlock {
  /** Unique in the file and stable while other kinds are edited: the kind, with `#2` for the second block of the kind. */
  readonly id: string
  readonly kind: string
  readonly kindRange: TextRange
  readonly selector: Expression
  /** Fields beside `query`; each kind types its own. */
  readonly selectorFields: JsonObject
  readonly items: ItemsBlock | undefined
  readonly entities: readonly EntityBlock[]
  /** What its expressions have in common, those of `items` left out: they see another input. */
  readonly sharing: Sharing
  /** The block cannot be used as it is written: every record is quarantined with this. */
  readonly broken: Failure | undefined
}

export interface ItemsBlock {
  readonly expression: Expression
  /** Key under which each input carries its item. */
  readonly name: string
  /** Path of the list that the inputs go without; empty keeps it. */
  readonly remove: readonly string[]
}

export interface EntityBlock {
  readonly identifier: Expression | QueryTemplate
  readonly blueprint: Expression
  readonly title: Expression | undefined
  readonly team: Template | undefined
  /** Expression of the key `'*'`: an object whose entries become properties. */
  readonly spread: Expression | undefined
  readonly properties: readonly NamedTemplate[]
  /** The object of these properties, given a value for each. */
  readonly together: (values: readonly Json[]) => Readonly<Record<string, Json>>
  readonly relations: readonly NamedTemplate[]
  /** It only adds to an entity that another block makes. */
  readonly weak: boolean
}

export interface NamedTemplate {
  readonly name: string
  readonly nameRange: TextRange
  readonly template: Template
  /** A problem of the whole field; only code and message are missing. */
  readonly place: Omit<Problem, 'code' | 'message'>
}

/** Expressions in the shape that their values shall have. */
export type Template = Expression | ListTemplate | ObjectTemplate | QueryTemplate

export interface ListTemplate {
  readonly kind: 'list'
  readonly items: readonly Template[]
}

export interface ObjectTemplate {
  readonly kind: 'object'
  readonly entries: readonly { readonly name: string; readonly template: Template }[]
}

/** A search query whose leaves are expressions. */
export interface QueryTemplate {
  readonly kind: 'query'
  readonly combinator: Expression
  readonly rules: readonly (QueryTemplate | RuleTemplate)[]
}

export interface RuleTemplate {
  readonly kind: 'rule'
  readonly property: Expression
  readonly operator: Expression
  readonly value: Template
}

export function isExpression(template: Template): template is Expression {
  return template.kind === 'expression'
}

/** All expressions of a template, outermost first. */
export function expressionsOf(template: Template | RuleTemplate): readonly Expression[] {
  switch (template.kind) {
    case 'expression':
      return [template]
    case 'list':
      return template.items.flatMap(expressionsOf)
    case 'object':
      return template.entries.flatMap((entry) => expressionsOf(entry.template))
    case 'query':
      return [template.combinator, ...template.rules.flatMap(expressionsOf)]
    case 'rule':
      return [template.property, template.operator, ...expressionsOf(template.value)]
  }
}

/** Every expression of a mapping, in reading order. */
export function allExpressions({ selector, items, entities }: Omit<ResourceBlock, 'sharing'>): Expression[] {
  const named = (list: readonly NamedTemplate[]): Expression[] =>
    list.flatMap(({ template }) => expressionsOf(template))
  const inEntities = entities.flatMap((block) => [
    ...expressionsOf(block.identifier),
    block.blueprint,
    ...(block.title === undefined ? [] : [block.title]),
    ...(block.team === undefined ? [] : expressionsOf(block.team)),
    ...(block.spread === undefined ? [] : [block.spread]),
    ...named(block.properties),
    ...named(block.relations),
  ])
  return [selector, ...(items === undefined ? [] : [items.expression]), ...inEntities]
}
