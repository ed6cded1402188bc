import { z } from 'zod'
import {
  type Got,
  isObject,
  type Json,
  type Kind,
  type ListRequest,
  type Page,
  type Version,
} from '../../../core/sdk/index.ts'
import type { Client } from '../client.ts'
import { pages } from '../pages.ts'
import { keyOf, orderable, read, timestamp } from '../schema.ts'
import { reasonOf, type Scope, unreadable } from '../scope.ts'
import type { ChildParts } from './child.ts'
import { createExtras, type Extras } from './extras.ts'

const text = z.string().nullable().default(null)
const count = z.int().nullable().default(null)
const flag = z.boolean().nullable().default(null)

/**
 * Fields that a listing, a `get` and a webhook give alike. Mapping files read html_url, default_branch, name, full_name,
 * language, description, private, visibility, topics, pushed_at and owner.login. Left out on purpose: `url` (a push event
 * has another one), `permissions` (depends on who asks), open_issues_count, watchers and size (change all the time without
 * moving a timestamp, so that each would cost a `get`), custom_properties (not in every listing). A field that is not there
 * is null, never a made-up value: a lost permission hides fields, and that must show.
 */
const repository = z
  .object({
    id: z.int(),
    node_id: z.string(),
    name: z.string(),
    full_name: z.string(),
    private: z.boolean(),
    owner: z.object({
      login: z.string(),
      id: z.int(),
      node_id: z.string(),
      type: z.string(),
      html_url: z.string(),
      avatar_url: text,
    }),
    html_url: z.string(),
    description: text,
    fork: flag,
    homepage: text,
    language: text,
    topics: z.array(z.string()).nullable().default(null),
    visibility: text,
    archived: flag,
    disabled: flag,
    is_template: flag,
    default_branch: text,
    license: z.object({ key: z.string(), name: z.string(), spdx_id: text }).nullable().default(null),
    stargazers_count: count,
    forks_count: count,
    clone_url: text,
    ssh_url: text,
    created_at: timestamp,
    updated_at: timestamp,
    pushed_at: timestamp.nullable().default(null),
  })
  // Enterprise servers before 3.3 know only `private`. Written in place: the object is new, and a copy doubles the cost of an item.
  .transform((it) => {
    it.visibility ??= it.private ? 'private' : 'public'
    return it
  })

const versioned = z.object({ updated_at: timestamp, pushed_at: timestamp.nullish() })
const addressed = z.object({ full_name: z.string() })
const owned = z.object({ id: z.int(), owner: z.object({ login: z.string(), id: z.int() }) })

/** Fields that old or abridged bodies lack. With all of them a webhook's body says as much as an item of a listing. */
const whole = [
  'topics',
  'visibility',
  'is_template',
  'disabled',
  'license',
  'language',
  'updated_at',
  'pushed_at',
] as const

export function isWholeRepository(body: Json): boolean {
  return isObject(body) && whole.every((field) => Object.hasOwn(body, field))
}

/**
 * The later of updated_at and pushed_at, then the earlier. Neither ever moves back, so any step of one of them moves this
 * pair forward, while the later one alone would stand still when the other catches up.
 */
export function repositoryVersion(item: Json): Version | undefined {
  const times = versioned.safeParse(item)
  const updated = times.success ? orderable(times.data.updated_at) : undefined
  if (!times.success || updated === undefined) return undefined
  const pushed = times.data.pushed_at == null ? '' : (orderable(times.data.pushed_at) ?? '')
  return updated > pushed ? `${updated} ${pushed}` : `${pushed} ${updated}`
}

