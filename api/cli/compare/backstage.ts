import { z } from 'zod'
import type { Json } from '../../../core/sdk/index.ts'
import type { Theirs } from './differ.ts'

/** An entity of Backstage's catalog, as its API gives it. */
export const backstageSchema = z.looseObject({
  kind: z.string().min(1),
  metadata: z.looseObject({
    name: z.string().min(1),
    namespace: z.string().nullish(),
    title: z.string().nullish(),
    annotations: z.record(z.string(), z.json()).nullish(),
  }),
  spec: z.record(z.string(), z.json()).nullish(),
})

/** Annotations that Backstage itself adds, about where it found the file. */
const added = [
  'managed-by-location',
  'managed-by-origin-location',
  'source-location',
  'view-url',
  'edit-url',
  'orphan',
].map((name) => `backstage.io/${name}`)

interface Field {
  readonly from: string
  /** The kind that a reference without one means. */
  readonly kind: string
  /** Our relation, by the kind of what is meant. */
  readonly to: Readonly<Record<string, string>>
}

const many = ['providesApis', 'consumesApis', 'dependsOn', 'dependsOnResources', 'children', 'members', 'memberOf']

const owner: Field = { from: 'owner', kind: 'group', to: { group: 'owner', user: 'ownerUser' } }
const system: Field = { from: 'system', kind: 'system', to: { system: 'system' } }
const dependsOn: Field = {
  from: 'dependsOn',
  kind: 'component',
  to: { component: 'dependsOn', resource: 'dependsOnResources' },
}
const one = (from: string, kind: string): Field => ({ from, kind, to: { [kind]: from } })

interface Shape {
  /** Properties that are fields of `spec`, and of `spec.profile`. */
  readonly spec: readonly string[]
  readonly profile?: readonly string[]
  readonly relations: readonly Field[]
}

/** What the shipped mapping makes of each kind. */
const kinds: Readonly<Record<string, Shape>> = {
  component: {
    spec: ['type', 'lifecycle'],
    relations: [
      owner,
      system,
      one('subcomponentOf', 'component'),
      one('providesApis', 'api'),
      one('consumesApis', 'api'),
      dependsOn,
    ],
  },
  api: { spec: ['type', 'lifecycle', 'definition'], relations: [owner, system] },
  resource: { spec: ['type'], relations: [owner, system, dependsOn] },
  system: { spec: ['type'], relations: [owner, one('domain', 'domain')] },
  domain: { spec: ['type'], relations: [owner, one('subdomainOf', 'domain')] },
  group: {
    spec: ['type'],
    profile: ['email', 'picture'],
    relations: [one('parent', 'group'), one('children', 'group'), one('members', 'user')],
  },
  user: { spec: [], profile: ['email', 'picture'], relations: [one('memberOf', 'group')] },
  location: { spec: ['type'], relations: [] },
}

const about = ['description', 'tags', 'links', 'labels'] as const

/** Registrations that Backstage keeps as entities of its own; no file has them. */
export const isGenerated = ({ kind, metadata }: z.output<typeof backstageSchema>): boolean =>
  kind === 'Location' && /^generated-[0-9a-f]{40}$/.test(metadata.name)

/** As the shipped mapping says it: identifiers are namespace/name in small letters, references name what their field means. */
export function backstageEntity({ kind, metadata, spec }: z.output<typeof backstageSchema>): Theirs {
  const blueprint = kind.toLowerCase()
  const namespace = (metadata.namespace ?? 'default').toLowerCase()
  const known = kinds[blueprint] ?? { spec: [], relations: [] }
  const profile = z.record(z.string(), z.json()).safeParse(spec?.['profile']).data ?? {}
  const annotations = metadata.annotations ?? {}
  const kept = Object.entries(annotations).filter(([name]) => !added.includes(name))
  const properties: Record<string, Json> = {
    annotations: kept.length === 0 ? null : Object.fromEntries(kept),
    // Read from JSON; what is declared of it is checked.
    ...Object.fromEntries(about.map((name) => [name, (metadata[name] ?? null) as Json])),
    ...Object.fromEntries(known.spec.map((name) => [name, spec?.[name] ?? null])),
    ...Object.fromEntries((known.profile ?? []).map((name) => [name, profile[name] ?? null])),
  }
  const relations: Record<string, Json> = {}
  for (const { from, kind: meant, to } of known.relations) {
    for (const relation of Object.values(to)) relations[relation] = many.includes(relation) ? [] : null
    for (const text of [spec?.[from] ?? []].flat()) {
      if (typeof text !== 'string') continue
      const [target, identifier] = referenceOf(text.toLowerCase(), meant, namespace)
      const relation = to[target]
      if (relation === undefined) continue
      const before = relations[relation]
      relations[relation] = many.includes(relation)
        ? [...(Array.isArray(before) ? before : []), identifier]
        : identifier
    }
  }
  return {
    blueprint,
    identifier: `${namespace}/${metadata.name.toLowerCase()}`,
    title: metadata.title ?? profile['displayName'] ?? metadata.name,
    properties,
    relations,
    covers: new Set([
      'title',
      ...Object.keys(properties).map((name) => `properties.${name}`),
      ...Object.keys(relations).map((name) => `relations.${name}`),
    ]),
  }
}

/** `[kind:][namespace/]name` in full. */
function referenceOf(text: string, kind: string, namespace: string): readonly [kind: string, identifier: string] {
  const colon = text.indexOf(':')
  const name = text.slice(colon + 1)
  return [colon < 0 ? kind : text.slice(0, colon), name.includes('/') ? name : `${namespace}/${name}`]
}
