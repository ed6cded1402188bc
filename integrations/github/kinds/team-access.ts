import { z } from 'zod'
import { BadAnswer, type Got, type Json, type Kind, type ListRequest, type Page } from '../../../core/sdk/index.ts'
import type { Answer, Client } from '../client.ts'
import { nextPage } from '../pages.ts'
import { type GithubConfig, keyOf, read } from '../schema.ts'
import { isArray, reasonOf, type Scope, unreadable } from '../scope.ts'
import { findTeam, teamListing, teamSeen } from './team.ts'

const byId = (a: { readonly id: number }, b: { readonly id: number }): number => a.id - b.id

/** Who is in a team and what it reaches, child teams included. GitHub sorts neither list, so we do. */
const teamAccess = z
  .object({
    id: z.int(),
    node_id: z.string(),
    name: z.string(),
    slug: z.string(),
    html_url: z.string(),
    organization: z.object({ login: z.string() }).nullable(),
    members: z.array(z.object({ id: z.int(), login: z.string() })),
    repositories: z.array(
      z.object({ id: z.int(), full_name: z.string(), role_name: z.string().nullable().default(null) }),
    ),
  })
  .transform((it) => ({
    ...it,
    members: it.members.toSorted(byId),
    repositories: it.repositories.toSorted(byId),
  }))

/** A page's validator: what the team was in its listing, which has no part in the ETags of its members and repositories. */
const remembered = z
  .string()
  .transform((text): unknown => JSON.parse(text))
  .pipe(z.object({ team: z.string(), etags: z.tuple([z.string(), z.string()]) }))

type Team = z.output<typeof teamSeen>
type Refused = Extract<Answer, { state: 'refused' }>

/**
 * Two calls per team, one when neither changed costs nothing. A page holds one team, so that it can be answered by 304:
 * its cursor is "page of teams . index in it", its validator what the team was and the two ETags.
 */
export function teamAccessKind(config: GithubConfig, client: Client, scope: Scope): Kind {
  return {
    name: 'team-access',
    coverage: 'complete',
    paging: 'shifting',
    canonical: (item) => read(teamAccess, item, 'team access'),
    key: (item) => keyOf(item, 'team access'),
    locator: (item) => ({ slug: read(teamSeen, item, 'team access').slug }),
    partitions: scope.partitions,
    list: (request) => list(config, client, request),
    async get(key, _locator, partition, signal): Promise<Got> {
      const found = await findTeam(client, scope, key, partition, signal)
      if (found.state !== 'ok') return found
      const team = read(teamSeen, found.data, `team ${key}`)
      const reach = await reachOf(client, config, partition, team, { signal })
      // The team was there a moment ago; the next look tells.
      if (reach.state === 'refused') return { state: 'unknown', reason: reasonOf(reach, `team ${team.slug}`) }
      return reach.state === 'ok'
        ? { state: 'present', body: reach.item }
        : { state: 'unknown', reason: 'unexpected 304' }
    },
  }
}

async function* list(config: GithubConfig, client: Client, request: ListRequest): AsyncGenerator<Page> {
  const org = request.partition.name
  const { route, params, pageSize, what } = teamListing(config, org)
  const [from = '1', at = '0'] = request.from?.split('.') ?? []
  let page = from
  let index = Number(at)
  for (;;) {
    const asked = { signal: request.signal, priority: 'scan' } as const
    const answer = await client.ask(route, { ...params, per_page: pageSize, page }, asked)
    if (answer.state === 'refused') throw unreadable(answer, what)
    const teams = answer.state === 'ok' && isArray(answer.data) ? answer.data : []
    const after = nextPage(answer.header('link'), what)
    if (index >= teams.length) yield { cursor: `${page}.${index}`, items: [], ...(after ? { next: `${after}.0` } : {}) }
    for (; index < teams.length; index += 1) {
      const following = index + 1 < teams.length ? `${page}.${index + 1}` : after && `${after}.0`
      const team = read(teamSeen, teams[index], `${what}, team ${index}`)
      yield await onePage(config, client, request, team, `${page}.${index}`, following)
    }
    if (after === undefined) return
    page = after
    index = 0
  }
}

