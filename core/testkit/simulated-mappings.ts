import type { EntityDraft } from '../model/entity.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { MappingOutput, Mappings } from '../model/mapping.ts'
import type { Problem } from '../model/problem.ts'
import { kindsOf, type SourceName } from './thing.ts'

/** Two versions of the mapping file of each source, which the simulation switches between. */
export type MappingVersion = 'v1' | 'v2'

interface Body {
  readonly key: string
  readonly name: string
  readonly stars: number | null
  readonly tier: string | null
  readonly owner: string
  readonly labels: readonly string[]
  readonly archived: boolean
  readonly weird: string
}

export function mappingHash(source: string, version: MappingVersion): string {
  return `${source}-${version}`
}

export function simulatedMappings(source: SourceName, version: MappingVersion): Mappings {
  return {
    hash: mappingHash(source, version),
    kinds: kindsOf[source],
    apply(kind, body) {
      // The canonical form of simulated-source.ts.
      const said = body as unknown as Body
      if (kind === 'repo') return [repo(said, version), labels(said), ...(version === 'v1' ? [flagship(said)] : [])]
      if (kind === 'person') return [one(said, 'person', person(said))]
      if (kind === 'service') return [one(said, 'service', service(said, version))]
      if (kind === 'team') return [one(said, 'team', team(said))]
      if (kind === 'branch') return [one(said, 'branch', branch(said))]
      if (kind === 'incident') return [one(said, 'incident', incident(said))]
      return []
    },
  }
}

function draft(
  { weird }: Body,
  mapping: string,
  blueprint: string,
  identifier: string,
  fields: { title: string; properties: Record<string, Json>; relations: EntityDraft['relations'] },
): EntityDraft {
  const { tier, ...others } = fields.properties
  const failed = weird === 'property'
  const properties = failed || tier === undefined ? others : fields.properties
  return {
    blueprint,
    identifier,
    title: fields.title,
    team: [],
    properties,
    relations: fields.relations,
    failed: failed ? [problem(mapping, 'properties.tier')] : [],
  }
}

function problem(mapping: string, field: string): Problem {
  return { code: 'expression_failed', mapping, field, expression: '.weird', message: 'weird' }
}

/** A mapping that makes one entity of an item, unless something in it fails or it is archived. */
function one(body: Body, mapping: string, entity: EntityDraft): MappingOutput {
  if (body.weird === 'selector') return { mapping, state: 'quarantined', problem: problem(mapping, 'selector') }
  if (body.archived) return { mapping, state: 'deselected', expression: '.archived | not' }
  if (body.weird === 'identifier') {
    const quarantined = [{ item: '0', problem: problem(mapping, 'identifier') }]
    return { mapping, state: 'selected', drafts: [], quarantined }
  }
  return { mapping, state: 'selected', drafts: [{ item: '0', draft: entity, owning: true }], quarantined: [] }
}

function repo(body: Body, version: MappingVersion): MappingOutput {
  const { name, stars, tier, owner, labels: all } = body
  const stats: Record<string, Json> = version === 'v1' ? { stars } : { popularity: stars }
  const properties = { ...stats, tier, labels: all.length }
  const title = version === 'v1' ? name : `${name}!`
  return one(body, 'repo', draft(body, 'repo', 'service', name, { title, properties, relations: { owner } }))
}

function labels(body: Body): MappingOutput {
  if (body.archived) return { mapping: 'label', state: 'deselected', expression: '.archived | not' }
  const drafts = body.labels.map((label, index) => ({
    item: `0.${index}`,
    owning: true,
    draft: {
      blueprint: 'label',
      identifier: `${body.name}/${label}`,
      title: label,
      team: [],
      properties: {},
      relations: { service: body.name },
      failed: [],
    },
  }))
  return { mapping: 'label', state: 'selected', drafts, quarantined: [] }
}

/** Says something about a team that others own. */
function flagship({ name, owner, stars }: Body): MappingOutput {
  const entity: EntityDraft = {
    blueprint: 'team',
    identifier: owner,
    title: null,
    team: [],
    properties: { flagship: name, stars },
    relations: {},
    failed: [],
  }
  return {
    mapping: 'flagship',
    state: 'selected',
    drafts: [{ item: '0', draft: entity, owning: false }],
    quarantined: [],
  }
}

function person(body: Body): EntityDraft {
  const { name, stars, tier, owner } = body
  const fields = { title: name, properties: { stars, tier }, relations: { teams: [owner] } }
  return draft(body, 'person', 'person', name, fields)
}

function service(body: Body, version: MappingVersion): EntityDraft {
  const { name, stars, tier, owner } = body
  const properties = { stars, tier, ...(version === 'v1' ? { oncall: owner } : {}) }
  return draft(body, 'service', 'service', name, { title: `service ${name}`, properties, relations: { owner } })
}

function team(body: Body): EntityDraft {
  const { name, stars, tier } = body
  return draft(body, 'team', 'team', name, { title: name, properties: { stars, tier }, relations: {} })
}

function branch(body: Body): EntityDraft {
  const { key, name, stars, tier, owner } = body
  return draft(body, 'branch', 'branch', key, { title: name, properties: { stars, tier }, relations: { owner } })
}

function incident(body: Body): EntityDraft {
  const { key, name, stars, tier } = body
  const fields = { title: name, properties: { stars, tier }, relations: { service: name } }
  return draft(body, 'incident', 'incident', key, fields)
}

const relation = (target: string, many = false): JsonObject => ({ target, many })

const blueprint = (identifier: string, relations: JsonObject): JsonObject => ({
  identifier,
  title: identifier,
  schema: { properties: {} },
  relations,
})

/** Both sources bring all of them: their kinds meet in the same blueprints, whichever mapping is activated first. */
export const blueprints: readonly JsonObject[] = [
  blueprint('service', { owner: relation('team') }),
  blueprint('label', { service: relation('service') }),
  blueprint('person', { teams: relation('team', true) }),
  blueprint('team', {}),
  blueprint('branch', { owner: relation('team') }),
  blueprint('incident', { service: relation('service') }),
]
