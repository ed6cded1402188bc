import { z } from 'zod'
import { joinOrg } from '../changes/organizations.ts'
import { grantRepo, joinTeam, leaveTeam, revokeRepo } from '../changes/teams.ts'
import { paged } from '../http/paging.ts'
import { forbidden, notFound, unprocessable } from '../http/refusal.ts'
import { type Call, change, noContent, type Route, reply, route } from '../http/route.ts'
import { simpleUser } from '../shapes/accounts.ts'
import type { Schemas } from '../shapes/api.ts'
import { minimalRepository } from '../shapes/repository.ts'
import type { Org, Team, User } from '../state/model.ts'
import { mayAtLeast, repoOf, teamOf, userOf } from './find.ts'
import { permission, read } from './input.ts'
import { teamEditor, teamReader } from './teams.ts'

/** GitHub lists the members of child teams under their parents, too. */
function withChildren(call: Call, team: Team): Team[] {
  const children = call.app.world.teamsOf(team.orgId).filter((child) => child.parentId === team.id)
  return [team, ...children.flatMap((child) => withChildren(call, child))]
}

function membersOf(call: Call, team: Team, role: string): User[] {
  const found = new Map<number, User>()
  for (const each of withChildren(call, team)) {
    for (const [id, has] of Object.entries(each.members)) {
      const user = call.app.world.get('users', Number(id))
      if (user && (role === 'all' || (each === team ? has : 'member') === role)) found.set(user.id, user)
    }
  }
  return [...found.values()].sort((a, b) => a.id - b.id)
}

const membership = (call: Call, org: Org, team: Team, user: User): Schemas['team-membership'] => ({
  url: `${call.app.sites.api}/organizations/${org.id}/team/${team.id}/memberships/${user.login}`,
  role: team.members[user.id] ?? 'member',
  state: 'active',
})

export const teamMemberRoutes: readonly Route[] = [
  route('teams/list-members-in-org', 'GET', '/orgs/:org/teams/:team/members', (call) => {
    const org = teamReader(call)
    const members = membersOf(call, teamOf(call, org), call.query.get('role') ?? 'all')
    return paged(call, members, (user) => simpleUser(call.app.sites, user))
  }),

  route('teams/get-membership-for-user-in-org', 'GET', '/orgs/:org/teams/:team/memberships/:user', (call) => {
    const org = teamReader(call)
    const team = teamOf(call, org)
    const user = userOf(call)
    if (!membersOf(call, team, 'all').includes(user)) throw notFound()
    return reply(200, membership(call, org, team, user))
  }),

  // Somebody from outside joins the organisation with it.
  route('teams/add-or-update-membership-for-user-in-org', 'PUT', '/orgs/:org/teams/:team/memberships/:user', (call) => {
    const { org, team, actor } = teamEditor(call)
    const user = userOf(call)
    const { role } = read(z.object({ role: z.enum(['member', 'maintainer']).default('member') }), 'Team', call.body)
    if (!(user.id in org.members) && call.viewer.role(org) !== 'admin') {
      throw forbidden('Must have admin rights to Organization.')
    }
    change(call, actor, (c) => {
      const home = user.id in org.members ? org : joinOrg(c, org, user, 'member')
      joinTeam(c, home, team, user, role)
    })
    return reply(200, membership(call, org, call.app.world.get('teams', team.id) ?? team, user))
  }),

  route('teams/remove-membership-for-user-in-org', 'DELETE', '/orgs/:org/teams/:team/memberships/:user', (call) => {
    const { org, team, actor } = teamEditor(call)
    const user = userOf(call)
    if (!(user.id in team.members)) throw notFound()
    change(call, actor, (c) => leaveTeam(c, org, team, user))
    return noContent
  }),

  route('teams/list-repos-in-org', 'GET', '/orgs/:org/teams/:team/repos', (call) => {
    const org = teamReader(call)
    const team = teamOf(call, org)
    const repos = Object.keys(team.repos).flatMap((id) => call.app.world.get('repos', Number(id)) ?? [])
    return paged(call, call.viewer.visible(repos), (repo) => {
      const has = team.repos[repo.id]
      const role_name = has === 'pull' ? 'read' : has === 'push' ? 'write' : (has ?? 'read')
      return { ...minimalRepository(call.app.sites, call.app.world, repo, has), role_name }
    })
  }),

  route('teams/add-or-update-repo-permissions-in-org', 'PUT', '/orgs/:org/teams/:team/repos/:owner/:repo', (call) => {
    const { org, team, actor } = teamEditor(call)
    const { repo, has } = repoOf(call)
    if (repo.ownerId !== org.id) throw unprocessable('Repository must belong to the organization.')
    if (!mayAtLeast(has, 'admin')) throw forbidden('Must have admin rights to Repository.')
    const wanted = read(z.object({ permission: permission.optional() }), 'Team', call.body)
    change(call, actor, (c) => grantRepo(c, org, team, repo, wanted.permission ?? team.repos[repo.id] ?? 'pull'))
    return noContent
  }),

  route('teams/remove-repo-in-org', 'DELETE', '/orgs/:org/teams/:team/repos/:owner/:repo', (call) => {
    const { org, team, actor } = teamEditor(call)
    const { repo } = repoOf(call)
    change(call, actor, (c) => revokeRepo(c, org, team, repo))
    return noContent
  }),
]
