import type { Blueprint } from '../model/blueprint.ts'
import { didYouMean, type Report } from './diagnostic.ts'
import type { Expression } from './expression.ts'
import { inferTypes, nodesOf, typeBits, typeNames } from './infer.ts'
import type { Node } from './jq/index.ts'
import { allExpressions, type EntityBlock, isExpression, type NamedTemplate, type ResourceBlock } from './parsed.ts'

export interface Known {
  /** Undefined: not known, so nothing is held against them. */
  readonly blueprints: ReadonlyMap<string, Blueprint> | undefined
  /** Kinds the integration lists; undefined when that is not known. */
  readonly kinds: readonly string[] | undefined
  /** Names a mapping may read as `env.NAME`. */
  readonly variables: readonly string[]
  /** Undeclared names that were reported: each is said once a file. */
  readonly undeclared: Set<string>
}

/**
 * Mistakes that show before a single object was read: everything the texts alone can tell. What contradicts a blueprint is
 * a warning, since the rest of such a mapping works.
 */
export function checkResource(report: Report, resource: ResourceBlock, known: Known): void {
  if (known.kinds !== undefined && !known.kinds.includes(resource.kind)) {
    report.warning(
      'kind_unknown',
      resource.kindRange,
      `there is no kind "${resource.kind}"; this mapping is never used`,
      {
        hint: didYouMean(resource.kind, known.kinds) ?? `kinds: ${known.kinds.join(', ')}`,
      },
    )
  }
  mustGive(report, resource.selector, typeBits.boolean, 'selector_type', 'a selector must give true or false')
  if (resource.items !== undefined) {
    const list = typeBits.array | typeBits.null
    mustGive(report, resource.items.expression, list, 'items_type', 'itemsToParse must give a list')
  }
  for (const expression of allExpressions(resource)) checkVariables(report, expression, known)
  for (const block of resource.entities) {
    checkIdentifier(report, block)
    checkAgainstBlueprint(report, block, known.blueprints)
  }
}

function mustGive(report: Report, expression: Expression, types: number, code: string, message: string): void {
  if (expression.program === undefined) return
  const found = inferTypes(expression.program.ast)
  if (found === 0 || found & types) return
  const range = expression.scalar.range
  const { ast } = expression.program
  const hint = ast.kind === 'assign' && ast.operator === '=' ? '= sets a field; == compares' : undefined
  report.error(code, range, `${message}; this one gives ${typeNames(found)}`, { hint, expression: expression.text })
}

/** `env.NAME` reads what the source lists under `variables`, and nothing else. */
function checkVariables(report: Report, expression: Expression, { variables, undeclared }: Known): void {
  if (expression.program === undefined) return
  for (const node of nodesOf(expression.program.ast)) {
    if (node.kind !== 'index' || !isEnvironment(node.target)) continue
    if (node.key.kind !== 'literal' || typeof node.key.value !== 'string') continue
    const name = node.key.value
    if (variables.includes(name) || undeclared.has(name)) continue
    undeclared.add(name)
    report.warning(
      'variable_undeclared',
      expression.range(node),
      `the variable ${name} is not declared and reads as null`,
      {
        hint: didYouMean(name, variables) ?? `add it to the source's "variables" in catchment.yaml`,
        expression: expression.text,
      },
    )
  }
}

function isEnvironment(node: Node): boolean {
  if (node.kind === 'call') return node.name === 'env' && node.parameters.length === 0
  return node.kind === 'variable' && (node.name === 'ENV' || node.name === '$ENV')
}

/** `null + "x"` is `"x"`: a missing part leaves the identifier without an error, and two objects may become one entity. */
function checkIdentifier(report: Report, block: EntityBlock): void {
  if (!isExpression(block.identifier)) {
    const message = 'the identifier is a search query: the catalog takes nothing from this block'
    const hint = 'name the entity by an expression, or let what it says be a property of what the object itself becomes'
    report.warning('identifier_search', block.identifier.combinator.scalar.range, message, { hint })
    return
  }
  if (block.identifier.program === undefined) return
  const { program, text } = block.identifier
  const parts = summands(program.ast)
  if (parts.length < 2) return
  for (const part of parts.filter(mayBeMissing)) {
    const written = program.source.slice(part.start, part.end)
    const message = `when ${written} is missing, it vanishes from the identifier without an error`
    const hint = `write (${written} // error("no ${written}")) to have the object set aside instead`
    report.warning('identifier_part', block.identifier.range(part), message, { hint, expression: text })
  }
}

function summands(node: Node): Node[] {
  if (node.kind === 'binary' && node.operator === '+') return [...summands(node.left), ...summands(node.right)]
  if (node.kind === 'pipe' && node.right.kind === 'call')
    return summands(node.left).length > 1 ? summands(node.left) : [node]
  return [node]
}

function mayBeMissing(node: Node): boolean {
  return node.kind === 'index' && !isEnvironment(node.target)
}

function checkAgainstBlueprint(report: Report, block: EntityBlock, blueprints: Known['blueprints']): void {
  const name = block.blueprint.constant
  if (blueprints === undefined || typeof name !== 'string') return
  const blueprint = blueprints.get(name)
  if (blueprint === undefined) {
    const hint = didYouMean(name, blueprints.keys()) ?? 'add it to the blueprints of this source'
    report.warning('blueprint_unknown', block.blueprint.scalar.range, `there is no blueprint "${name}"`, { hint })
    return
  }
  for (const property of block.properties) checkProperty(report, property, blueprint)
  for (const { name: relation, nameRange } of block.relations) {
    const declared = Object.hasOwn(blueprint.relations, relation) ? blueprint.relations[relation] : undefined
    if (declared === undefined) {
      const hint =
        didYouMean(relation, Object.keys(blueprint.relations)) ??
        'add it to the blueprint: it says where the relation points'
      report.warning('relation_unknown', nameRange, `blueprint "${name}" has no relation "${relation}"`, { hint })
    } else if (!blueprints.has(declared.target)) {
      const message = `relation "${relation}" points at blueprint "${declared.target}", which does not exist`
      report.warning('relation_target_unknown', nameRange, message, {
        hint: didYouMean(declared.target, blueprints.keys()),
      })
    }
  }
}

function checkProperty(report: Report, property: NamedTemplate, blueprint: Blueprint): void {
  const { name, nameRange, template } = property
  const { properties } = blueprint.schema
  const declared = Object.hasOwn(properties, name) ? properties[name] : undefined
  if (declared === undefined) {
    const hint = didYouMean(name, Object.keys(properties)) ?? 'add it to the blueprint'
    report.warning('property_unknown', nameRange, `blueprint "${blueprint.identifier}" has no property "${name}"`, {
      hint,
    })
    return
  }
  const types = isExpression(template)
    ? template.program && inferTypes(template.program.ast)
    : template.kind === 'list'
      ? typeBits.array
      : typeBits.object
  const present = (types ?? 0) & ~typeBits.null
  if (declared.type === undefined || present === 0 || present & typeBits[declared.type]) return
  const range = isExpression(template) ? template.scalar.range : nameRange
  report.warning(
    'type_mismatch',
    range,
    `"${name}" is declared as ${declared.type}; this gives ${typeNames(present)}`,
    {
      hint: declared.type === 'string' && present === typeBits.number ? 'add | tostring' : undefined,
      ...(isExpression(template) ? { expression: template.text } : {}),
    },
  )
}
