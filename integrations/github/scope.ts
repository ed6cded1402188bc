import { z } from 'zod'
import { type Json, type Partition, ScopeUnreadable } from '../../core/sdk/index.ts'
import type { Answer, Client } from './client.ts'
import { type GithubConfig, read } from './schema.ts'

/** What tells one organisation from another, and what only its members see of it. */
const organizationSeen = z.object({
  id: z.int(),
  login: z.string(),
  public_repos: z.int().default(0),
  total_private_repos: z.int().optional(),
  default_repository_permission: z.string().nullish(),
})
export type OrganizationSeen = z.output<typeof organizationSeen>

const memberships = z.array(
  z.object({ state: z.string(), role: z.string(), organization: z.object({ login: z.string() }) }),
)

/** The configured organisations. Logins are compared as GitHub does, without regard to case. */
export interface Scope {
  readonly organizations: readonly string[]
  /** The partition of this owner, in its configured spelling. Undefined: it is not ours to read. */
  readonly partitionOf: (login: string) => string | undefined
  /** The organisation, or why it cannot be read. */
  readonly look: (partition: string, signal: AbortSignal) => Promise<OrganizationSeen | string>
  /** Called at the start of each scan: an organisation that cannot be read is unknown, not empty. */
  readonly partitions: (signal: AbortSignal) => Promise<readonly Partition[]>
  /** Own membership of each organisation, by lower-case login. A reason when the token may not ask. */
  readonly memberships: (
    signal: AbortSignal,
  ) => Promise<ReadonlyMap<string, { readonly state: string; readonly role: string }> | string>
}

export function createScope(config: GithubConfig, client: Client): Scope {
  const spelling = new Map(config.organizations.map((name) => [name.toLowerCase(), name]))
  const scope: Scope = {
    organizations: config.organizations,
    partitionOf: (login) => spelling.get(login.toLowerCase()),
    async look(partition, signal) {
      const answer = await client.recall('GET /orgs/{org}', { org: partition }, signal)
      if (answer.state === 'refused') return reasonOf(answer, `organisation ${partition}`)
      return read(organizationSeen, answer.data, `organisation ${partition}`)
    },
    partitions: (signal) =>
      Promise.all(
        config.organizations.map(async (name) => {
          const seen = await scope.look(name, signal)
          return typeof seen === 'string' ? { name, unknown: seen } : { name }
        }),
      ),
    async memberships(signal) {
      if (client.installations !== undefined) return 'an App is a member of nothing'
      const answer = await client.recall('GET /user/memberships/orgs', { per_page: 100, state: 'active' }, signal)
      if (answer.state === 'refused') return reasonOf(answer, 'own memberships')
      const rows = read(memberships, answer.data, 'own memberships')
      return new Map(rows.map(({ organization, ...row }) => [organization.login.toLowerCase(), row]))
    },
  }
  return scope
}

type Refused = Extract<Answer, { state: 'refused' }>

/** "organisation acme answered 404 (Not Found)". */
export function reasonOf(answer: Refused, what: string): string {
  const sso = answer.header('x-github-sso')?.startsWith('required') === true
  return `${what} answered ${answer.status} (${answer.message})${sso ? '; the token is not authorised for single sign-on' : ''}`
}

const hints: Readonly<Record<number, string>> = {
  401: 'The token was refused. Replace it.',
  403: 'The token may not read this. Grant the permission that GitHub names, or authorise it for single sign-on.',
  404: 'GitHub answers 404 for what a token may not see. Check the name, the membership of its owner and its permissions.',
}

/** Throws ScopeUnreadable for a refused listing; whatever the status, a listing that was refused lists nothing. */
export function unreadable(answer: Refused, what: string): ScopeUnreadable {
  return new ScopeUnreadable(reasonOf(answer, what), hints[answer.status])
}

/** GitHub says with a 200 that it left out organisations the token is not authorised for. */
export function partial(header: (name: string) => string | undefined): string | undefined {
  const sso = header('x-github-sso')
  return sso?.startsWith('partial-results') === true ? 'GitHub left out what needs single sign-on' : undefined
}

export function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
