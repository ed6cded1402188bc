import type { TextRange } from './diagnostic.ts'
import { compileExpression, type Expression } from './expression.ts'
import { objectMaker } from './jq/index.ts'
import { type EntityBlock, expressionsOf, isExpression, type NamedTemplate, type Template } from './parsed.ts'
import { asBoolean, asMap, asScalar, checkKeys, missing, type Site } from './read.ts'
import { type FieldSite, queryOf, readQuery, readTemplate } from './template.ts'
import { entryOf, type YamlEntry, type YamlMap } from './yaml.ts'

const entityKeys = ['identifier', 'title', 'blueprint', 'team', 'icon', 'properties', 'relations', 'weak']

/** One entity block, or a list of them. */
export function readEntities(site: Site, entity: YamlEntry): EntityBlock[] {
  const { value } = entity
  const nodes = value.kind === 'list' ? value.items : [value]
  return nodes.flatMap((node) => {
    const map = asMap(site.report, node, node.kind === 'scalar' ? entity.keyRange : node.range, 'an entity')
    return map === undefined ? [] : (readEntity(site, map) ?? [])
  })
}

function readEntity(site: Site, map: YamlMap): EntityBlock | undefined {
  checkKeys(site, map, entityKeys, 'an entity')
  const identifier = readIdentifier(site, map)
  const blueprint = readExpression(site, map, 'blueprint')
  const title = readExpression(site, map, 'title')
  const team = readTeam(site, map)
  if (identifier === undefined) missing(site, map, 'identifier', 'what the entity is called')
  if (blueprint === undefined)
    missing(site, map, 'blueprint', `which family it belongs to, e.g. blueprint: '"service"'`)
  // Read all the same, so that every mistake is said at once.
  const weak = entryOf(map, 'weak')
  const properties = readNamed(site, map, 'properties')
  const relations = readNamed(site, map, 'relations')
  if (identifier === undefined || blueprint === undefined) return undefined
  return {
    identifier,
    blueprint,
    title,
    team,
    spread: properties.spread,
    properties: properties.named,
    together: objectMaker(properties.named.map(({ name }) => name)),
    relations: relations.named,
    weak: weak !== undefined && asBoolean(site.report, weak) === true,
  }
}

function readIdentifier(site: Site, map: YamlMap): EntityBlock['identifier'] | undefined {
  const entry = entryOf(map, 'identifier')
  const query = entry && queryOf(entry.value)
  if (query !== undefined) return readQuery({ ...site, field: 'identifier' }, query)
  return readExpression(site, map, 'identifier')
}

function readExpression(site: Site, map: YamlMap, field: string): Expression | undefined {
  const entry = entryOf(map, field)
  const scalar = entry && asScalar(site.report, entry, `"${field}"`)
  return scalar && compileExpression({ ...site, field }, scalar)
}

/** The block `properties` or `relations`. The key `'*'` of properties spreads an object. */
function readNamed(
  site: Site,
  map: YamlMap,
  field: string,
): { named: NamedTemplate[]; spread: Expression | undefined } {
  const entry = entryOf(map, field)
  if (entry === undefined || (entry.value.kind === 'scalar' && entry.value.value === null))
    return { named: [], spread: undefined }
  const block = asMap(site.report, entry.value, entry.keyRange, `"${field}"`)
  const named: NamedTemplate[] = []
  let spread: Expression | undefined
  for (const { key, keyRange, value } of block?.entries ?? []) {
    const inner = { ...site, field: `${field}.${key}` }
    if (key === '*' && field === 'properties' && value.kind === 'scalar') spread = compileExpression(inner, value)
    else if (value.kind === 'scalar' && value.value === null) {
      site.report.warning('value_missing', keyRange, `"${key}" has no expression and is left out`)
    } else {
      const template = readTemplate(inner, value)
      if (template === undefined) continue
      if (field === 'relations') checkTargets(inner, template, keyRange)
      named.push({ name: key, nameRange: keyRange, template, place: placeOf(inner, template, keyRange) })
    }
  }
  return { named, spread }
}

function readTeam(site: Site, map: YamlMap): Template | undefined {
  const entry = entryOf(map, 'team')
  if (entry === undefined) return undefined
  const inner = { ...site, field: 'team' }
  const template = readTemplate(inner, entry.value)
  if (template !== undefined) checkTargets(inner, template, entry.keyRange)
  return template
}

/** What names entities is an expression, a list of them, or a search query; an object names none. */
function checkTargets(site: FieldSite, template: Template, range: TextRange): void {
  if (isExpression(template) || template.kind === 'query') return
  if (template.kind === 'list') {
    for (const item of template.items) checkTargets(site, item, range)
    return
  }
  site.report.error('shape_wrong', range, `"${site.field}" must be an expression, a list, or a search query`, {
    hint: 'a search query has the keys "combinator" and "rules"',
  })
}

function placeOf(site: FieldSite, template: Template, range: TextRange): NamedTemplate['place'] {
  const first = expressionsOf(template)[0]
  if (first !== undefined) return first.place
  const { file } = site.report.source
  return { mapping: site.mapping, field: site.field, expression: '', file, ...site.report.source.position(range.start) }
}
