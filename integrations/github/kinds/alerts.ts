import type { components } from '@octokit/openapi-types'
import type { Got, Json, JsonObject, Kind } from '../../../core/sdk/index.ts'
import { homeOf } from '../directory.ts'
import { pages } from '../pages.ts'
import { orderable } from '../schema.ts'
import { reasonOf, type Scope } from '../scope.ts'
import { numberIn, objectOf, pickObject, type Shape, type ShapeOf, textIn } from '../shape.ts'
import { type ChildParts, keyOfChild } from './child.ts'
import { person } from './people.ts'

type Schemas = components['schemas']

/** Security alerts are listed for an organisation as a whole: a request for a hundred of them, not one for each repository. */
export interface AlertSpec {
  readonly name: string
  /** As GitHub writes it in addresses. */
  readonly path: string
  readonly byCursor?: true
  readonly shape: { readonly [field: string]: Shape }
  readonly selects: (item: JsonObject, selector: JsonObject) => boolean
}

const textsOf = (value: Json | undefined): readonly Json[] | undefined =>
  Array.isArray(value) ? value : typeof value === 'string' ? [value] : undefined

const oneOf = (value: Json | undefined, wanted: Json | undefined): boolean => {
  const list = textsOf(wanted)
  return list === undefined || list.length === 0 || list.includes('all') || list.includes(value ?? null)
}

const inside = (item: JsonObject, ...path: readonly string[]): Json | undefined =>
  path.reduce<Json | undefined>(
    (at, name) => (typeof at === 'object' && at !== null && !Array.isArray(at) ? (at as JsonObject)[name] : undefined),
    item,
  )

const addresses = { number: true, url: true, html_url: true, created_at: true, updated_at: true, state: true } as const
const dismissal = { dismissed_at: true, dismissed_by: person, dismissed_reason: true, dismissed_comment: true } as const

export const alertSpecs: readonly AlertSpec[] = [
  {
    name: 'dependabot-alert',
    path: 'dependabot',
    byCursor: true,
    shape: {
      ...addresses,
      ...dismissal,
      dependency: { package: true, manifest_path: true, scope: true },
      security_advisory: {
        ghsa_id: true,
        cve_id: true,
        summary: true,
        description: true,
        severity: true,
        identifiers: true,
        references: true,
        published_at: true,
        updated_at: true,
        withdrawn_at: true,
        vulnerabilities: true,
        cvss: true,
        cwes: true,
      },
      security_vulnerability: {
        package: true,
        severity: true,
        vulnerable_version_range: true,
        first_patched_version: true,
      },
      fixed_at: true,
      auto_dismissed_at: true,
    } satisfies ShapeOf<Schemas['dependabot-alert-with-repository']>,
    selects: (item, selector) =>
      oneOf(item['state'], selector['states'] ?? selector['state'] ?? 'open') &&
      oneOf(inside(item, 'security_advisory', 'severity'), selector['severity']) &&
      oneOf(inside(item, 'dependency', 'package', 'ecosystem'), selector['ecosystems']),
  },
  {
    name: 'code-scanning-alert',
    path: 'code-scanning',
    shape: {
      ...addresses,
      ...dismissal,
      fixed_at: true,
      rule: {
        id: true,
        severity: true,
        description: true,
        name: true,
        tags: true,
        full_description: true,
        help: true,
        security_severity_level: true,
      },
      tool: { name: true, guid: true, version: true },
      most_recent_instance: {
        ref: true,
        analysis_key: true,
        environment: true,
        category: true,
        state: true,
        commit_sha: true,
        message: true,
        location: true,
        classifications: true,
      },
      instances_url: true,
    } satisfies ShapeOf<Schemas['code-scanning-organization-alert-items']>,
    selects: (item, selector) =>
      oneOf(item['state'], selector['state'] ?? selector['states'] ?? 'open') &&
      oneOf(inside(item, 'rule', 'security_severity_level'), selector['severity']),
  },
  {
    name: 'secret-scanning-alert',
    path: 'secret-scanning',
    // The secret itself is what must never be here.
    shape: {
      ...addresses,
      locations_url: true,
      resolution: true,
      resolved_at: true,
      resolved_by: person,
      resolution_comment: true,
      secret_type: true,
      secret_type_display_name: true,
      push_protection_bypassed: true,
      push_protection_bypassed_by: person,
      push_protection_bypassed_at: true,
      validity: true,
      publicly_leaked: true,
      multi_repo: true,
    } satisfies ShapeOf<Omit<Schemas['organization-secret-scanning-alert'], 'secret'>>,
    selects: (item, selector) => oneOf(item['state'], selector['state'] ?? selector['states'] ?? 'open'),
  },
]

