// What a person may do to teams and their members, with the events GitHub sends for it.
import { eventUser } from '../shapes/accounts.ts'
import { atLeast, eventRepository, noPermissions, permissionsOf } from '../shapes/repository.ts'
import { eventTeam } from '../shapes/team.ts'
import type { Org, Repo, RepoPermission, Team, User } from '../state/model.ts'
import { type Change, emit, signedBy } from '../webhooks/emit.ts'

export interface TeamFields {
  name: string
  slug: string
  description: string | null
  privacy: 'closed' | 'secret'
  notifications: boolean
  parentId: number | null
}

export function createTeam(c: Change, org: Org, fields: TeamFields, maintainers: readonly User[]): Team {
  const now = c.world.stamp()
  const members = Object.fromEntries(maintainers.map((user) => [user.id, 'maintainer' as const]))
  const team: Team = { id: c.tx.nextId(), orgId: org.id, ...fields, members, repos: {}, createdAt: now, updatedAt: now }
  c.tx.put('teams', team)
  emit(c, org, 'team', { action: 'created', team: eventTeam(c.at, c.world, org, team), ...signedBy(c, org) })
  return team
}

export function updateTeam(c: Change, org: Org, before: Team, fields: Partial<TeamFields>): Team {
  const wanted: Team = { ...before, ...fields }
  if (JSON.stringify(wanted) === JSON.stringify(before)) return before
  const team: Team = { ...wanted, updatedAt: c.world.stamp(before.updatedAt) }
  c.tx.put('teams', team)
  const changes = {
    ...(team.name === before.name ? {} : { name: { from: before.name } }),
    ...(team.description === before.description ? {} : { description: { from: before.description ?? '' } }),
    ...(team.privacy === before.privacy ? {} : { privacy: { from: before.privacy } }),
  }
  emit(c, org, 'team', { action: 'edited', changes, team: eventTeam(c.at, c.world, org, team), ...signedBy(c, org) })
  return team
}

/** Child teams go with their parent, as on GitHub. */
export function deleteTeam(c: Change, org: Org, team: Team): void {
  for (const child of c.world.teamsOf(org.id)) if (child.parentId === team.id) deleteTeam(c, org, child)
  const body = eventTeam(c.at, c.world, org, team)
  c.tx.remove('teams', team.id)
  emit(c, org, 'team', { action: 'deleted', team: body, ...signedBy(c, org) })
  for (const id of Object.keys(team.members)) {
    const user = c.world.get('users', Number(id))
    if (!user) continue
    const gone = { id: team.id, name: team.name, deleted: true }
    const member = eventUser(c.at, user)
    emit(c, org, 'membership', { action: 'removed', scope: 'team', member, team: gone, ...signedBy(c, org) })
  }
}

export function grantRepo(c: Change, org: Org, team: Team, repo: Repo, permission: RepoPermission): void {
  const before = team.repos[repo.id]
  if (before === permission) return
  const after: Team = { ...team, repos: { ...team.repos, [repo.id]: permission } }
  c.tx.put('teams', after)
  const about = {
    team: eventTeam(c.at, c.world, org, after),
    repository: { ...eventRepository(c.at, c.world, repo), permissions: permissionsOf(permission) },
    ...signedBy(c, org),
  }
  if (before === undefined) {
    emit(c, org, 'team', { action: 'added_to_repository', ...about })
    emit(c, org, 'team_add', { ...about, repository: eventRepository(c.at, c.world, repo) })
    return
  }
  const from = { admin: atLeast(before, 'admin'), push: atLeast(before, 'push'), pull: true }
  emit(c, org, 'team', { action: 'edited', changes: { repository: { permissions: { from } } }, ...about })
}

export function revokeRepo(c: Change, org: Org, team: Team, repo: Repo): void {
  if (!(repo.id in team.repos)) return
  const { [String(repo.id)]: _gone, ...repos } = team.repos
  const after: Team = { ...team, repos }
  c.tx.put('teams', after)
  emit(c, org, 'team', {
    action: 'removed_from_repository',
    team: eventTeam(c.at, c.world, org, after),
    repository: { ...eventRepository(c.at, c.world, repo), permissions: noPermissions },
    ...signedBy(c, org),
  })
}

export function joinTeam(c: Change, org: Org, team: Team, user: User, role: 'member' | 'maintainer'): void {
  const before = team.members[user.id]
  const after: Team = { ...team, members: { ...team.members, [user.id]: role } }
  if (before === role) return
  c.tx.put('teams', after)
  if (before !== undefined) return
  const about = { member: eventUser(c.at, user), team: eventTeam(c.at, c.world, org, after), ...signedBy(c, org) }
  emit(c, org, 'membership', { action: 'added', scope: 'team', ...about })
}

export function leaveTeam(c: Change, org: Org, team: Team, user: User): void {
  if (!(user.id in team.members)) return
  const { [String(user.id)]: _gone, ...members } = team.members
  const after: Team = { ...team, members }
  c.tx.put('teams', after)
  const about = { member: eventUser(c.at, user), team: eventTeam(c.at, c.world, org, after), ...signedBy(c, org) }
  emit(c, org, 'membership', { action: 'removed', scope: 'team', ...about })
}
