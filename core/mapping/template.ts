import { fields, operators, refusalOf, spellings } from '../model/search.ts'
import { compileExpression, type Expression, Failure } from './expression.ts'
import type { QueryTemplate, RuleTemplate, Template } from './parsed.ts'
import { asMap, checkKeys, type Site } from './read.ts'
import { describe, entryOf, type YamlMap, type YamlNode, type YamlScalar } from './yaml.ts'

export interface FieldSite extends Site {
  readonly field: string
}

/** Words that stand for themselves where a search query has its operator or combinator. */
const operatorWords: readonly string[] = [...operators, ...Object.keys(spellings), 'relatedTo']
const combinators = ['and', 'or']

/** A search query is told from an object by its two keys. */
export function queryOf(node: YamlNode): YamlMap | undefined {
  if (node.kind !== 'map' || entryOf(node, 'rules') === undefined) return undefined
  return entryOf(node, 'combinator') === undefined ? undefined : node
}

/** An expression, or expressions in lists and objects, or a search query. Every leaf is an expression. */
export function readTemplate(site: FieldSite, node: YamlNode): Template | undefined {
  if (node.kind === 'scalar') return node.value === null ? undefined : compileExpression(site, node)
  if (node.kind === 'list') return { kind: 'list', items: node.items.flatMap((item) => readTemplate(site, item) ?? []) }
  const query = queryOf(node)
  if (query !== undefined) return readQuery(site, query)
  const entries = node.entries.flatMap(({ key, value }) => {
    const template = readTemplate(site, value)
    return template === undefined ? [] : [{ name: key, template }]
  })
  return { kind: 'object', entries }
}

export function readQuery(site: FieldSite, map: YamlMap): QueryTemplate {
  checkKeys(site, map, ['combinator', 'rules'], 'a search query')
  const rules = entryOf(map, 'rules')
  const list = rules?.value.kind === 'list' ? rules.value.items : []
  if (rules?.value.kind !== 'list') {
    site.report.error('shape_wrong', rules?.keyRange ?? map.range, '"rules" must be a list of rules')
  }
  return {
    kind: 'query',
    combinator: readWord(site, map, 'combinator', combinators),
    rules: list.flatMap((node): (QueryTemplate | RuleTemplate)[] => {
      const query = queryOf(node)
      if (query !== undefined) return [readQuery(site, query)]
      const rule = asMap(site.report, node, node.range, 'a rule')
      return rule === undefined ? [] : [readRule(site, rule)]
    }),
  }
}

function readRule(site: FieldSite, map: YamlMap): RuleTemplate {
  const operator = readWord(site, map, 'operator', operatorWords)
  const value = entryOf(map, 'value')?.value
  const template = (value && readTemplate(site, value)) ?? compileExpression(site, literal('null', map))
  // It names a blueprint where others name a property; whatever it names, it is refused.
  if (operator.constant === 'relatedTo') {
    return { kind: 'rule', property: operator, operator: refused(site, operator), value: template }
  }
  checkKeys(site, map, ['property', 'operator', 'value'], 'a rule')
  const property = readWord(site, map, 'property', fields)
  return { kind: 'rule', property, operator: refused(site, operator, property), value: template }
}

/** What cannot be answered is told of here, with its place, and fails its field. */
function refused(site: FieldSite, operator: Expression, property?: Expression): Expression {
  const word = textOf(operator)
  const alone = refusalOf(undefined, word)
  const refusal = alone ?? refusalOf(textOf(property), word)
  if (refusal === undefined) return operator
  const { message, hint } = refusal
  const at = alone === undefined && property !== undefined ? property : operator
  site.report.error('expression_refused', at.scalar.range, message, { hint })
  const broken = new Failure({ ...at.place, code: 'expression_failed', message })
  return { ...operator, program: undefined, constant: undefined, broken }
}

function textOf(expression: Expression | undefined): string | undefined {
  return typeof expression?.constant === 'string' ? expression.constant : undefined
}

/** An expression that gives a word, or the bare word itself where it is one of `words`. */
function readWord(site: FieldSite, map: YamlMap, key: string, words: readonly string[]): Expression {
  const entry = entryOf(map, key)
  if (entry === undefined || entry.value.kind !== 'scalar' || entry.value.value === null) {
    const found = entry === undefined ? 'nothing' : describe(entry.value)
    site.report.error('shape_wrong', entry?.keyRange ?? map.range, `"${key}" must be an expression, not ${found}`)
    return compileExpression(site, literal('null', map))
  }
  const word = entry.value
  return compileExpression(site, words.includes(word.text) ? { ...word, text: JSON.stringify(word.text) } : word)
}

function literal(text: string, map: YamlMap): YamlScalar {
  return { kind: 'scalar', value: text, text, style: 'plain', range: { start: map.range.start, end: map.range.start } }
}
