import { z } from 'zod'
import type { Got, Kind } from '../../../core/sdk/index.ts'
import type { Answer, Client } from '../client.ts'
import { pages } from '../pages.ts'
import { type GithubConfig, keyOf, read } from '../schema.ts'
import { reasonOf, type Scope } from '../scope.ts'

const text = z.string().nullable().default(null)
const identity = { id: z.int(), node_id: z.string(), name: z.string(), slug: z.string() }

/** Which organisation a team is of is only in its address: https://HOST/orgs/LOGIN/teams/SLUG. */
const home = (url: string): { login: string } | null => {
  const login = /\/orgs\/([^/]+)\/teams\//.exec(url)?.[1]
  return login === undefined ? null : { login }
}

/**
 * Mapping files read name, slug, description, permission, html_url, id and notification_setting. Members and repositories
 * cost calls per team: those are the kind `team-access`. A team has no timestamp in a listing, so it has no version.
 */
const team = z
  .object({
    ...identity,
    description: text,
    privacy: text,
    notification_setting: text,
    permission: text,
    html_url: z.string(),
    parent: z.object(identity).nullable().default(null),
  })
  .transform((it) => ({ ...it, organization: home(it.html_url) }))

/** What a team has everywhere. */
export const teamSeen = z
  .object({ ...identity, html_url: z.string() })
  .transform((it) => ({ ...it, organization: home(it.html_url) }))

/** One call per hundred teams. */
export function teamKind(config: GithubConfig, client: Client, scope: Scope): Kind {
  return {
    name: 'team',
    coverage: 'complete',
    paging: 'shifting',
    canonical: (item) => read(team, item, 'team'),
    key: (item) => keyOf(item, 'team'),
    locator: (item) => ({ slug: read(teamSeen, item, 'team').slug }),
    partitions: scope.partitions,
    list(request) {
      const org = request.partition.name
      return pages(client, teamListing(config, org), request)
    },
    async get(key, _locator, partition, signal): Promise<Got> {
      const found = await findTeam(client, scope, key, partition, signal)
      return found.state === 'ok' ? { state: 'present', body: found.data } : found
    },
  }
}

export const teamListing = (config: GithubConfig, org: string) => ({
  route: 'GET /orgs/{org}/teams',
  params: { org },
  pageSize: config.pageSize,
  what: `teams of ${org}`,
})

/** By id, because a slug changes with the name. The organisation is looked at first: only over a readable one is a 404 a word. */
export async function findTeam(
  client: Client,
  scope: Scope,
  key: string,
  partition: string,
  signal: AbortSignal,
): Promise<Extract<Answer, { state: 'ok' }> | Exclude<Got, { state: 'present' }>> {
  const seen = await scope.look(partition, signal)
  if (typeof seen === 'string') return { state: 'unknown', reason: seen }
  const answer = await client.ask('GET /organizations/{org}/team/{team}', { org: seen.id, team: key }, { signal })
  if (answer.state === 'notModified') return { state: 'unknown', reason: 'unexpected 304' }
  if (answer.state === 'refused') {
    return answer.status === 404 ? { state: 'gone' } : { state: 'unknown', reason: reasonOf(answer, `team ${key}`) }
  }
  if (keyOf(answer.data, 'team') !== key) return { state: 'unknown', reason: `team ${key} answered as another one` }
  return answer
}
