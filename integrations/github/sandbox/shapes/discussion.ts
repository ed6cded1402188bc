// Pull requests and issues, as listings, single answers and webhooks show them.
import type { Repo, User } from '../state/model.ts'
import type { Issue, Pull } from '../state/parts.ts'
import type { World } from '../state/world.ts'
import { eventUser } from './accounts.ts'
import { nodeId, type Sites } from './api.ts'
import { eventRepository } from './repository.ts'

/** Who wrote something and has left since is shown as nobody in particular. */
export function personOf(world: World, id: number): User {
  const user = world.get('users', id) ?? world.all('users').next().value
  if (user === undefined) throw new Error('there is nobody: the state is damaged')
  return user
}

export const people = (at: Sites, world: World, ids: readonly number[]) =>
  ids.map((id) => eventUser(at, personOf(world, id)))

const colors: Readonly<Record<string, string>> = { bug: 'd73a4a', enhancement: 'a2eeef', documentation: '0075ca' }

const labels = (url: string, repo: Repo, names: readonly string[]) =>
  names.map((name, index) => ({
    id: repo.id * 10 + index,
    node_id: nodeId('LA', repo.id, index),
    url: `${url}/labels/${encodeURIComponent(name)}`,
    name,
    description: '',
    color: colors[name] ?? 'ededed',
    default: name in colors,
  }))

function names(at: Sites, world: World, repo: Repo, number: number) {
  const full = `${world.owner(repo).row.login}/${repo.name}`
  const api = `${at.api}/repos/${full}`
  const pull = `${api}/pulls/${number}`
  const issue = `${api}/issues/${number}`
  return { full, api, web: `${at.web}/${full}`, pull, issue }
}

const inOrganization = 'MEMBER' as const

/** What an item of a listing has; a single answer and a webhook have more. */
export function listedPull(at: Sites, world: World, repo: Repo, it: Pull) {
  const { api, web, pull, issue } = names(at, world, repo, it.number)
  const owner = world.owner(repo).row.login
  const user = eventUser(at, personOf(world, it.userId))
  const end = (ref: string, sha: string) => {
    const inside = eventRepository(at, world, repo)
    return { label: `${owner}:${ref}`, ref, sha, user: inside.owner, repo: inside }
  }
  const [assignee = null] = people(at, world, it.assignees)
  return {
    url: pull,
    id: it.id,
    node_id: nodeId('PR', repo.id, it.id),
    html_url: `${web}/pull/${it.number}`,
    diff_url: `${web}/pull/${it.number}.diff`,
    patch_url: `${web}/pull/${it.number}.patch`,
    issue_url: issue,
    number: it.number,
    state: it.state,
    locked: false,
    title: it.title,
    user,
    body: it.body,
    created_at: it.createdAt,
    updated_at: it.updatedAt,
    closed_at: it.closedAt,
    merged_at: it.mergedAt,
    merge_commit_sha: it.mergedAt === null ? null : it.sha,
    assignee,
    assignees: people(at, world, it.assignees),
    requested_reviewers: people(at, world, it.reviewers),
    requested_teams: [],
    labels: labels(api, repo, it.labels),
    milestone: null,
    draft: it.draft,
    commits_url: `${pull}/commits`,
    review_comments_url: `${pull}/comments`,
    review_comment_url: `${api}/pulls/comments{/number}`,
    comments_url: `${issue}/comments`,
    statuses_url: `${api}/statuses/${it.sha}`,
    head: end(it.head, it.sha),
    base: end(it.base, it.sha),
    _links: {
      self: { href: pull },
      html: { href: `${web}/pull/${it.number}` },
      issue: { href: issue },
      comments: { href: `${issue}/comments` },
      review_comments: { href: `${pull}/comments` },
      review_comment: { href: `${api}/pulls/comments{/number}` },
      commits: { href: `${pull}/commits` },
      statuses: { href: `${api}/statuses/${it.sha}` },
    },
    author_association: inOrganization,
    auto_merge: null,
    active_lock_reason: null,
  }
}

export const fullPull = (at: Sites, world: World, repo: Repo, it: Pull) => ({
  ...listedPull(at, world, repo, it),
  merged: it.mergedAt !== null,
  mergeable: null,
  rebaseable: null,
  mergeable_state: 'unknown',
  merged_by: it.mergedAt === null ? null : eventUser(at, personOf(world, it.userId)),
  comments: 0,
  review_comments: 0,
  maintainer_can_modify: false,
  commits: 1,
  additions: 1,
  deletions: 1,
  changed_files: 1,
})

const reactions = (url: string) => ({
  url: `${url}/reactions`,
  total_count: 0,
  '+1': 0,
  '-1': 0,
  laugh: 0,
  hooray: 0,
  confused: 0,
  heart: 0,
  rocket: 0,
  eyes: 0,
})

/** To GitHub every pull request is an issue, too. */
export function listedIssue(at: Sites, world: World, repo: Repo, it: Issue | Pull) {
  const { api, web, issue, pull } = names(at, world, repo, it.number)
  const [assignee = null] = people(at, world, it.assignees)
  const html = `${web}/${it.type === 'pull' ? 'pull' : 'issues'}/${it.number}`
  return {
    url: issue,
    repository_url: api,
    labels_url: `${issue}/labels{/name}`,
    comments_url: `${issue}/comments`,
    events_url: `${issue}/events`,
    html_url: html,
    id: it.type === 'pull' ? it.id + 1_000_000_000 : it.id,
    node_id: nodeId(it.type === 'pull' ? 'PR' : 'I', repo.id, it.id),
    number: it.number,
    title: it.title,
    user: eventUser(at, personOf(world, it.userId)),
    labels: labels(api, repo, it.labels),
    state: it.state,
    locked: false,
    assignee,
    assignees: people(at, world, it.assignees),
    milestone: null,
    comments: 0,
    created_at: it.createdAt,
    updated_at: it.updatedAt,
    closed_at: it.closedAt,
    author_association: inOrganization,
    active_lock_reason: null,
    body: it.body,
    reactions: reactions(issue),
    timeline_url: `${issue}/timeline`,
    performed_via_github_app: null,
    state_reason: it.type === 'issue' ? it.reason : null,
    ...(it.type === 'pull'
      ? {
          draft: it.draft,
          pull_request: {
            url: pull,
            html_url: html,
            diff_url: `${html}.diff`,
            patch_url: `${html}.patch`,
            merged_at: it.mergedAt,
          },
        }
      : {}),
  }
}
