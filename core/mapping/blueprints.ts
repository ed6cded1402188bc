import { z } from 'zod'
import type { Blueprint, PropertySchema } from '../model/blueprint.ts'
import { type Diagnostic, Report, sortDiagnostics, type TextRange } from './diagnostic.ts'
import { SourceText } from './source.ts'
import { describe, entryOf, parseYaml, type YamlMap, type YamlNode } from './yaml.ts'
import { locate, parseWith } from './zod.ts'

const types = ['string', 'number', 'boolean', 'object', 'array'] as const

const propertySchema = z.looseObject({
  type: z.string().optional(),
  title: z.string().optional(),
  description: z.string().nullish(),
  format: z.string().optional(),
  enum: z.array(z.json()).optional(),
  items: z.record(z.string(), z.json()).optional(),
  merge: z.enum(['first', 'union']).optional(),
})

const relationSchema = z.looseObject({
  title: z.string().optional(),
  description: z.string().nullish(),
  target: z.string().min(1),
  required: z.boolean().optional(),
  many: z.boolean().optional(),
  merge: z.enum(['first', 'union']).optional(),
})

const blueprintSchema = z.looseObject({
  identifier: z.string().regex(/^[^:\s]+$/, 'a blueprint identifier has no colons and no spaces'),
  title: z.string().optional(),
  description: z.string().nullish(),
  icon: z.string().nullish(),
  schema: z
    .looseObject({
      properties: z.record(z.string(), propertySchema).default({}),
      required: z.union([z.array(z.string()), z.record(z.string(), z.json())]).optional(),
    })
    .default({ properties: {} }),
  relations: z.record(z.string(), relationSchema).default({}),
  searchable: z.array(z.string()).optional(),
  manual: z.enum(['own', 'add']).optional(),
  identity: z.enum(['merge', 'conflict']).optional(),
})

/** Computed properties of the other product: read, said, and not computed yet. */
const later = ['calculationProperties', 'mirrorProperties', 'aggregationProperties']

/**
 * Reads blueprints from YAML or JSON text: a list, `{"blueprints": [...]}`, or a single one. A blueprint with a mistake is
 * left out and reported; the others are returned.
 */
export function parseBlueprints(
  file: string,
  text: string,
): { readonly blueprints: readonly Blueprint[]; readonly diagnostics: readonly Diagnostic[] } {
  const report = new Report(new SourceText(file, text))
  const root = parseYaml(report, { duplicates: 'error' })
  const blueprints = new Map<string, Blueprint>()
  for (const node of root === undefined ? [] : listed(report, root)) {
    const blueprint = read(report, node)
    if (blueprint === undefined) continue
    if (blueprints.has(blueprint.identifier)) {
      report.error('blueprint_duplicate', rangeOf(node), `there are two blueprints "${blueprint.identifier}"`)
    }
    blueprints.set(blueprint.identifier, blueprint)
  }
  return { blueprints: [...blueprints.values()], diagnostics: sortDiagnostics(report.diagnostics) }
}

function listed(report: Report, root: YamlNode): readonly YamlNode[] {
  if (root.kind === 'list') return root.items
  if (root.kind === 'map') {
    const list = entryOf(root, 'blueprints')?.value
    return list?.kind === 'list' ? list.items : [root]
  }
  if (root.value !== null) {
    report.error('shape_wrong', root.range, `blueprints are a list or a block of keys, not ${describe(root)}`)
  }
  return []
}

function rangeOf(node: YamlNode): TextRange {
  return node.kind === 'map' ? (node.entries[0]?.keyRange ?? node.range) : node.range
}

function read(report: Report, node: YamlNode): Blueprint | undefined {
  const parsed = parseWith(report, blueprintSchema, node, rangeOf(node))
  if (parsed === undefined || node.kind !== 'map') return undefined
  const { identifier, title, description, icon, schema, relations, searchable, manual, identity } = parsed
  for (const key of later) sayLater(report, node, key, identifier)
  const known = new Set(Object.keys(schema.properties))
  const unknown = (searchable ?? []).filter((name) => !known.has(name))
  for (const name of unknown) {
    const index = (searchable ?? []).indexOf(name)
    const { range } = locate(node, ['searchable', index], rangeOf(node))
    report.error(
      'property_unknown',
      range,
      `"searchable" names "${name}", which blueprint "${identifier}" does not have`,
    )
  }
  return {
    identifier,
    ...given({ title, description, icon, manual, identity }),
    schema: {
      properties: Object.fromEntries(
        Object.entries(schema.properties).map(([name, property]) => [name, readProperty(report, node, name, property)]),
      ),
      ...(Array.isArray(schema.required) ? { required: schema.required } : {}),
    },
    relations: Object.fromEntries(Object.entries(relations).map(([name, relation]) => [name, given(relation)])),
    ...(searchable === undefined ? {} : { searchable }),
  }
}

function sayLater(report: Report, map: YamlMap, key: string, blueprint: string): void {
  const entry = entryOf(map, key)
  if (entry?.value.kind !== 'map' || entry.value.entries.length === 0) return
  const names = entry.value.entries.map((inner) => inner.key).join(', ')
  report.warning(
    'later_release',
    entry.keyRange,
    `${key} of blueprint "${blueprint}" wait for a later release: ${names}`,
    {
      hint: 'everything else of the blueprint is used',
    },
  )
}

/** JSON Schema's integer is a number here; a type that JSON Schema does not have is said and not checked. */
function readProperty(
  report: Report,
  map: YamlMap,
  name: string,
  property: z.infer<typeof propertySchema>,
): PropertySchema {
  const { type, ...rest } = property
  const known = type === 'integer' ? 'number' : types.find((candidate) => candidate === type)
  if (type !== undefined && known === undefined) {
    const { range } = locate(map, ['schema', 'properties', name, 'type'], map.range)
    report.warning('property_type_unknown', range, `"${type}" is no type; values of "${name}" are not checked`, {
      hint: `one of ${types.join(', ')}`,
    })
  }
  return { ...given(rest), ...(known === undefined ? {} : { type: known }) }
}

/** Members that may be undefined become ones that may be absent. */
type Given<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], null | undefined>
}

/** Without the members that are null or undefined. */
function given<T extends object>(members: T): Given<T> {
  // fromEntries loses the names of the members; the filter is what Given says.
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== null && value !== undefined),
  ) as Given<T>
}