/** One call per hundred repositories. With `only`, one per repository. */
export function repositoryKind(parts: ChildParts, scope: Scope): Kind {
  const { client, config, wants } = parts
  const extras = createExtras(parts)
  return {
    name: 'repository',
    coverage: 'complete',
    paging: 'shifting',
    canonical: (item) => ({ ...read(repository, item, 'repository'), ...extras.kept(item) }),
    key: (item) => keyOf(item, 'repository'),
    version: repositoryVersion,
    locator: (item) => ({ fullName: read(addressed, item, 'repository').full_name }),
    partitions: scope.partitions,
    list(request) {
      if (config.only !== undefined) return listOnly(client, config.only, extras, request)
      const org = request.partition.name
      const listing = {
        route: 'GET /orgs/{org}/repos',
        // Oldest first: what is created goes to the end and moves nothing; only a deletion shifts pages.
        params: { org, type: wants.repositoryType, sort: 'created', direction: 'asc' },
        pageSize: config.pageSize,
        what: `repositories of ${org}`,
        ...extras.listing(request.signal),
      }
      return pages(client, listing, request)
    },
    get: (key, _locator, partition, signal) => get(client, scope, extras, key, partition, signal),
  }
}

async function get(
  client: Client,
  scope: Scope,
  extras: Extras,
  key: string,
  partition: string,
  signal: AbortSignal,
): Promise<Got> {
  // By id, so that a rename cannot lead to another repository under the old name.
  const answer = await client.ask('GET /repositories/{id}', { id: key }, { signal })
  if (answer.state === 'notModified') return { state: 'unknown', reason: 'unexpected 304' }
  if (answer.state === 'refused' && answer.status !== 404) {
    return { state: 'unknown', reason: reasonOf(answer, `repository ${key}`) }
  }
  if (answer.state === 'refused') {
    const seen = await scope.look(partition, signal)
    return typeof seen === 'string' ? { state: 'unknown', reason: seen } : { state: 'gone' }
  }
  const { id, owner } = read(owned, answer.data, `repository ${key}`)
  if (String(id) !== key) return { state: 'unknown', reason: `repository ${key} answered as ${id}` }
  const home = scope.partitionOf(owner.login)
  const body = (): Promise<Json> => extras.add(answer.data, signal, 'live')
  if (home !== undefined) return { state: 'present', body: await body(), partitions: [home] }
  // It moved out of our sight, or its organisation was renamed, which takes nothing away.
  const seen = await scope.look(partition, signal)
  if (typeof seen === 'string') return { state: 'unknown', reason: seen }
  return seen.id === owner.id ? { state: 'present', body: await body() } : { state: 'gone' }
}

async function* listOnly(
  client: Client,
  only: readonly string[],
  extras: Extras,
  request: ListRequest,
): AsyncGenerator<Page> {
  const org = request.partition.name
  const names = only.filter((name) => name.toLowerCase().startsWith(`${org.toLowerCase()}/`))
  for (let index = Number(request.from ?? 1) - 1; index < Math.max(names.length, 1); index += 1) {
    const cursor = String(index + 1)
    const next = index + 1 < names.length ? { next: String(index + 2) } : {}
    const [owner = '', repo] = names[index]?.split('/') ?? []
    if (repo === undefined) return yield { cursor, items: [], ...next }
    const known = /^(\S*) (.+)$/s.exec(request.known(cursor)?.validator ?? '')
    const etag = known?.[1] === extras.stamp ? known[2] : undefined
    const asked = { signal: request.signal, priority: 'scan', etag } as const
    const answer = await client.ask('GET /repos/{owner}/{repo}', { owner, repo }, asked)
    // Of a list that a person wrote, a repository that cannot be found is a mistake to be said, not an absence.
    if (answer.state === 'refused') throw unreadable(answer, `repository ${owner}/${repo}`)
    if (answer.state === 'notModified') yield { cursor, items: [], notModified: true, ...marked(extras, etag), ...next }
    else {
      const item = await extras.add(answer.data, request.signal, 'scan')
      yield { cursor, items: [item], ...marked(extras, answer.header('etag')), ...next }
    }
  }
}

/** Of another shape than the one that is asked for now, a page is as good as unknown. */
const marked = ({ stamp }: Extras, etag: string | undefined): { validator?: string } =>
  etag === undefined ? {} : { validator: `${stamp} ${etag}` }
