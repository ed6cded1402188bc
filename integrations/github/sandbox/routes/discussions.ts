import { z } from 'zod'
import { openIssue, openPull, updateIssue, updatePull } from '../changes/discussions.ts'
import { paged } from '../http/paging.ts'
import { notFound, unprocessable } from '../http/refusal.ts'
import { type Call, change, type Route, reply, route } from '../http/route.ts'
import { fullPull, listedIssue, listedPull } from '../shapes/discussion.ts'
import type { Repo } from '../state/model.ts'
import type { Issue, Pull } from '../state/parts.ts'
import { readable, writable } from './access.ts'
import { given, read } from './input.ts'

const listing = z.object({
  state: z.enum(['open', 'closed', 'all']).catch('open'),
  sort: z.enum(['created', 'updated']).catch('created'),
  direction: z.enum(['asc', 'desc']).catch('desc'),
})

/** What is asked for, in the order that is asked for. */
function chosen<T extends Issue | Pull>(call: Call, all: readonly T[]): readonly T[] {
  const { state, sort, direction } = listing.parse(Object.fromEntries(call.query))
  const since = call.query.get('since') ?? ''
  const by = (it: T): string => (sort === 'created' ? it.createdAt : it.updatedAt)
  const sign = direction === 'asc' ? 1 : -1
  return all
    .filter((it) => (state === 'all' || it.state === state) && it.updatedAt >= since)
    .sort((a, b) => sign * (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : a.number - b.number))
}

function pullOf(call: Call<'number'>, repo: Repo): Pull {
  const found = call.app.world.parts(repo.id, 'pull').find((it) => String(it.number) === call.params.number)
  if (!found) throw notFound()
  return found
}

function discussionOf(call: Call<'number'>, repo: Repo): Issue | Pull {
  const found = call.app.world.parts(repo.id, 'issue').find((it) => String(it.number) === call.params.number)
  return found ?? pullOf(call, repo)
}

const logins = z.array(z.string()).optional()

function idsOf(call: Call, names: readonly string[] | undefined): number[] | undefined {
  return names?.flatMap((login) => call.app.world.user(login)?.id ?? [])
}

const pullFields = z.object({
  title: z.string().min(1).optional(),
  body: z.string().nullish(),
  state: z.enum(['open', 'closed']).optional(),
  base: z.string().optional(),
})

const issueFields = z.object({
  title: z.string().min(1).optional(),
  body: z.string().nullish(),
  state: z.enum(['open', 'closed']).optional(),
  state_reason: z.enum(['completed', 'not_planned', 'reopened', 'duplicate']).nullish(),
  labels: z.array(z.string()).optional(),
  assignees: logins,
})

export const discussionRoutes: readonly Route[] = [
  route('pulls/list', 'GET', '/repos/:owner/:repo/pulls', (call) => {
    const { world, sites } = call.app
    const repo = readable(call, 'pull_requests')
    return paged(call, chosen(call, world.parts(repo.id, 'pull')), (it) => listedPull(sites, world, repo, it))
  }),

  route('pulls/get', 'GET', '/repos/:owner/:repo/pulls/:number', (call) => {
    const repo = readable(call, 'pull_requests')
    return reply(200, fullPull(call.app.sites, call.app.world, repo, pullOf(call, repo)))
  }),

  route('pulls/create', 'POST', '/repos/:owner/:repo/pulls', (call) => {
    const { repo, actor } = writable(call, 'pull_requests')
    const wanted = z.object({
      title: z.string().min(1),
      head: z.string(),
      base: z.string(),
      body: z.string().nullish(),
      draft: z.boolean().default(false),
    })
    const { body = null, ...fields } = read(wanted, 'PullRequest', call.body)
    const pull = change(call, actor, (c) => openPull(c, repo, actor, { ...fields, body }))
    return reply(201, fullPull(call.app.sites, call.app.world, repo, pull))
  }),

  route('pulls/update', 'PATCH', '/repos/:owner/:repo/pulls/:number', (call) => {
    const { repo, actor } = writable(call, 'pull_requests')
    const fields = given(read(pullFields, 'PullRequest', call.body))
    const pull = change(call, actor, (c) => updatePull(c, repo, pullOf(call, repo), fields))
    return reply(200, fullPull(call.app.sites, call.app.world, repo, pull))
  }),

  route('pulls/request-reviewers', 'POST', '/repos/:owner/:repo/pulls/:number/requested_reviewers', (call) => {
    const { repo, actor } = writable(call, 'pull_requests')
    const before = pullOf(call, repo)
    const wanted = idsOf(call, read(z.object({ reviewers: logins }), 'PullRequest', call.body).reviewers) ?? []
    const reviewers = [...new Set([...before.reviewers, ...wanted])]
    const pull = change(call, actor, (c) => updatePull(c, repo, before, { reviewers }))
    return reply(201, listedPull(call.app.sites, call.app.world, repo, pull))
  }),

  route('pulls/merge', 'PUT', '/repos/:owner/:repo/pulls/:number/merge', (call) => {
    const { repo, actor } = writable(call, 'pull_requests')
    const before = pullOf(call, repo)
    if (before.state === 'closed') throw unprocessable('Pull Request is not mergeable')
    const mergedAt = call.app.world.stamp(before.updatedAt)
    const pull = change(call, actor, (c) => updatePull(c, repo, before, { state: 'closed', mergedAt }))
    return reply(200, { sha: pull.sha, merged: true, message: 'Pull Request successfully merged' })
  }),

  route('issues/list-for-repo', 'GET', '/repos/:owner/:repo/issues', (call) => {
    const { world, sites } = call.app
    const repo = readable(call, 'issues')
    const all = chosen<Issue | Pull>(call, [...world.parts(repo.id, 'issue'), ...world.parts(repo.id, 'pull')])
    return paged(call, all, (it) => listedIssue(sites, world, repo, it))
  }),

  route('issues/get', 'GET', '/repos/:owner/:repo/issues/:number', (call) => {
    const repo = readable(call, 'issues')
    return reply(200, listedIssue(call.app.sites, call.app.world, repo, discussionOf(call, repo)))
  }),

  route('issues/create', 'POST', '/repos/:owner/:repo/issues', (call) => {
    const { repo, actor } = writable(call, 'issues')
    const wanted = issueFields.extend({ title: z.string().min(1) })
    const { title, body = null, labels = [], assignees } = read(wanted, 'Issue', call.body)
    const fields = { title, body, labels, assignees: idsOf(call, assignees) ?? [] }
    const issue = change(call, actor, (c) => openIssue(c, repo, actor, fields))
    return reply(201, listedIssue(call.app.sites, call.app.world, repo, issue))
  }),

  route('issues/update', 'PATCH', '/repos/:owner/:repo/issues/:number', (call) => {
    const { repo, actor } = writable(call, 'issues')
    const { state_reason: reason, assignees, ...rest } = read(issueFields, 'Issue', call.body)
    const before = discussionOf(call, repo)
    const people = idsOf(call, assignees)
    if (before.type === 'pull') {
      const pull = change(call, actor, (c) => updatePull(c, repo, before, given({ ...rest, assignees: people })))
      return reply(200, listedIssue(call.app.sites, call.app.world, repo, pull))
    }
    const fields = given({ ...rest, assignees: people, reason })
    const issue = change(call, actor, (c) => updateIssue(c, repo, before, fields))
    return reply(200, listedIssue(call.app.sites, call.app.world, repo, issue))
  }),
]
