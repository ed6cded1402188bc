import type { JsonObject } from '../model/json.ts'
import { nearest, type Report } from './diagnostic.ts'
import { readEntities } from './entity.ts'
import { compileExpression, type Expression, Failure } from './expression.ts'
import { removedPath } from './items.ts'
import { shareAmong } from './jq/index.ts'
import { allExpressions, type ItemsBlock, type MappingFile, type MappingOptions, type ResourceBlock } from './parsed.ts'
import { asBoolean, asMap, asScalar, checkKeys, type Dialect, missing, type Site } from './read.ts'
import { describe, entryOf, parseYaml, toJson, type YamlEntry, type YamlMap, type YamlNode } from './yaml.ts'

const booleanOptions = ['createMissingRelatedEntities', 'deleteDependentEntities', 'enableMergeEntity'] as const
const rootKeys = ['resources', ...booleanOptions, 'entityDeletionThreshold']
const itemsKeys = ['itemsToParse', 'itemsToParseName', 'itemsToParseTopLevelTransform']

/**
 * Reads a mapping file. Undefined when the file as a whole cannot be used; otherwise a broken block is broken alone. `known`:
 * keys at the root that the integration reads; absent: not known.
 */
export function readMappingFile(report: Report, known?: readonly string[]): MappingFile | undefined {
  const root = parseYaml(report, { duplicates: 'last' })
  if (root === undefined) return undefined
  const map = asMap(report, root, { start: 0, end: 1 }, 'a mapping file')
  if (map === undefined) return undefined
  const resources = entryOf(map, 'resources')
  if (resources === undefined) {
    report.error('key_missing', { start: map.range.start, end: map.range.start }, 'there is no "resources"', {
      hint: 'a mapping file lists its mappings under "resources:"',
    })
    return undefined
  }
  const list = listOf(report, resources)
  if (list === undefined) return undefined
  const dialect = list.some((item) => item.kind === 'map' && entryOf(item, 'port') !== undefined) ? 'port' : 'own'
  const options = readOptions(report, map, dialect, known)
  const counts = new Map<string, number>()
  return { options, resources: list.flatMap((item) => readResource(report, item, dialect, counts) ?? []) }
}

function listOf(report: Report, entry: YamlEntry): readonly YamlNode[] | undefined {
  const { value } = entry
  if (value.kind === 'list') return value.items
  if (value.kind === 'scalar' && value.value === null) return []
  report.error('shape_wrong', entry.keyRange, `"${entry.key}" must be a list, not ${describe(value)}`)
  return undefined
}

function readOptions(
  report: Report,
  map: YamlMap,
  dialect: Dialect,
  known: readonly string[] | undefined,
): MappingOptions {
  const options: Record<string, boolean | number> = {}
  const other: Record<string, JsonObject[string]> = {}
  for (const entry of map.entries) {
    if ((booleanOptions as readonly string[]).includes(entry.key)) {
      const value = asBoolean(report, entry)
      if (value !== undefined) options[entry.key] = value
    } else if (entry.key === 'entityDeletionThreshold') {
      const value = entry.value.kind === 'scalar' ? Number(entry.value.text) : Number.NaN
      if (value >= 0 && value <= 1) options[entry.key] = value
      else report.error('shape_wrong', entry.keyRange, '"entityDeletionThreshold" must be a number from 0 to 1')
    } else if (!rootKeys.includes(entry.key)) other[entry.key] = toJson(entry.value)
  }
  const all = [...rootKeys, ...(known ?? [])]
  const told = map.entries.filter(
    ({ key }) => known !== undefined || dialect === 'own' || nearest(key, all) !== undefined,
  )
  checkKeys({ report, dialect, mapping: '' }, { ...map, entries: told }, all, 'a mapping file')
  return { ...options, other }
}

