// What an owner may do to an organisation and its people, with the events GitHub sends for it.
import { eventUser } from '../shapes/accounts.ts'
import type { Org, User } from '../state/model.ts'
import { type Change, emit, signedBy } from '../webhooks/emit.ts'
import { leaveTeam } from './teams.ts'

export type OrgFields = Pick<
  Org,
  | 'name'
  | 'description'
  | 'company'
  | 'blog'
  | 'location'
  | 'email'
  | 'billingEmail'
  | 'defaultRepositoryPermission'
  | 'membersCanCreateRepositories'
>

/** GitHub sends no event for these fields: only a scan sees them. */
export function updateOrg(c: Change, before: Org, fields: Partial<OrgFields>): Org {
  const wanted: Org = { ...before, ...fields }
  if (JSON.stringify(wanted) === JSON.stringify(before)) return before
  const org: Org = { ...wanted, updatedAt: c.world.stamp(before.updatedAt) }
  c.tx.put('orgs', org)
  return org
}

const membership = (c: Change, org: Org, user: User, role: 'admin' | 'member') => ({
  url: `${c.at.api}/orgs/${org.login}/memberships/${user.login}`,
  state: 'active',
  role,
  organization_url: `${c.at.api}/orgs/${org.login}`,
  user: eventUser(c.at, user),
})

/** At once, as on GitHub Enterprise Server: nobody has to accept an invitation. A changed role sends no event. */
export function joinOrg(c: Change, before: Org, user: User, role: 'admin' | 'member'): Org {
  const was = before.members[user.id]
  if (was?.role === role) return before
  const org: Org = { ...before, members: { ...before.members, [user.id]: { role, public: was?.public ?? false } } }
  c.tx.put('orgs', org)
  if (was) return org
  const about = { membership: membership(c, org, user, role), ...signedBy(c, org) }
  emit(c, org, 'organization', { action: 'member_added', ...about })
  return org
}

export function leaveOrg(c: Change, before: Org, user: User): void {
  const was = before.members[user.id]
  if (!was) return
  for (const team of c.world.teamsOf(before.id)) leaveTeam(c, before, team, user)
  const { [String(user.id)]: _gone, ...members } = before.members
  const org: Org = { ...before, members }
  c.tx.put('orgs', org)
  const about = { membership: membership(c, org, user, was.role), ...signedBy(c, org) }
  emit(c, org, 'organization', { action: 'member_removed', ...about })
}
