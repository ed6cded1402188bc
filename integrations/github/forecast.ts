import type { Check } from '../../core/sdk/index.ts'
import type { Client } from './client.ts'
import { atOnce } from './codeowners.ts'
import { alertSpecs } from './kinds/alerts.ts'
import { childSpecs } from './kinds/index.ts'
import type { GithubConfig } from './schema.ts'
import { reasonOf, type Scope } from './scope.ts'
import type { Wants } from './wants.ts'

export interface Census {
  readonly teams: number
  readonly users: number
  /** What a listing was refused for, in GitHub's words. */
  readonly missing: Check['missing']
}

/**
 * How many teams and members an organisation has, by two questions for a page of one: the Link header names the last page.
 * A fine-grained token or an App does not say what it may do; GitHub names what is missing when it refuses.
 */
export async function census(client: Client, org: string, signal: AbortSignal): Promise<Census> {
  const missing: { kind: string; permission: string }[] = []
  const count = async (kind: string, route: string): Promise<number> => {
    const answer = await client.recall(route, { org, per_page: 1 }, signal)
    if (answer.state === 'refused') {
      const permission = answer.header('x-accepted-github-permissions') ?? reasonOf(answer, `${kind}s of ${org}`)
      missing.push({ kind, permission })
      return 0
    }
    const last = /[?&]page=(\d+)[^>]*>\s*;\s*rel="last"/.exec(answer.header('link') ?? '')?.[1]
    return last === undefined ? 1 : Number(last)
  }
  const teams = await count('team', 'GET /orgs/{org}/teams')
  const users = await count('user', 'GET /orgs/{org}/members')
  return { teams, users, missing }
}

/** What one organisation's listings cost at least: pages of each kind, a call for each repository, two for each team's reach. */
function listingsOf(
  config: GithubConfig,
  wants: Wants,
  org: string,
  size: { readonly repositories: number; readonly teams: number; readonly users: number },
): Readonly<Record<string, number>> {
  const pages = (items: number): number => Math.max(1, Math.ceil(items / config.pageSize))
  const only = config.only?.filter((name) => name.toLowerCase().startsWith(`${org.toLowerCase()}/`)).length
  // What is listed repository by repository: those are named first, and each is a page at least.
  const repositories = only ?? size.repositories
  const named = only ?? pages(size.repositories)
  const extras = wants.includedFiles.length + (wants.repositoryTeams ? 1 : 0) + (wants.repositoryCollaborators ? 1 : 0)
  return {
    ...Object.fromEntries(
      [...childSpecs.map(({ name }) => name), 'folder'].map((kind) => [kind, named + repositories]),
    ),
    // The tree, and about one in three of the files that are asked for.
    file: named + repositories * (1 + Math.ceil(wants.files.length / 3)),
    // About one deployment each; how many there are, only their listing tells.
    'deployment-status': named + 2 * repositories,
    ...Object.fromEntries(alertSpecs.map(({ name }) => [name, 1])),
    organization: 1,
    // Its repositories, and a query for fifty of them.
    codeowners: named + Math.max(1, Math.ceil(repositories / Math.min(config.pageSize, atOnce))),
    repository: (only ?? pages(size.repositories)) + repositories * extras,
    team: pages(size.teams),
    user: pages(size.users),
    'team-access': pages(size.teams) + 2 * size.teams,
  }
}

/** Sums of all organisations that can be read, and what is asked before each kind. */
export function forecast(
  config: GithubConfig,
  wants: Wants,
  scope: Scope,
  seen: ReadonlyMap<string, { readonly repositories: number; readonly teams: number; readonly users: number }>,
  defaultKinds: readonly string[],
): NonNullable<Check['forecast']> {
  const listings: Record<string, number> = {}
  for (const [org, size] of seen) {
    for (const [kind, calls] of Object.entries(listingsOf(config, wants, org, size)))
      listings[kind] = (listings[kind] ?? 0) + calls
  }
  // Own account, memberships, and each organisation twice: for the check and as a partition.
  const look = 2 + 2 * scope.organizations.length
  const calls = defaultKinds.reduce((sum, kind) => sum + (listings[kind] ?? 0) + look, 0)
  return { calls, listings, look }
}