function readResource(
  report: Report,
  node: YamlNode,
  dialect: Dialect,
  counts: Map<string, number>,
): ResourceBlock | undefined {
  const map = asMap(report, node, node.range, 'an entry of "resources"')
  if (map === undefined) return undefined
  const kindEntry = entryOf(map, 'kind')
  const kind = kindEntry && asScalar(report, kindEntry, '"kind"')
  if (kindEntry === undefined || kind === undefined) {
    missing({ report, dialect }, map, 'kind', 'the kind of raw object this mapping reads')
    return undefined
  }
  const count = (counts.get(kind.text) ?? 0) + 1
  counts.set(kind.text, count)
  const id = count === 1 ? kind.text : `${kind.text}#${count}`
  const site: Site = { report, dialect, mapping: id }

  const before = report.diagnostics.length
  const body = readBody(site, map)
  const entities = body.entity === undefined ? [] : readEntities(site, body.entity)
  if (body.entity === undefined) {
    missing(site, map, dialect === 'port' ? 'port.entity.mappings' : 'entity', 'what an object becomes')
  }
  // A wrong expression fails its own field; a wrong shape leaves open what the block was meant to say.
  const structural = report.diagnostics
    .slice(before)
    .find(({ severity, code }) => severity === 'error' && !code.startsWith('expression_'))
  const block = {
    id,
    kind: kind.text,
    kindRange: kind.range,
    ...readSelector(site, map, kindEntry),
    items: body.items,
    entities,
    broken:
      structural === undefined && entities.length > 0 ? undefined : brokenBlock(site, kindEntry, structural?.message),
  }
  const overInput = allExpressions({ ...block, items: undefined })
  return { ...block, sharing: shareAmong(overInput.flatMap(({ program }) => program ?? [])) }
}

function brokenBlock(site: Site, kind: YamlEntry, message = 'this mapping makes no entity'): Failure {
  const { file } = site.report.source
  const position = site.report.source.position(kind.keyRange.start)
  const place = { mapping: site.mapping, field: 'identifier', expression: '', file, ...position }
  return new Failure({ ...place, code: 'identifier_missing', message })
}

/** Both spellings: `port: { itemsToParse, entity: { mappings } }`, and ours with `entity` beside `kind`. */
function readBody(site: Site, map: YamlMap): { entity?: YamlEntry; items?: ItemsBlock } {
  const port = entryOf(map, 'port')
  if (port === undefined) {
    checkKeys(site, map, ['kind', 'selector', 'entity', ...itemsKeys], 'a mapping')
    const entity = entryOf(map, 'entity')
    return { ...(entity === undefined ? {} : { entity: unwrap(entity) }), ...readItems(site, map) }
  }
  checkKeys(site, map, ['kind', 'selector', 'port'], 'a mapping')
  const block = asMap(site.report, port.value, port.keyRange, '"port"')
  if (block === undefined) return {}
  checkKeys(site, block, ['entity', ...itemsKeys], '"port"')
  const entity = entryOf(block, 'entity')
  return { ...(entity === undefined ? {} : { entity: unwrap(entity) }), ...readItems(site, block) }
}

/** `entity: { mappings: ... }` holds what ours writes right below `entity`. */
function unwrap(entity: YamlEntry): YamlEntry {
  return (entity.value.kind === 'map' ? entryOf(entity.value, 'mappings') : undefined) ?? entity
}

function readItems(site: Site, map: YamlMap): { items?: ItemsBlock } {
  const entry = entryOf(map, 'itemsToParse')
  const scalar = entry && asScalar(site.report, entry, '"itemsToParse"')
  if (scalar === undefined) return {}
  const expression = compileExpression({ ...site, field: 'items' }, scalar)
  const nameEntry = entryOf(map, 'itemsToParseName')
  const name = (nameEntry && asScalar(site.report, nameEntry, '"itemsToParseName"')?.text) ?? 'item'
  const transform = entryOf(map, 'itemsToParseTopLevelTransform')
  const remove = transform === undefined || asBoolean(site.report, transform) !== false
  return {
    items: { expression, name, remove: remove && expression.program ? removedPath(expression.program.ast) : [] },
  }
}

function readSelector(site: Site, map: YamlMap, kind: YamlEntry): { selector: Expression; selectorFields: JsonObject } {
  const always = (): Expression =>
    compileExpression(
      { ...site, field: 'selector' },
      { kind: 'scalar', value: true, text: 'true', style: 'plain', range: kind.keyRange },
    )
  const entry = entryOf(map, 'selector')
  if (entry === undefined) return { selector: always(), selectorFields: {} }
  const block =
    entry.value.kind === 'map'
      ? entry.value
      : asMap(site.report, entry.value, entry.keyRange, '"selector"', 'write it as the key "query" of "selector"')
  if (block === undefined) return { selector: always(), selectorFields: {} }
  const query = entryOf(block, 'query')
  const scalar = query && asScalar(site.report, query, '"selector.query"')
  const fields = block.entries.filter(({ key }) => key !== 'query').map(({ key, value }) => [key, toJson(value)])
  return {
    selector: scalar === undefined ? always() : compileExpression({ ...site, field: 'selector' }, scalar),
    selectorFields: Object.fromEntries(fields),
  }
}
