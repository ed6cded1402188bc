// What an App asks as itself: where it is installed, and a token for there.
import { randomBytes } from 'node:crypto'
import { paged } from '../http/paging.ts'
import { notFound } from '../http/refusal.ts'
import { type Answer, type Call, type Route, reply, route } from '../http/route.ts'
import { hashToken } from '../http/viewer.ts'
import { simpleOwner } from '../shapes/accounts.ts'
import type { Schemas } from '../shapes/api.ts'
import type { GithubApp, Token } from '../state/model.ts'
import { number } from './hooks.ts'

const lifetime = 3_600_000

/** Permissions have names of their own in GitHub's schema; those of the sandbox are among them. */
const granted = (permissions: Token['grants'][string]): Schemas['app-permissions'] => ({ ...permissions })

function installation(call: Call, app: GithubApp, { id, orgId, permissions }: GithubApp['installations'][number]) {
  const org = call.app.world.get('orgs', orgId)
  const url = `${call.app.sites.api}/app/installations/${id}`
  return {
    id,
    account: org === undefined ? null : { ...simpleOwner(call.app.sites, { type: 'org', row: org }), id: org.id },
    repository_selection: 'all' as const,
    access_tokens_url: `${url}/access_tokens`,
    repositories_url: `${call.app.sites.api}/installation/repositories`,
    html_url: `${call.app.sites.web}/organizations/${org?.login ?? ''}/settings/installations/${id}`,
    app_id: app.id,
    target_id: orgId,
    target_type: 'Organization',
    permissions: granted(permissions),
    events: [],
    created_at: app.createdAt,
    updated_at: app.createdAt,
    single_file_name: null,
    app_slug: app.slug,
    suspended_by: null,
    suspended_at: null,
  }
}

export const appRoutes: readonly Route[] = [
  route('apps/get-authenticated', 'GET', '/app', (call) => {
    const { app } = call.viewer
    const maker = call.app.world.account('acme')
    if (!maker) throw notFound()
    return reply(200, {
      id: app.id,
      slug: app.slug,
      node_id: `A_${app.id}`,
      name: app.slug,
      description: null,
      external_url: 'https://example.com',
      html_url: `${call.app.sites.web}/apps/${app.slug}`,
      owner: simpleOwner(call.app.sites, maker),
      created_at: app.createdAt,
      updated_at: app.createdAt,
      permissions: {},
      events: [],
    })
  }),

  route('apps/list-installations', 'GET', '/app/installations', (call) => {
    const { app } = call.viewer
    const page = paged(call, app.installations, (one) => installation(call, app, one))
    // GitHub's types want an account that is a person and an enterprise at once.
    return page as unknown as Answer<'apps/list-installations'>
  }),

  route('apps/create-installation-access-token', 'POST', '/app/installations/:installation/access_tokens', (call) => {
    const { app } = call.viewer
    const { world } = call.app
    const found = app.installations.find(({ id }) => id === number(call.params.installation))
    const owner =
      found && Object.entries(world.get('orgs', found.orgId)?.members ?? {}).find(([, it]) => it.role === 'admin')
    if (!found || !owner) throw notFound()
    const token = `ghs_${randomBytes(18).toString('hex')}`
    const expiresAt = `${new Date(world.milliseconds + lifetime).toISOString().slice(0, 19)}Z`
    world.transaction((tx) =>
      tx.put('tokens', {
        id: tx.nextId(),
        name: `${app.slug} ${found.id}`,
        kind: 'fine-grained',
        installation: found.id,
        hash: hashToken(token),
        // What it may do is the smaller of its permissions and an owner's.
        userId: Number(owner[0]),
        scopes: [],
        grants: { [found.orgId]: found.permissions },
        expiresAt,
        revoked: false,
      }),
    )
    return reply(201, {
      token,
      expires_at: expiresAt,
      permissions: granted(found.permissions),
      repository_selection: 'all',
    })
  }),
]
