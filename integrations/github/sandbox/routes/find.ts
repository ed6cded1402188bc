// Names in paths to rows, with GitHub's answers for what is not there, was renamed, or is not for this viewer.
import { moved, notFound } from '../http/refusal.ts'
import type { Call } from '../http/route.ts'
import { atLeast } from '../shapes/repository.ts'
import type { Org, Repo, RepoPermission, Team, User } from '../state/model.ts'

export function orgOf(call: Call<'org'>): Org {
  const org = call.app.world.org(call.params.org)
  if (!org) throw notFound()
  return org
}

/** A renamed or transferred repository answers with where it is now, by id. */
export function repoOf(call: Call<'owner' | 'repo'>): { repo: Repo; has?: RepoPermission } {
  const { world } = call.app
  const { owner, repo: name } = call.params
  const repo = world.repo(owner, name)
  const seen = repo && call.viewer.sees(repo)
  if (repo && seen) return { repo, ...seen }
  const now = world.moved(owner, name)
  if (repo || !now || !call.viewer.sees(now)) throw notFound()
  const rest = call.asked.path.split('/').slice(4)
  const query = call.query.size > 0 ? `?${call.query.toString()}` : ''
  const url = `${call.base}/${['repositories', now.id, ...rest].join('/')}${query}`
  throw moved(call.asked.method === 'GET' || call.asked.method === 'HEAD' ? 301 : 307, url)
}

/** A secret team exists for its members and the owners only. */
export const seesTeam = (call: Call, org: Org, team: Team): boolean =>
  team.privacy === 'closed' || call.viewer.role(org) === 'admin' || (call.viewer.user?.id ?? 0) in team.members

export function teamOf(call: Call<'team'>, org: Org): Team {
  const team = call.app.world.team(org.id, call.params.team)
  if (!team || !seesTeam(call, org, team)) throw notFound()
  return team
}

export function userOf(call: Call<'user'>): User {
  const user = call.app.world.user(call.params.user)
  if (!user) throw notFound()
  return user
}

export const mayAtLeast = (has: RepoPermission | undefined, wanted: RepoPermission): boolean =>
  has !== undefined && atLeast(has, wanted)
