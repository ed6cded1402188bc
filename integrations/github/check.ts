import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type Check, CredentialRefused } from '../../core/sdk/index.ts'
import type { Installation } from './app.ts'
import type { Client } from './client.ts'
import { type Census, census, forecast } from './forecast.ts'
import { permissions } from './permissions.ts'
import { probe } from './probe.ts'
import { type GithubConfig, read } from './schema.ts'
import type { Scope } from './scope.ts'
import type { Wants } from './wants.ts'

const self = z.object({ id: z.int(), login: z.string() })
const appSelf = z.object({ slug: z.string() })

const fineGrained = 'fine-grained token'
const tokenKinds: readonly (readonly [string, string])[] = [
  ['ghp_', 'classic token'],
  ['github_pat_', fineGrained],
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
  const installations = await client.installations?.(signal)
  const kind =
    installations === undefined
      ? (tokenKinds.find(([prefix]) => config.token?.startsWith(prefix))?.[1] ?? 'token')
      : 'GitHub App'
  const user = await client.recall(installations === undefined ? 'GET /user' : 'GET /app', {}, signal)
  if (user.state === 'refused' && user.status === 401) {
    throw new CredentialRefused(
      `GitHub refused the token: ${user.message}.`,
      'Replace `token` in the configuration of this source.',
    )
  }
  // The installation of an App is nobody; it hears 403 here and may still read its organisations.
  const who = user.state === 'ok' && installations === undefined ? read(self, user.data, 'own account') : undefined
  const slug = user.state === 'ok' && installations !== undefined ? read(appSelf, user.data, 'the App').slug : undefined
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
    const known = scopes === undefined && kind !== fineGrained ? undefined : counted.get(org)
    const { teams, users, missing: refused } = known ?? (await count(client, org, kind, signal))
    counted.set(org, { teams, users, missing: refused })
    const where = config.organizations.length > 1 ? ` in ${org}` : ''
    const named = (all: Check['missing']): Check['missing'] =>
      all.map((one) => ({ kind: one.kind, permission: `${one.permission}${where}` }))
    if (scopes === undefined) missing.push(...named(refused))
    const installed = installations?.find(({ account }) => account?.login.toLowerCase() === org.toLowerCase())
    if (installed !== undefined) missing.push(...named(missingOfApp(installed, refused)))
    sizes.set(org, { repositories: look.public_repos + (look.total_private_repos ?? 0), teams, users })
  }
  if (scopes !== undefined) missing.push(...missingScopes(scopes))
  const visible = [who?.id ?? null, kind, scopes ?? null, seen, missing]
  return {
    identity: `${who?.login ?? slug ?? 'an installation'} (${kind})`,
    fingerprint: createHash('sha256').update(JSON.stringify(visible)).digest('hex'),
    missing,
    forecast: forecast(config, wants, scope, sizes, defaultKinds),
  }
}

/** What a fine-grained token may do is tried out once; what an installation may, it says. */
async function count(client: Client, org: string, kind: string, signal: AbortSignal): Promise<Census> {
  const counted = await census(client, org, signal)
  if (kind !== fineGrained) return counted
  return { ...counted, missing: [...counted.missing, ...(await probe(client, org, signal))] }
}

/** https://docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps */
function missingScopes(scopes: readonly string[]): Check['missing'] {
  return Object.entries(permissions).flatMap(([kind, { classic }]) =>
    classic.length === 0 || classic.some((scope) => scopes.includes(scope))
      ? []
      : [
          {
            kind,
            permission: classic[0] === 'repo' ? 'repo: private repositories are not visible' : (classic[0] ?? ''),
          },
        ],
  )
}

/** An App says what it may do, so that nothing need be tried. What a listing was refused for is said already. */
function missingOfApp({ permissions: granted }: Installation, refused: Check['missing']): Check['missing'] {
  return Object.entries(permissions).flatMap(([kind, { fine, label }]) =>
    fine in granted || refused.some((one) => one.kind === kind) ? [] : [{ kind, permission: label }],
  )
}
