// What people do to pull requests and issues, with the events GitHub sends for it.
import { eventUser } from '../shapes/accounts.ts'
import { fullPull, listedIssue } from '../shapes/discussion.ts'
import type { Repo, User } from '../state/model.ts'
import type { Issue, Pull } from '../state/parts.ts'
import { type Change, emit, signedIn } from '../webhooks/emit.ts'

/** Both are numbered together, and a number is never given twice. */
function nextNumber(c: Change, repo: Repo): number {
  const numbers = [...c.world.parts(repo.id, 'issue'), ...c.world.parts(repo.id, 'pull')].map((it) => it.number)
  return Math.max(0, ...numbers) + 1
}

export interface NewPull {
  title: string
  body: string | null
  head: string
  base: string
  draft: boolean
}

export function openPull(c: Change, repo: Repo, author: User, fields: NewPull): Pull {
  const now = c.world.stamp()
  const branch = c.world.parts(repo.id, 'branch').find((ref) => ref.name === fields.head)
  const pull: Pull = {
    type: 'pull',
    id: c.tx.nextId(),
    repoId: repo.id,
    number: nextNumber(c, repo),
    ...fields,
    state: 'open',
    userId: author.id,
    assignees: [],
    reviewers: [],
    labels: [],
    sha: branch?.sha ?? '0'.repeat(40),
    mergedAt: null,
    closedAt: null,
    createdAt: now,
    updatedAt: now,
  }
  c.tx.put('parts', pull)
  const signed = signedIn(c, repo)
  const open = { state: 'open', closed_at: null, merged_at: null, merged_by: null } as const
  if (signed) {
    const pull_request = { ...fullPull(c.at, c.world, repo, pull), ...open }
    emit(c, signed.org, 'pull_request', { action: 'opened', number: pull.number, pull_request, ...signed.about })
  }
  return pull
}

export type PullFields = Partial<
  Pick<Pull, 'title' | 'body' | 'state' | 'base' | 'assignees' | 'reviewers' | 'labels' | 'mergedAt'>
>

export function updatePull(c: Change, repo: Repo, before: Pull, fields: PullFields): Pull {
  const wanted: Pull = { ...before, ...fields }
  if (JSON.stringify(wanted) === JSON.stringify(before)) return before
  const updatedAt = c.world.stamp(before.updatedAt)
  const closedAt = wanted.state === 'open' ? null : (before.closedAt ?? updatedAt)
  const pull: Pull = { ...wanted, closedAt, updatedAt }
  c.tx.put('parts', pull)
  const signed = signedIn(c, repo)
  if (!signed) return pull
  const { number } = pull
  const body = fullPull(c.at, c.world, repo, pull)
  if (pull.state === 'closed' && before.state === 'open') {
    const pull_request = { ...body, state: 'closed', closed_at: updatedAt, merged: pull.mergedAt !== null } as const
    emit(c, signed.org, 'pull_request', { action: 'closed', number, pull_request, ...signed.about })
  } else if (pull.state === 'open' && before.state === 'closed') {
    const pull_request = { ...body, state: 'open', closed_at: null, merged_at: null, merged: false } as const
    emit(c, signed.org, 'pull_request', {
      action: 'reopened',
      number,
      pull_request: { ...pull_request, merged_by: null },
      ...signed.about,
    })
  } else if (pull.reviewers.length > before.reviewers.length) {
    for (const id of pull.reviewers.filter((one) => !before.reviewers.includes(one))) {
      const reviewer = c.world.get('users', id)
      if (reviewer === undefined) continue
      const requested = { number, pull_request: body, requested_reviewer: eventUser(c.at, reviewer) }
      emit(c, signed.org, 'pull_request', { action: 'review_requested', ...requested, ...signed.about })
    }
  } else {
    const changes = {
      ...(pull.title === before.title ? {} : { title: { from: before.title } }),
      ...(pull.body === before.body ? {} : { body: { from: before.body ?? '' } }),
    }
    emit(c, signed.org, 'pull_request', { action: 'edited', number, changes, pull_request: body, ...signed.about })
  }
  return pull
}

export type NewIssue = Pick<Issue, 'title' | 'body' | 'labels' | 'assignees'>

export function openIssue(c: Change, repo: Repo, author: User, fields: NewIssue): Issue {
  const now = c.world.stamp()
  const issue: Issue = {
    type: 'issue',
    id: c.tx.nextId(),
    repoId: repo.id,
    number: nextNumber(c, repo),
    ...fields,
    state: 'open',
    reason: null,
    userId: author.id,
    closedAt: null,
    createdAt: now,
    updatedAt: now,
  }
  c.tx.put('parts', issue)
  tellIssue(c, repo, issue, 'opened')
  return issue
}

export type IssueFields = Partial<Pick<Issue, 'title' | 'body' | 'labels' | 'assignees' | 'state' | 'reason'>>

export function updateIssue(c: Change, repo: Repo, before: Issue, fields: IssueFields): Issue {
  const wanted: Issue = { ...before, ...fields }
  if (JSON.stringify(wanted) === JSON.stringify(before)) return before
  const updatedAt = c.world.stamp(before.updatedAt)
  const open = wanted.state === 'open'
  const reason = open ? (before.state === 'open' ? before.reason : 'reopened') : (wanted.reason ?? 'completed')
  const issue: Issue = { ...wanted, reason, closedAt: open ? null : (before.closedAt ?? updatedAt), updatedAt }
  c.tx.put('parts', issue)
  tellIssue(c, repo, issue, issue.state === before.state ? 'edited' : open ? 'reopened' : 'closed')
  return issue
}

/** On GitHub only an administrator may, on a page or through GraphQL. */
export function deleteIssue(c: Change, repo: Repo, issue: Issue): void {
  c.tx.remove('parts', issue.id)
  tellIssue(c, repo, issue, 'deleted')
}

function tellIssue(
  c: Change,
  repo: Repo,
  issue: Issue,
  action: 'opened' | 'edited' | 'closed' | 'reopened' | 'deleted',
) {
  const signed = signedIn(c, repo)
  if (!signed) return
  const { org, about } = signed
  const body = listedIssue(c.at, c.world, repo, issue)
  const open = { ...body, state: 'open', closed_at: null } as const
  if (action === 'opened') emit(c, org, 'issues', { action, issue: open, ...about })
  else if (action === 'reopened') emit(c, org, 'issues', { action, issue: { ...body, state: 'open' }, ...about })
  else if (action === 'closed')
    emit(c, org, 'issues', { action, issue: { ...body, state: 'closed', closed_at: issue.updatedAt }, ...about })
  else if (action === 'edited') emit(c, org, 'issues', { action, changes: {}, issue: body, ...about })
  else emit(c, org, 'issues', { action, issue: body, ...about })
}
