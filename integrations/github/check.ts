import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type Check, CredentialRefused } from '../../core/sdk/index.ts'
import type { Client } from './client.ts'
import { type Census, census, forecast } from './forecast.ts'
import { type GithubConfig, read } from './schema.ts'
import type { Scope } from './scope.ts'
import type { Wants } from './wants.ts'

const self = z.object({ id: z.int(), login: z.string() })

const tokenKinds: readonly (readonly [string, string])[] = [
  ['ghp_', 'classic token'],
  ['github_pat_', 'fine-grained token'],
  ['ghs_', 'installation of a GitHub App'],
  ['gho_', 'OAuth token'],
  ['ghu_', 'GitHub App user token'],
]

/**
 * Who the credential is and what it may see. Answers are recalled, so an unchanged check costs nothing of the rate limit.
 * `counted` is kept by the connection: what a token with scopes may do is known without asking, so it is counted once.
 */
export async function check(
  config: GithubConfig,
  wants: Wants,
  client: Client,
  scope: Scope,
  counted: Map<string, Census>,
  defaultKinds: readonly string[],
  signal: AbortSignal,
): Promise<Check> {
  const kind = tokenKinds.find(([prefix]) => config.token.startsWith(prefix))?.[1] ?? 'token'
  const user = await client.recall('GET /user', {}, signal)
  if (user.state === 'refused' && user.status === 401) {
    throw new CredentialRefused(
      `GitHub refused the token: ${user.message}.`,
      'Replace `token` in the configuration of this source.',
    )
  }
  // The installation of an App is nobody; it hears 403 here and may still read its organisations.
  const who = user.state === 'ok' ? read(self, user.data, 'own account') : undefined
  const scopes = user
    .header('x-oauth-scopes')
    ?.split(/[,\s]+/)
    .filter(Boolean)
    .sort()
  const memberships = await scope.memberships(signal)
  const missing: { kind: string; permission: string }[] = []
  const seen: unknown[] = []
  const sizes = new Map<string, { repositories: number; teams: number; users: number }>()
  for (const org of scope.organizations) {
    const look = await scope.look(org, signal)
    if (typeof look === 'string') continue
    const own = typeof memberships === 'string' ? undefined : memberships.get(org.toLowerCase())
    // Members see these two fields; the base permission decides which repositories of others a member sees.
    const inside = look.total_private_repos !== undefined
    seen.push([org, look.id, inside, look.default_repository_permission ?? null, own?.state ?? null, own?.role ?? null])
    if (who !== undefined && own === undefined) {
      missing.push({ kind: 'user', permission: `membership of ${org}: a stranger sees only members who are public` })
    }
    const known = scopes === undefined ? undefined : counted.get(org)
    const { teams, users, missing: refused } = known ?? (await census(client, org, signal))
    counted.set(org, { teams, users, missing: refused })
    if (scopes === undefined) missing.push(...refused)
    sizes.set(org, { repositories: look.public_repos + (look.total_private_repos ?? 0), teams, users })
  }
  if (scopes !== undefined) missing.push(...missingScopes(scopes))
  const visible = [who?.id ?? null, kind, scopes ?? null, seen, missing]
  return {
    identity: `${who?.login ?? 'GitHub App'} (${kind})`,
    fingerprint: createHash('sha256').update(JSON.stringify(visible)).digest('hex'),
    missing,
    forecast: forecast(config, wants, scope, sizes, defaultKinds),
  }
}

/** https://docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps */
function missingScopes(scopes: readonly string[]): Check['missing'] {
  const members = ['read:org', 'write:org', 'admin:org'].some((scope) => scopes.includes(scope))
  return [
    ...(scopes.includes('repo')
      ? []
      : [{ kind: 'repository', permission: 'repo: private repositories are not visible' }]),
    ...(members ? [] : ['team', 'user'].map((kind) => ({ kind, permission: 'read:org' }))),
  ]
}
