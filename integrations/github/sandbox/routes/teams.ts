import { z } from 'zod'
import { createTeam, deleteTeam, type TeamFields, updateTeam } from '../changes/teams.ts'
import { paged } from '../http/paging.ts'
import { forbidden, invalid, notFound } from '../http/refusal.ts'
import { type Call, change, noContent, type Route, reply, route } from '../http/route.ts'
import type { Need } from '../http/viewer.ts'
import { slugOf } from '../seed/seed.ts'
import { fullTeam, listedTeam } from '../shapes/team.ts'
import type { Org, Team, User } from '../state/model.ts'
import { orgOf, seesTeam, teamOf } from './find.ts'
import { given, read } from './input.ts'

const readsTeams: Need = { classic: ['read:org', 'repo', 'user'], fine: ['members', 'read'] }
const writesTeams: Need = { classic: ['write:org'], fine: ['members', 'write'] }

/** Teams are a matter of members: anybody else is told nothing of them. */
export function teamReader(call: Call<'org'>): Org {
  const org = orgOf(call)
  call.viewer.require(org, readsTeams)
  if (!call.viewer.inside(org)) throw notFound()
  return org
}

/** An owner, or a maintainer of the team. */
export function teamEditor(call: Call<'org' | 'team'>): { org: Org; team: Team; actor: User } {
  const org = teamReader(call)
  const team = teamOf(call, org)
  const actor = call.viewer.require(org, writesTeams)
  if (call.viewer.role(org) !== 'admin' && team.members[actor.id] !== 'maintainer') {
    throw forbidden('Must have admin rights to Organization or be a maintainer of the team.')
  }
  return { org, team, actor }
}

const fields = z.object({
  name: z.string().min(1).max(255),
  description: z.string().nullish(),
  privacy: z.enum(['closed', 'secret']).optional(),
  notification_setting: z.enum(['notifications_enabled', 'notifications_disabled']).optional(),
  parent_team_id: z.int().nullish(),
  maintainers: z.array(z.string()).default([]),
})

function freeSlug(call: Call, org: Org, name: string, own?: Team): string {
  const slug = slugOf(name)
  const taken = call.app.world.team(org.id, slug)
  if (slug === '' || (taken && taken.id !== own?.id)) {
    throw invalid({
      resource: 'Team',
      field: 'name',
      code: 'unprocessable',
      message: 'Name must be unique for this org',
    })
  }
  return slug
}

/** The parent must be a visible team of the same organisation, and not below the team itself. */
function parentIn(call: Call, org: Org, id: number | null | undefined, own?: Team): number | null | undefined {
  if (id === null || id === undefined) return id
  for (let at: number | null = id; at !== null; at = call.app.world.get('teams', at)?.parentId ?? null) {
    const team = call.app.world.get('teams', at)
    if (team?.orgId !== org.id || team.id === own?.id || team.privacy === 'secret') {
      throw invalid({ resource: 'Team', field: 'parent_team_id', code: 'invalid' })
    }
  }
  return id
}

export const teamRoutes: readonly Route[] = [
  route('teams/list', 'GET', '/orgs/:org/teams', (call) => {
    const org = teamReader(call)
    const teams = call.app.world.teamsOf(org.id).filter((team) => seesTeam(call, org, team))
    teams.sort((a, b) => (a.slug < b.slug ? -1 : 1))
    return paged(call, teams, (team) => listedTeam(call.app.sites, call.app.world, org, team))
  }),

  route('teams/get-by-name', 'GET', '/orgs/:org/teams/:team', (call) => {
    const org = teamReader(call)
    const team = teamOf(call, org)
    return reply(200, fullTeam(call.app.sites, call.app.world, org, team))
  }),

  route('teams/list-child-in-org', 'GET', '/orgs/:org/teams/:team/teams', (call) => {
    const org = teamReader(call)
    const { id } = teamOf(call, org)
    const children = call.app.world.teamsOf(org.id).filter((team) => team.parentId === id && seesTeam(call, org, team))
    return paged(call, children, (team) => listedTeam(call.app.sites, call.app.world, org, team))
  }),

  route('teams/create', 'POST', '/orgs/:org/teams', (call) => {
    const org = teamReader(call)
    const actor = call.viewer.require(org, writesTeams)
    const wanted = read(fields, 'Team', call.body)
    const slug = freeSlug(call, org, wanted.name)
    const parentId = parentIn(call, org, wanted.parent_team_id) ?? null
    const named = wanted.maintainers.flatMap((login) => call.app.world.user(login) ?? [])
    const made: TeamFields = {
      name: wanted.name,
      slug,
      description: wanted.description ?? null,
      privacy: wanted.privacy ?? (parentId === null ? 'secret' : 'closed'),
      notifications: wanted.notification_setting !== 'notifications_disabled',
      parentId,
    }
    const team = change(call, actor, (c) => createTeam(c, org, made, [...new Set([actor, ...named])]))
    const body = fullTeam(call.app.sites, call.app.world, org, team)
    return reply(201, body, { headers: { Location: body.url } })
  }),

  route('teams/update-in-org', 'PATCH', '/orgs/:org/teams/:team', (call) => {
    const { org, team: before, actor } = teamEditor(call)
    const wanted = read(fields.partial(), 'Team', call.body)
    const changes: Partial<TeamFields> = given({
      name: wanted.name,
      slug: wanted.name === undefined ? undefined : freeSlug(call, org, wanted.name, before),
      description: wanted.description,
      privacy: wanted.privacy,
      notifications:
        wanted.notification_setting === undefined ? undefined : wanted.notification_setting === 'notifications_enabled',
      parentId: parentIn(call, org, wanted.parent_team_id, before),
    })
    const team = change(call, actor, (c) => updateTeam(c, org, before, changes))
    return reply(200, fullTeam(call.app.sites, call.app.world, org, team))
  }),

  route('teams/delete-in-org', 'DELETE', '/orgs/:org/teams/:team', (call) => {
    const { org, team, actor } = teamEditor(call)
    change(call, actor, (c) => deleteTeam(c, org, team))
    return noContent
  }),
]
