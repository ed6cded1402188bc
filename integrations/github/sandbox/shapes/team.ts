import type { Org, RepoPermission, Team } from '../state/model.ts'
import type { World } from '../state/world.ts'
import { fullOrg } from './accounts.ts'
import { nodeId, type Schemas, type Sites } from './api.ts'
import { permissionsOf } from './repository.ts'

/** The part that REST and webhooks share. */
function plain(at: Sites, org: Org, team: Team) {
  const url = `${at.api}/organizations/${org.id}/team/${team.id}`
  return {
    name: team.name,
    id: team.id,
    node_id: nodeId('T', org.id, team.id),
    slug: team.slug,
    description: team.description,
    privacy: team.privacy,
    notification_setting: team.notifications ? ('notifications_enabled' as const) : ('notifications_disabled' as const),
    url,
    html_url: `${at.web}/orgs/${org.login}/teams/${team.slug}`,
    members_url: `${url}/members{/member}`,
    repositories_url: `${url}/repos`,
    permission: 'pull',
  }
}

const simple = (at: Sites, org: Org, team: Team): Schemas['team-simple'] => ({
  ...plain(at, org, team),
  type: 'organization',
  organization_id: org.id,
})

function parentOf(at: Sites, world: World, org: Org, team: Team): Schemas['nullable-team-simple'] {
  const parent = team.parentId === null ? undefined : world.get('teams', team.parentId)
  return parent ? simple(at, org, parent) : null
}

/** One item of a listing; `has` is what the team may do to the repository whose teams are listed. */
export const listedTeam = (at: Sites, world: World, org: Org, team: Team, has?: RepoPermission): Schemas['team'] => ({
  ...simple(at, org, team),
  ...(has ? { permission: has, permissions: permissionsOf(has) } : {}),
  type: 'organization',
  parent: parentOf(at, world, org, team),
})

export const fullTeam = (at: Sites, world: World, org: Org, team: Team): Schemas['team-full'] => ({
  ...plain(at, org, team),
  type: 'organization',
  organization_id: org.id,
  parent: parentOf(at, world, org, team),
  created_at: team.createdAt,
  updated_at: team.updatedAt,
  members_count: Object.keys(team.members).length,
  repos_count: Object.keys(team.repos).length,
  organization: fullOrg(at, world, org, false),
})

export function eventTeam(at: Sites, world: World, org: Org, team: Team) {
  const parent = team.parentId === null ? undefined : world.get('teams', team.parentId)
  return { ...plain(at, org, team), ...(parent ? { parent: plain(at, org, parent) } : {}) }
}
