import type { components } from '@octokit/openapi-types'
import { isObject, type Json, type JsonObject } from '../../../core/sdk/index.ts'
import type { ShapeOf } from '../shape.ts'
import { statesOf } from '../wants.ts'
import { byNumber, type ChildSpec } from './child.ts'
import { person } from './people.ts'

type Schemas = components['schemas']

const labels = [
  { id: true, node_id: true, url: true, name: true, description: true, color: true, default: true },
] as const

const milestone = {
  url: true,
  html_url: true,
  id: true,
  node_id: true,
  number: true,
  state: true,
  title: true,
  description: true,
  due_on: true,
  created_at: true,
  closed_at: true,
} as const satisfies ShapeOf<NonNullable<Schemas['nullable-milestone']>>

const end = {
  label: true,
  ref: true,
  sha: true,
  user: person,
  repo: {
    id: true,
    node_id: true,
    name: true,
    full_name: true,
    private: true,
    owner: person,
    html_url: true,
    url: true,
    fork: true,
    default_branch: true,
    visibility: true,
  },
} as const

const pull = {
  url: true,
  id: true,
  node_id: true,
  html_url: true,
  diff_url: true,
  patch_url: true,
  issue_url: true,
  number: true,
  state: true,
  locked: true,
  title: true,
  user: person,
  body: true,
  created_at: true,
  updated_at: true,
  closed_at: true,
  merged_at: true,
  merge_commit_sha: true,
  assignee: person,
  assignees: [person],
  requested_reviewers: [person],
  requested_teams: [{ id: true, node_id: true, name: true, slug: true, html_url: true }],
  labels,
  milestone,
  draft: true,
  commits_url: true,
  review_comments_url: true,
  review_comment_url: true,
  comments_url: true,
  statuses_url: true,
  head: end,
  base: end,
  _links: {
    self: true,
    html: true,
    issue: true,
    comments: true,
    review_comments: true,
    review_comment: true,
    commits: true,
    statuses: true,
  },
  author_association: true,
  auto_merge: true,
  active_lock_reason: true,
} as const satisfies ShapeOf<Schemas['pull-request-simple']>

const issue = {
  url: true,
  repository_url: true,
  labels_url: true,
  comments_url: true,
  events_url: true,
  html_url: true,
  id: true,
  node_id: true,
  number: true,
  title: true,
  user: person,
  labels,
  state: true,
  state_reason: true,
  locked: true,
  assignee: person,
  assignees: [person],
  milestone,
  comments: true,
  created_at: true,
  updated_at: true,
  closed_at: true,
  author_association: true,
  active_lock_reason: true,
  body: true,
  timeline_url: true,
  draft: true,
  pull_request: true,
} as const satisfies ShapeOf<Schemas['issue']>

/** Merged is a way of being closed; a mapping may ask for it alone. */
const stateOf = (item: JsonObject): readonly string[] => [
  ...(typeof item['state'] === 'string' ? [item['state']] : []),
  ...(typeof item['merged_at'] === 'string' ? ['merged'] : []),
]

function inStates(item: JsonObject, selector: JsonObject): boolean {
  const wanted = statesOf(selector)
  return wanted.includes('all') || stateOf(item).some((state) => wanted.includes(state))
}

const labelsOf = (item: JsonObject): readonly string[] => {
  const { labels: given } = item
  return Array.isArray(given)
    ? given.flatMap((label: Json) => (isObject(label) && typeof label['name'] === 'string' ? [label['name']] : []))
    : []
}

/** Every label that is named, as GitHub's own filter has it. */
function hasLabels(item: JsonObject, selector: JsonObject): boolean {
  const wanted = selector['labels']
  const names = Array.isArray(wanted) ? wanted : typeof wanted === 'string' ? wanted.split(',') : []
  const has = labelsOf(item)
  return names.every((name: Json) => typeof name !== 'string' || name === '' || has.includes(name.trim()))
}

export const pullRequest: ChildSpec = {
  name: 'pull-request',
  // Closed ones are listed as far back as is asked for: that one is older proves nothing.
  coverage: ({ pulls }) => (pulls.closed ? 'window' : 'complete'),
  paging: 'shifting',
  path: 'pulls',
  params: ({ pulls }) =>
    pulls.closed
      ? { state: 'all', sort: 'updated', direction: 'desc' }
      : { state: 'open', sort: 'created', direction: 'asc' },
  atMost: ({ pulls }, pageSize) => (pulls.closed ? Math.ceil(pulls.max / pageSize) : Number.MAX_SAFE_INTEGER),
  shape: pull,
  id: byNumber('number', 'pull request'),
  version: (item) => item['updated_at'],
  one: (number) => ({ path: 'pulls/{number}', params: { number } }),
  wanted: (item, { pulls }) => (item['state'] === 'open' ? pulls.open : pulls.closed),
  selects: (item, selector) => inStates(item, selector),
}

export const issueKind: ChildSpec = {
  name: 'issue',
  coverage: 'complete',
  paging: 'shifting',
  path: 'issues',
  params: ({ issues }) => ({ state: issues, sort: 'created', direction: 'asc' }),
  shape: issue,
  id: byNumber('number', 'issue'),
  version: (item) => item['updated_at'],
  one: (number) => ({ path: 'issues/{number}', params: { number } }),
  wanted: (item, { issues }) => issues === 'all' || item['state'] === issues,
  selects: (item, selector) => inStates(item, selector) && hasLabels(item, selector),
}
