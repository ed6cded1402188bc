import { z } from 'zod'
import { settle } from '../changes/alerts.ts'
import { after, paged } from '../http/paging.ts'
import { notFound } from '../http/refusal.ts'
import { type Call, change, type Route, reply, route } from '../http/route.ts'
import { codeOf, dependabotOf, secretOf, simpleRepository } from '../shapes/alerts.ts'
import type { Repo } from '../state/model.ts'
import type { CodeAlert, DependabotAlert, PartOf, SecretAlert } from '../state/parts.ts'
import { alerted, readable, writable } from './access.ts'
import { read } from './input.ts'

type AlertType = 'dependabot' | 'code' | 'secret'

interface Found<T> {
  readonly id: number
  readonly repo: Repo
  readonly alert: T
}

/** The alerts of an organisation, newest first, of the states that are asked for. */
function listed<T extends AlertType>(call: Call, repos: readonly Repo[], type: T): Found<PartOf<T>>[] {
  const states = call.query.get('state')?.split(',')
  const found = repos.flatMap((repo) =>
    call.app.world.parts(repo.id, type).map((alert) => ({ id: alert.id, repo, alert })),
  )
  return found
    .filter(({ alert }) => states === undefined || states.includes(alert.state))
    .sort((a, b) => b.alert.id - a.alert.id)
}

function alertOf<T extends AlertType>(call: Call<'alert'>, repo: Repo, type: T): PartOf<T> {
  const found = call.app.world.parts(repo.id, type).find((it) => String(it.number) === call.params.alert)
  if (!found) throw notFound()
  return found
}

export const alertRoutes: readonly Route[] = [
  route('dependabot/list-alerts-for-org', 'GET', '/orgs/:org/dependabot/alerts', (call) => {
    const { world, sites } = call.app
    return after(call, listed(call, alerted(call, 'vulnerability_alerts'), 'dependabot'), ({ repo, alert }) => ({
      ...dependabotOf(sites, world, repo, alert),
      repository: simpleRepository(sites, world, repo),
    }))
  }),

  route('dependabot/list-alerts-for-repo', 'GET', '/repos/:owner/:repo/dependabot/alerts', (call) => {
    const { world, sites } = call.app
    const repo = readable(call, 'vulnerability_alerts')
    return after(call, listed(call, [repo], 'dependabot'), ({ alert }) => dependabotOf(sites, world, repo, alert))
  }),

  route('dependabot/get-alert', 'GET', '/repos/:owner/:repo/dependabot/alerts/:alert', (call) => {
    const repo = readable(call, 'vulnerability_alerts')
    return reply(200, dependabotOf(call.app.sites, call.app.world, repo, alertOf(call, repo, 'dependabot')))
  }),

  route('dependabot/update-alert', 'PATCH', '/repos/:owner/:repo/dependabot/alerts/:alert', (call) => {
    const { repo, actor } = writable(call, 'vulnerability_alerts')
    const before: DependabotAlert = alertOf(call, repo, 'dependabot')
    const reasons = ['fix_started', 'inaccurate', 'no_bandwidth', 'not_used', 'tolerable_risk'] as const
    const wanted = z.object({
      state: z.enum(['open', 'dismissed']),
      dismissed_reason: z.enum(reasons).nullish(),
      dismissed_comment: z.string().nullish(),
    })
    const fields = read(wanted, 'Alert', call.body)
    const { dismissed_reason: reason = null, dismissed_comment: comment = null, state } = fields
    const alert = change(call, actor, (c) => settle(c, repo, before, { state, reason, comment }))
    return reply(200, dependabotOf(call.app.sites, call.app.world, repo, alert))
  }),

  route('code-scanning/list-alerts-for-org', 'GET', '/orgs/:org/code-scanning/alerts', (call) => {
    const { world, sites } = call.app
    return paged(call, listed(call, alerted(call, 'security_events'), 'code'), ({ repo, alert }) => ({
      ...codeOf(sites, world, repo, alert),
      repository: simpleRepository(sites, world, repo),
    }))
  }),

  route('code-scanning/list-alerts-for-repo', 'GET', '/repos/:owner/:repo/code-scanning/alerts', (call) => {
    const { world, sites } = call.app
    const repo = readable(call, 'security_events')
    return paged(call, listed(call, [repo], 'code'), ({ alert }) => codeOf(sites, world, repo, alert))
  }),

  route('code-scanning/get-alert', 'GET', '/repos/:owner/:repo/code-scanning/alerts/:alert', (call) => {
    const repo = readable(call, 'security_events')
    return reply(200, codeOf(call.app.sites, call.app.world, repo, alertOf(call, repo, 'code')))
  }),

  route('code-scanning/update-alert', 'PATCH', '/repos/:owner/:repo/code-scanning/alerts/:alert', (call) => {
    const { repo, actor } = writable(call, 'security_events')
    const before: CodeAlert = alertOf(call, repo, 'code')
    const wanted = z.object({
      state: z.enum(['open', 'dismissed']),
      dismissed_reason: z.enum(['false positive', "won't fix", 'used in tests']).nullish(),
      dismissed_comment: z.string().nullish(),
    })
    const fields = read(wanted, 'Alert', call.body)
    const { dismissed_reason: reason = null, dismissed_comment: comment = null, state } = fields
    const alert = change(call, actor, (c) => settle(c, repo, before, { state, reason, comment }))
    return reply(200, codeOf(call.app.sites, call.app.world, repo, alert))
  }),

  route('secret-scanning/list-alerts-for-org', 'GET', '/orgs/:org/secret-scanning/alerts', (call) => {
    const { world, sites } = call.app
    return paged(call, listed(call, alerted(call, 'secret_scanning_alerts'), 'secret'), ({ repo, alert }) => ({
      ...secretOf(sites, world, repo, alert),
      repository: simpleRepository(sites, world, repo),
    }))
  }),

  route('secret-scanning/list-alerts-for-repo', 'GET', '/repos/:owner/:repo/secret-scanning/alerts', (call) => {
    const { world, sites } = call.app
    const repo = readable(call, 'secret_scanning_alerts')
    return paged(call, listed(call, [repo], 'secret'), ({ alert }) => secretOf(sites, world, repo, alert))
  }),

  route('secret-scanning/get-alert', 'GET', '/repos/:owner/:repo/secret-scanning/alerts/:alert', (call) => {
    const repo = readable(call, 'secret_scanning_alerts')
    return reply(200, secretOf(call.app.sites, call.app.world, repo, alertOf(call, repo, 'secret')))
  }),

  route('secret-scanning/update-alert', 'PATCH', '/repos/:owner/:repo/secret-scanning/alerts/:alert', (call) => {
    const { repo, actor } = writable(call, 'secret_scanning_alerts')
    const before: SecretAlert = alertOf(call, repo, 'secret')
    const wanted = z.object({
      state: z.enum(['open', 'resolved']),
      resolution: z.enum(['false_positive', 'wont_fix', 'revoked', 'used_in_tests']).nullish(),
      resolution_comment: z.string().nullish(),
    })
    const { state, resolution: reason = null, resolution_comment: comment = null } = read(wanted, 'Alert', call.body)
    const alert = change(call, actor, (c) => settle(c, repo, before, { state, reason, comment }))
    return reply(200, secretOf(call.app.sites, call.app.world, repo, alert))
  }),
]