/** A listing of an organisation's alerts says less of their repositories than any other answer, so the rest is left out. */
const about = {
  id: true,
  node_id: true,
  name: true,
  full_name: true,
  private: true,
  owner: { login: true, id: true, node_id: true, type: true, html_url: true, avatar_url: true },
  html_url: true,
  url: true,
  fork: true,
} as const satisfies ShapeOf<Schemas['simple-repository']>

const added = { __repository: true, __organization: true, __repository_object: about } as const

/** An alert with the repository it is about, in the form that children of a repository have. */
function withRepository(raw: Json, repository: Json): Json {
  const home = homeOf(repository)
  const { repository: _left, ...alert } = objectOf(raw, 'alert')
  return { ...alert, __repository: home.name, __organization: home.owner, __repository_object: home.body }
}

export function alertKind(spec: AlertSpec, { client, config, directory }: ChildParts, scope: Scope): Kind {
  const { name: what } = spec
  const shape = { ...spec.shape, ...added }
  const names = config.only && new Set(config.only.map((name) => name.toLowerCase()))
  const canonical = (item: Json): JsonObject => {
    const object = objectOf(item, what)
    numberIn(object, ['number'], what)
    numberIn(object, ['__repository_object', 'id'], what)
    return pickObject(object, shape)
  }
  const listed = (raw: Json): Json | undefined => {
    const repository = objectOf(raw, what)['repository'] ?? null
    const fullName = textIn(objectOf(repository, what), ['full_name'], what)
    if (names !== undefined && !names.has(fullName.toLowerCase())) return undefined
    return withRepository(raw, repository)
  }
  return {
    name: spec.name,
    coverage: 'complete',
    paging: 'shifting',
    canonical,
    key(item) {
      const object = objectOf(item, what)
      return keyOfChild(numberIn(object, ['__repository_object', 'id'], what), numberIn(object, ['number'], what))
    },
    version(item) {
      const time = objectOf(item, what)['updated_at']
      return typeof time === 'string' ? orderable(time) : undefined
    },
    locator: () => ({}),
    selects: (item, selector) => spec.selects(objectOf(item, what), selector),
    partitions: scope.partitions,
    list(request) {
      const org = request.partition.name
      const listing = {
        route: `GET /orgs/{org}/${spec.path}/alerts`,
        params: { org },
        pageSize: config.pageSize,
        what: `${what}s of ${org}`,
        item: listed,
        ...(spec.byCursor === undefined ? {} : { byCursor: spec.byCursor }),
      }
      return pages(client, listing, request)
    },
    async get(key, _locator, partition, signal): Promise<Got> {
      const [, id, number] = /^(\d+)\/(\d+)$/.exec(key) ?? []
      const seen = await scope.look(partition, signal)
      if (typeof seen === 'string') return { state: 'unknown', reason: seen }
      if (id === undefined || number === undefined) return { state: 'gone' }
      const route = `GET /repositories/{id}/${spec.path}/alerts/{number}`
      const answer = await client.ask(route, { id, number }, { signal })
      if (answer.state === 'notModified') return { state: 'unknown', reason: 'unexpected 304' }
      if (answer.state === 'refused') {
        if (answer.status === 404) return { state: 'gone' }
        return { state: 'unknown', reason: reasonOf(answer, `${what} ${key}`) }
      }
      const home = await directory.byId(id, signal)
      if (typeof home === 'string') return { state: 'unknown', reason: home }
      const { repository: _own, ...alert } = objectOf(answer.data, what)
      const more = { __repository: home.name, __organization: home.owner, __repository_object: home.body }
      return { state: 'present', body: { ...alert, ...more } }
    },
  }
}
