import type { Rate } from '../http/limits.ts'
import { paged } from '../http/paging.ts'
import { forbidden, notFound } from '../http/refusal.ts'
import { type Call, type Route, reply, route } from '../http/route.ts'
import { privateUser, publicUser, simpleOrg } from '../shapes/accounts.ts'
import type { Schemas } from '../shapes/api.ts'

const other = (limit: number, reset: number): Schemas['rate-limit'] => ({ limit, used: 0, remaining: limit, reset })

function overview(call: Call): Schemas['rate-limit-overview'] {
  const core: Rate = call.app.limits.rate(call.rate)
  const soon = Math.ceil(call.app.limits.now() / 1000) + 60
  return { resources: { core, search: other(30, soon), graphql: other(5000, core.reset) }, rate: core }
}

export const userRoutes: readonly Route[] = [
  route('users/get-authenticated', 'GET', '/user', (call) => {
    const { person, token } = call.viewer
    if (token?.installation !== undefined) throw forbidden('Resource not accessible by integration')
    return reply(200, privateUser(call.app.sites, call.app.world, person), { lastModified: person.updatedAt })
  }),

  route('users/get-by-username', 'GET', '/users/:user', (call) => {
    const account = call.app.world.account(call.params.user)
    if (!account) throw notFound()
    return reply(200, publicUser(call.app.sites, call.app.world, account), { lastModified: account.row.updatedAt })
  }),

  route('orgs/list-for-user', 'GET', '/users/:user/orgs', (call) => {
    const user = call.app.world.user(call.params.user)
    if (!user) throw notFound()
    const orgs = [...call.app.world.all('orgs')].filter((org) => org.members[user.id]?.public)
    return paged(call, orgs, (org) => simpleOrg(call.app.sites, org))
  }),

  route('rate-limit/get', 'GET', '/rate_limit', (call) => reply(200, overview(call))),

  route('meta/get', 'GET', '/meta', () =>
    reply(200, {
      verifiable_password_authentication: false,
      hooks: ['127.0.0.1/32'],
      api: ['127.0.0.1/32'],
      web: ['127.0.0.1/32'],
    }),
  ),
]