async function onePage(
  config: GithubConfig,
  client: Client,
  request: ListRequest,
  team: Team,
  cursor: string,
  following: string | undefined,
): Promise<Page> {
  const next = following === undefined ? {} : { next: following }
  const known = request.known(cursor)
  const before = remembered.safeParse(known?.validator)
  const identity = JSON.stringify(team)
  const { signal } = request
  const org = request.partition.name
  const reach = await reachOf(client, config, org, team, {
    signal,
    priority: 'scan',
    ...(before.success && before.data.team === identity ? { etags: before.data.etags } : {}),
  })
  if (reach.state === 'refused') {
    // It was listed a moment ago. A 404 is one team that went meanwhile, anything else is the organisation's refusal.
    if (reach.status !== 404) throw unreadable(reach, `team ${org}/${team.slug}`)
    return { cursor, items: [], incomplete: reasonOf(reach, `team ${org}/${team.slug}`), ...next }
  }
  if (reach.state === 'notModified') {
    return { cursor, items: [], notModified: true, ...(known ? { validator: known.validator } : {}), ...next }
  }
  const validator =
    reach.etags === undefined ? {} : { validator: JSON.stringify({ team: identity, etags: reach.etags }) }
  return { cursor, items: [reach.item], ...validator, ...next }
}

type Reach =
  | Refused
  | { readonly state: 'notModified' }
  | { readonly state: 'ok'; readonly item: Json; readonly etags: readonly [string, string] | undefined }

interface ReachOptions {
  readonly signal: AbortSignal
  readonly priority?: 'scan'
  readonly etags?: readonly [string, string]
}

async function reachOf(
  client: Client,
  config: GithubConfig,
  org: string,
  team: Team,
  options: ReachOptions,
): Promise<Reach> {
  const [members, repositories] = await Promise.all(
    (['members', 'repos'] as const).map((of, i) =>
      all(client, config, org, team.slug, of, options, options.etags?.[i]),
    ),
  )
  if (members === undefined || repositories === undefined) throw new Error('two calls have two answers')
  if (members.state === 'notModified' && repositories.state === 'notModified') return { state: 'notModified' }
  // One of the two changed, and the other is not at hand: once more, without conditions.
  if (members.state === 'notModified' || repositories.state === 'notModified') {
    const { etags: _, ...unconditional } = options
    return reachOf(client, config, org, team, unconditional)
  }
  if (members.state === 'refused') return members
  if (repositories.state === 'refused') return repositories
  const both = members.etag !== undefined && repositories.etag !== undefined
  return {
    state: 'ok',
    item: { ...team, members: members.items, repositories: repositories.items },
    etags: both ? [members.etag, repositories.etag] : undefined,
  }
}

type All =
  | Refused
  | { readonly state: 'notModified' }
  | { readonly state: 'ok'; readonly items: readonly Json[]; readonly etag?: string }

/** All pages of one list of a team. An ETag only if there is one page, which is not full: see `usable` in pages.ts. */
async function all(
  client: Client,
  config: GithubConfig,
  org: string,
  slug: string,
  of: 'members' | 'repos',
  options: ReachOptions,
  etag: string | undefined,
): Promise<All> {
  const items: Json[] = []
  const what = `${of} of team ${org}/${slug}`
  for (let page: string | undefined = '1'; page !== undefined; ) {
    const answer: Answer = await client.ask(
      `GET /orgs/{org}/teams/{team_slug}/${of}`,
      { org, team_slug: slug, per_page: config.pageSize, page },
      { ...options, etag: page === '1' ? etag : undefined },
    )
    if (answer.state !== 'ok') return answer
    if (!isArray(answer.data)) throw new BadAnswer(`${what}: $: expected an array`)
    items.push(...answer.data)
    const next = nextPage(answer.header('link'), what)
    const tag = answer.header('etag')
    if (next === undefined && page === '1' && tag !== undefined && items.length < config.pageSize) {
      return { state: 'ok', items, etag: tag }
    }
    page = next === page ? undefined : next
  }
  return { state: 'ok', items }
}
