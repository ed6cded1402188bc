import type { Repo, RepoPermission } from '../state/model.ts'
import type { World } from '../state/world.ts'
import { eventOwner, simpleOwner } from './accounts.ts'
import { nodeId, type Schemas, type Sites } from './api.ts'
import { licenseOf } from './license.ts'
import { repoLinks } from './repoLinks.ts'

type Permissions = { admin: boolean; maintain: boolean; push: boolean; triage: boolean; pull: boolean }

export const ladder: readonly RepoPermission[] = ['pull', 'triage', 'push', 'maintain', 'admin']

export const atLeast = (has: RepoPermission, wanted: RepoPermission): boolean =>
  ladder.indexOf(has) >= ladder.indexOf(wanted)

export const permissionsOf = (has: RepoPermission): Permissions => ({
  admin: atLeast(has, 'admin'),
  maintain: atLeast(has, 'maintain'),
  push: atLeast(has, 'push'),
  triage: atLeast(has, 'triage'),
  pull: true,
})

/** What a team still may where it has been taken off. */
export const noPermissions: Permissions = { admin: false, maintain: false, push: false, triage: false, pull: false }

export const languageOf = (repo: Repo): string | null =>
  Object.entries(repo.languages).reduce<[string | null, number]>(
    (top, [name, n]) => (n > top[1] ? [name, n] : top),
    [null, 0],
  )[0]

/** What every shape of a repository has, whoever asks. */
function plain(at: Sites, repo: Repo, ownerLogin: string) {
  const full = `${ownerLogin}/${repo.name}`
  return {
    id: repo.id,
    node_id: nodeId('R', repo.id),
    name: repo.name,
    full_name: full,
    private: repo.visibility !== 'public',
    html_url: `${at.web}/${full}`,
    description: repo.description,
    fork: repo.fork,
    ...repoLinks(at, full),
    created_at: repo.createdAt,
    updated_at: repo.updatedAt,
    pushed_at: repo.pushedAt,
    homepage: repo.homepage,
    size: repo.size,
    stargazers_count: repo.stars,
    watchers_count: repo.stars,
    language: languageOf(repo),
    has_issues: true,
    has_projects: true,
    has_downloads: true,
    has_wiki: false,
    has_pages: false,
    has_discussions: false,
    forks_count: repo.forks,
    mirror_url: null,
    archived: repo.archived,
    disabled: false,
    open_issues_count: repo.openIssues,
    license: licenseOf(at, repo.license),
    allow_forking: true,
    is_template: repo.isTemplate,
    web_commit_signoff_required: false,
    topics: [...repo.topics],
    visibility: repo.visibility,
    forks: repo.forks,
    open_issues: repo.openIssues,
    watchers: repo.stars,
    default_branch: repo.defaultBranch,
  }
}

/** One item of a listing. */
export function minimalRepository(
  at: Sites,
  world: World,
  repo: Repo,
  has: RepoPermission | undefined,
): Schemas['minimal-repository'] {
  const owner = world.owner(repo)
  return {
    ...plain(at, repo, owner.row.login),
    owner: simpleOwner(at, owner),
    ...(has ? { permissions: permissionsOf(has) } : {}),
    custom_properties: {},
  }
}

/** `GET /repos/:owner/:repo`; `has` is absent for somebody who is not signed in. */
export function fullRepository(
  at: Sites,
  world: World,
  repo: Repo,
  has: RepoPermission | undefined,
): Schemas['full-repository'] {
  const owner = world.owner(repo)
  return {
    ...plain(at, repo, owner.row.login),
    owner: simpleOwner(at, owner),
    ...(has ? { permissions: permissionsOf(has) } : {}),
    temp_clone_token: has ? '' : null,
    ...(has === 'admin'
      ? {
          allow_squash_merge: true,
          allow_merge_commit: true,
          allow_rebase_merge: true,
          allow_auto_merge: false,
          delete_branch_on_merge: true,
          allow_update_branch: false,
          use_squash_pr_title_as_default: false,
          squash_merge_commit_message: 'COMMIT_MESSAGES' as const,
          squash_merge_commit_title: 'COMMIT_OR_PR_TITLE' as const,
          merge_commit_message: 'PR_TITLE' as const,
          merge_commit_title: 'MERGE_MESSAGE' as const,
        }
      : {}),
    custom_properties: {},
    ...(owner.type === 'org' ? { organization: simpleOwner(at, owner) } : {}),
    network_count: repo.forks,
    subscribers_count: repo.subscribers,
  }
}

/** The body inside a webhook: no permissions, and numbers as they were when it happened. */
export function eventRepository(at: Sites, world: World, repo: Repo) {
  const owner = world.owner(repo)
  return { ...plain(at, repo, owner.row.login), owner: eventOwner(at, owner), custom_properties: {} }
}
