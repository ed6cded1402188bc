import { z } from 'zod'
import { joinOrg, leaveOrg, updateOrg } from '../changes/organizations.ts'
import { paged } from '../http/paging.ts'
import { forbidden, notFound } from '../http/refusal.ts'
import { type Call, change, noContent, type Route, reply, route } from '../http/route.ts'
import type { Need } from '../http/viewer.ts'
import { fullOrg, simpleOrg, simpleUser } from '../shapes/accounts.ts'
import type { Schemas } from '../shapes/api.ts'
import type { Org, User } from '../state/model.ts'
import { orgOf, userOf } from './find.ts'
import { given, read } from './input.ts'

const readsPeople: Need = { classic: ['read:org'], fine: ['members', 'read'] }
const writesPeople: Need = { classic: ['write:org'], fine: ['members', 'write'] }
const administer: Need = { classic: ['admin:org', 'repo'], fine: ['organization_administration', 'write'] }

const update = z.object({
  name: z.string().optional(),
  description: z.string().max(160).optional(),
  company: z.string().optional(),
  blog: z.string().optional(),
  location: z.string().optional(),
  email: z.string().optional(),
  billing_email: z.string().optional(),
  default_repository_permission: z.enum(['read', 'write', 'admin', 'none']).optional(),
  members_can_create_repositories: z.boolean().optional(),
})

/** Members see everybody; others, and tokens that may not read members, see who is a public member. */
function peopleOf(call: Call, org: Org): User[] {
  const all = call.viewer.inside(org) && call.viewer.has(org, readsPeople)
  const { role } = z
    .object({ role: z.enum(['all', 'admin', 'member']).catch('all') })
    .parse({ role: call.query.get('role') })
  const people = Object.entries(org.members).flatMap(([id, member]) => {
    const user = call.app.world.get('users', Number(id))
    return user && (all || member.public) && (role === 'all' || member.role === role) ? [user] : []
  })
  return people.sort((a, b) => a.id - b.id)
}

function membership(call: Call, org: Org, user: User): Schemas['org-membership'] {
  const role = org.members[user.id]?.role
  if (!role) throw notFound()
  return {
    url: `${call.app.sites.api}/orgs/${org.login}/memberships/${user.login}`,
    state: 'active',
    role,
    direct_membership: true,
    organization_url: `${call.app.sites.api}/orgs/${org.login}`,
    organization: simpleOrg(call.app.sites, org),
    user: simpleUser(call.app.sites, user),
    permissions: { can_create_repository: role === 'admin' || org.membersCanCreateRepositories },
  }
}

function ownOrgs(call: Call): Org[] {
  const { id } = call.viewer.person
  const orgs = [...call.app.world.all('orgs')].filter((org) => id in org.members && !call.app.faults.hides(org.login))
  return orgs.filter(
    (org) => call.viewer.inside(org) && call.viewer.has(org, { ...readsPeople, classic: ['read:org', 'user'] }),
  )
}

export const organizationRoutes: readonly Route[] = [
  route('orgs/get', 'GET', '/orgs/:org', (call) => {
    const org = orgOf(call)
    const inside = call.viewer.inside(org) && call.viewer.has(org, { ...readsPeople, classic: ['read:org', 'repo'] })
    return reply(200, fullOrg(call.app.sites, call.app.world, org, inside), { lastModified: org.updatedAt })
  }),

  route('orgs/update', 'PATCH', '/orgs/:org', (call) => {
    const before = orgOf(call)
    const actor = call.viewer.requireOwner(before, administer)
    const { billing_email, default_repository_permission, members_can_create_repositories, ...rest } = read(
      update,
      'Organization',
      call.body,
    )
    const fields = given({
      ...rest,
      billingEmail: billing_email,
      defaultRepositoryPermission: default_repository_permission,
      membersCanCreateRepositories: members_can_create_repositories,
    })
    const org = change(call, actor, (c) => updateOrg(c, before, fields))
    return reply(200, fullOrg(call.app.sites, call.app.world, org, true))
  }),

  route('orgs/list-members', 'GET', '/orgs/:org/members', (call) =>
    paged(call, peopleOf(call, orgOf(call)), (user) => simpleUser(call.app.sites, user)),
  ),

  route('orgs/list-public-members', 'GET', '/orgs/:org/public_members', (call) => {
    const org = orgOf(call)
    const people = peopleOf(call, org).filter((user) => org.members[user.id]?.public)
    return paged(call, people, (user) => simpleUser(call.app.sites, user))
  }),

  route('orgs/check-membership-for-user', 'GET', '/orgs/:org/members/:user', (call) => {
    const user = userOf(call)
    if (!peopleOf(call, orgOf(call)).includes(user)) throw notFound()
    return noContent
  }),

  route('orgs/remove-member', 'DELETE', '/orgs/:org/members/:user', (call) => removeMember(call)),

  route('orgs/get-membership-for-user', 'GET', '/orgs/:org/memberships/:user', (call) => {
    const org = orgOf(call)
    const user = userOf(call)
    if (!call.viewer.inside(org)) throw forbidden('You must be a member of this organization to view its memberships.')
    call.viewer.require(org, readsPeople)
    return reply(200, membership(call, org, user))
  }),

  route('orgs/set-membership-for-user', 'PUT', '/orgs/:org/memberships/:user', (call) => {
    const before = orgOf(call)
    const actor = call.viewer.requireOwner(before, writesPeople)
    const user = userOf(call)
    const { role } = read(z.object({ role: z.enum(['admin', 'member']).default('member') }), 'Membership', call.body)
    const org = change(call, actor, (c) => joinOrg(c, before, user, role))
    return reply(200, membership(call, org, user))
  }),

  route('orgs/remove-membership-for-user', 'DELETE', '/orgs/:org/memberships/:user', (call) => removeMember(call)),

  route('orgs/list-for-authenticated-user', 'GET', '/user/orgs', (call) =>
    paged(call, ownOrgs(call), (org) => simpleOrg(call.app.sites, org)),
  ),

  route('orgs/list-memberships-for-authenticated-user', 'GET', '/user/memberships/orgs', (call) =>
    paged(call, ownOrgs(call), (org) => membership(call, org, call.viewer.person)),
  ),

  route('orgs/get-membership-for-authenticated-user', 'GET', '/user/memberships/orgs/:org', (call) => {
    const org = orgOf(call)
    if (!ownOrgs(call).includes(org)) throw forbidden('You do not have access to this organization membership.')
    return reply(200, membership(call, org, call.viewer.person))
  }),
]

function removeMember(call: Call<'org' | 'user'>): typeof noContent {
  const org = orgOf(call)
  const actor = call.viewer.requireOwner(org, writesPeople)
  const user = userOf(call)
  const owners = Object.values(org.members).filter((member) => member.role === 'admin').length
  if (!(user.id in org.members)) throw notFound()
  if (owners === 1 && org.members[user.id]?.role === 'admin') throw forbidden('You cannot remove the last owner.')
  change(call, actor, (c) => leaveOrg(c, org, user))
  return noContent
}
