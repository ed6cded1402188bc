import { z } from 'zod'
import { CredentialRefused, type Json, type Tools } from '../../core/sdk/index.ts'
import { createClient } from './client.ts'
import { type GithubConfig, read } from './schema.ts'
import { reasonOf } from './scope.ts'

const memberships = z.array(z.object({ organization: z.object({ login: z.string() }) }))
const organizations = z.array(z.object({ login: z.string() }))
const installed = z.object({
  repositories: z.array(z.object({ owner: z.object({ login: z.string(), type: z.string() }) })),
})

type Route = readonly [route: string, what: string, logins: (data: Json) => readonly string[]]

/** Who may ask what differs by the kind of token; the first that answers with something counts. */
const routes: readonly Route[] = [
  [
    'GET /user/memberships/orgs',
    'own memberships',
    (data) => read(memberships, data, 'own memberships').map(({ organization }) => organization.login),
  ],
  [
    'GET /user/orgs',
    'own organisations',
    (data) => read(organizations, data, 'own organisations').map((it) => it.login),
  ],
  [
    'GET /installation/repositories',
    'repositories of the installation',
    (data) =>
      read(installed, data, 'repositories of the installation')
        .repositories.filter(({ owner }) => owner.type === 'Organization')
        .map(({ owner }) => owner.login),
  ],
]

/** Logins of the organisations that a token sees, or in which an App is installed, sorted, and why a question was refused. For a first configuration. */
export async function discover(
  config: Pick<GithubConfig, 'token' | 'app' | 'baseUrl'>,
  tools: Tools,
  signal: AbortSignal,
): Promise<{ readonly organizations: readonly string[]; readonly refused: readonly string[] }> {
  const client = createClient({ ...config, organizations: [] }, tools)
  if (client.installations !== undefined) {
    const installed = await client.installations(signal)
    const logins = installed.flatMap(({ account, suspended_at }) =>
      suspended_at == null ? (account?.login ?? []) : [],
    )
    return { organizations: logins.sort(), refused: [] }
  }
  const refused: string[] = []
  for (const [route, what, logins] of routes) {
    const answer = await client.recall(route, { per_page: 100 }, signal)
    if (answer.state === 'refused') {
      if (answer.status === 401) {
        const hint = 'Make a new one at GitHub under Settings, Developer settings, and set it in the environment.'
        throw new CredentialRefused(`GitHub refused the token: ${answer.message}.`, hint)
      }
      refused.push(reasonOf(answer, what))
      continue
    }
    const found = [...new Set(logins(answer.data))].sort()
    if (found.length > 0) return { organizations: found, refused }
  }
  return { organizations: [], refused }
}
