// What a person may do to a repository, with the events GitHub sends for it.
import { eventOwner, eventUser } from '../shapes/accounts.ts'
import { eventRepository } from '../shapes/repository.ts'
import type { Org, Repo, Visibility } from '../state/model.ts'
import type { Account } from '../state/world.ts'
import { type Change, emit, signedBy } from '../webhooks/emit.ts'

export interface RepoFields {
  name: string
  description: string | null
  homepage: string | null
  visibility: Visibility
  archived: boolean
  isTemplate: boolean
  defaultBranch: string
  topics: readonly string[]
}

const orgOf = (c: Change, repo: Repo): Org | undefined => c.world.get('orgs', repo.ownerId)

const nameKey = (c: Change, repo: Repo): string => `${c.world.owner(repo).row.login}/${repo.name}`.toLowerCase()

export function createRepo(
  c: Change,
  owner: Org,
  fields: Partial<RepoFields> & { name: string; license?: string | null; passing?: boolean },
): Repo {
  const now = c.world.stamp()
  const repo: Repo = {
    id: c.tx.nextId(),
    ownerId: owner.id,
    name: fields.name,
    description: fields.description ?? null,
    homepage: fields.homepage ?? null,
    visibility: fields.visibility ?? 'public',
    archived: false,
    fork: false,
    isTemplate: fields.isTemplate ?? false,
    topics: fields.topics ?? [],
    languages: {},
    license: fields.license ?? null,
    defaultBranch: 'main',
    stars: 0,
    forks: 0,
    openIssues: 0,
    subscribers: 1,
    size: 0,
    createdAt: now,
    updatedAt: now,
    pushedAt: now,
    deletedAt: null,
    passing: fields.passing ?? false,
  }
  c.tx.put('repos', repo)
  c.tx.remove('redirects', nameKey(c, repo))
  emit(c, owner, 'repository', {
    action: 'created',
    repository: eventRepository(c.at, c.world, repo),
    ...signedBy(c, owner),
  })
  return repo
}

/** Applies what differs and sends one event per kind of difference, as GitHub does. */
export function updateRepo(c: Change, before: Repo, fields: Partial<RepoFields>): Repo {
  const wanted: Repo = { ...before, ...fields }
  if (JSON.stringify(wanted) === JSON.stringify(before)) return before
  const repo: Repo = { ...wanted, updatedAt: c.world.stamp(before.updatedAt) }
  const oldKey = nameKey(c, before)
  c.tx.put('repos', repo)
  if (oldKey !== nameKey(c, repo)) {
    c.tx.put('redirects', { id: oldKey, repoId: repo.id })
    c.tx.remove('redirects', nameKey(c, repo))
  }
  const org = orgOf(c, repo)
  if (org) tellUpdate(c, org, before, repo)
  return repo
}

function tellUpdate(c: Change, org: Org, before: Repo, repo: Repo): void {
  const body = eventRepository(c.at, c.world, repo)
  const signed = signedBy(c, org)
  if (repo.name !== before.name) {
    const changes = { repository: { name: { from: before.name } } }
    emit(c, org, 'repository', { action: 'renamed', changes, repository: body, ...signed })
  }
  const changes = {
    ...(repo.description === before.description ? {} : { description: { from: before.description } }),
    ...(repo.homepage === before.homepage ? {} : { homepage: { from: before.homepage } }),
    ...(repo.defaultBranch === before.defaultBranch ? {} : { default_branch: { from: before.defaultBranch } }),
    ...(repo.topics.join() === before.topics.join() ? {} : { topics: { from: [...before.topics] } }),
  }
  if (Object.keys(changes).length > 0)
    emit(c, org, 'repository', { action: 'edited', changes, repository: body, ...signed })
  if (repo.archived && !before.archived) {
    emit(c, org, 'repository', { action: 'archived', repository: { ...body, archived: true }, ...signed })
  }
  if (!repo.archived && before.archived) {
    emit(c, org, 'repository', { action: 'unarchived', repository: { ...body, archived: false }, ...signed })
  }
  if (repo.visibility === before.visibility) return
  if (repo.visibility === 'public') {
    emit(c, org, 'repository', { action: 'publicized', repository: { ...body, private: false }, ...signed })
    emit(c, org, 'public', { repository: { ...body, private: false }, ...signed })
  } else if (before.visibility === 'public') {
    emit(c, org, 'repository', { action: 'privatized', repository: { ...body, private: true }, ...signed })
  }
}

/** Takes the repository out of every team; GitHub sends no event for these. */
function dropGrants(c: Change, repo: Repo): void {
  for (const team of c.world.teamsOf(repo.ownerId)) {
    if (!(repo.id in team.repos)) continue
    const { [String(repo.id)]: _gone, ...repos } = team.repos
    c.tx.put('teams', { ...team, repos })
  }
}

/** GitHub can restore for ninety days; here it is so many repositories, so that the state stays small. */
const restorableAtMost = 200

function forgetOldest(c: Change): void {
  const deleted = [...c.world.all('repos')].filter((repo) => repo.deletedAt !== null)
  deleted.sort((a, b) => ((a.deletedAt ?? '') < (b.deletedAt ?? '') ? -1 : 1))
  for (const repo of deleted.slice(0, Math.max(0, deleted.length - restorableAtMost))) {
    c.tx.remove('repos', repo.id)
    for (const part of [...c.world.all('parts')].filter(({ repoId }) => repoId === repo.id))
      c.tx.remove('parts', part.id)
    const leading = [...c.world.all('redirects')].filter((redirect) => redirect.repoId === repo.id)
    for (const redirect of leading) c.tx.remove('redirects', redirect.id)
  }
}

export function deleteRepo(c: Change, repo: Repo): void {
  const org = orgOf(c, repo)
  const body = eventRepository(c.at, c.world, repo)
  dropGrants(c, repo)
  c.tx.put('repos', { ...repo, deletedAt: c.world.stamp(repo.updatedAt) })
  forgetOldest(c)
  if (org) emit(c, org, 'repository', { action: 'deleted', repository: body, ...signedBy(c, org) })
}

/** An owner restores a deleted repository on a page, not through the API; GitHub documents no event for it, so none is sent. */
export function restoreRepo(c: Change, repo: Repo): Repo {
  const restored: Repo = { ...repo, deletedAt: null, updatedAt: c.world.stamp(repo.deletedAt ?? repo.updatedAt) }
  c.tx.put('repos', restored)
  return restored
}

/** The old name leads to the new one; teams stay behind. The event goes to the new owner. */
export function transferRepo(c: Change, before: Repo, to: Account, name: string): Repo {
  const from = c.world.owner(before)
  const oldKey = nameKey(c, before)
  dropGrants(c, before)
  const repo: Repo = { ...before, ownerId: to.row.id, name, updatedAt: c.world.stamp(before.updatedAt) }
  c.tx.put('repos', repo)
  c.tx.put('redirects', { id: oldKey, repoId: repo.id })
  c.tx.remove('redirects', nameKey(c, repo))
  if (to.type === 'org') {
    const source = from.type === 'user' ? { user: eventUser(c.at, from.row) } : { organization: eventOwner(c.at, from) }
    emit(c, to.row, 'repository', {
      action: 'transferred',
      changes: { owner: { from: source } },
      repository: eventRepository(c.at, c.world, repo),
      ...signedBy(c, to.row),
    })
  }
  return repo
}
