import { z } from 'zod'
import type { Got, Json, Kind } from '../../../core/sdk/index.ts'
import type { Client } from '../client.ts'
import { pages } from '../pages.ts'
import { type GithubConfig, keyOf, read } from '../schema.ts'
import { reasonOf, type Scope } from '../scope.ts'

/**
 * The short form that listings, memberships and webhooks share. Name and e-mail address are not in it: they cost a call per
 * person, and most people show no address. The role is left out, too: a person may be an owner here and a member there, and
 * a record is one for all of its organisations.
 */
const user = z.object({
  id: z.int(),
  node_id: z.string(),
  login: z.string(),
  type: z.string().nullable().default(null),
  html_url: z.string(),
  avatar_url: z.string().nullable().default(null),
  site_admin: z.boolean().nullable().default(null),
})

const named = z.object({ login: z.string() })
const member = z.object({ state: z.string(), user: z.looseObject({ id: z.int() }) })

/** One call per hundred members. A person in two organisations is one record with two presences. */
export function userKind(config: GithubConfig, client: Client, scope: Scope): Kind {
  return {
    name: 'user',
    coverage: 'complete',
    paging: 'shifting',
    canonical: (item) => read(user, item, 'user'),
    key: (item) => keyOf(item, 'user'),
    locator: (item) => ({ login: read(named, item, 'user').login }),
    partitions: scope.partitions,
    list(request) {
      const org = request.partition.name
      const listing = {
        route: 'GET /orgs/{org}/members',
        params: { org },
        pageSize: config.pageSize,
        what: `members of ${org}`,
      }
      return pages(client, listing, request)
    },
    async get(key, locator, partition, signal) {
      const login = typeof locator['login'] === 'string' ? locator['login'] : undefined
      const first = login === undefined ? 'absent' : await membership(client, key, login, partition, signal)
      if (first !== 'absent') return first
      // The stored login may be an old one: ask who the id is now.
      const profile = await client.ask('GET /user/{account_id}', { account_id: key }, { signal })
      if (profile.state === 'notModified') return { state: 'unknown', reason: 'unexpected 304' }
      if (profile.state === 'refused' && profile.status !== 404) {
        return { state: 'unknown', reason: reasonOf(profile, `user ${key}`) }
      }
      if (profile.state === 'ok') {
        const current = read(named, profile.data, 'user').login
        const second = current === login ? 'absent' : await membership(client, key, current, partition, signal)
        if (second !== 'absent') return second
      }
      return absent(scope, partition, signal)
    },
  }
}

/** Is this login, which must be this id, an active member? An invitation is none yet. */
async function membership(
  client: Client,
  key: string,
  login: string,
  org: string,
  signal: AbortSignal,
): Promise<Got | 'absent'> {
  const answer = await client.ask('GET /orgs/{org}/memberships/{username}', { org, username: login }, { signal })
  if (answer.state === 'notModified') return { state: 'unknown', reason: 'unexpected 304' }
  if (answer.state === 'refused') {
    if (answer.status === 404) return 'absent'
    return { state: 'unknown', reason: reasonOf(answer, `membership of ${login} in ${org}`) }
  }
  const found = read(member, answer.data, `membership of ${login} in ${org}`)
  if (String(found.user.id) !== key || found.state !== 'active') return 'absent'
  // Parsed from JSON and passed through as it was.
  return { state: 'present', body: found.user as Json }
}

/** A member sees every member; to a stranger most are hidden, and absence would prove nothing. */
async function absent(scope: Scope, partition: string, signal: AbortSignal): Promise<Got> {
  const own = await scope.memberships(signal)
  if (typeof own === 'string') return { state: 'unknown', reason: own }
  if (own.get(partition.toLowerCase())?.state === 'active') return { state: 'gone' }
  return { state: 'unknown', reason: `the token's owner is no member of ${partition}` }
}
