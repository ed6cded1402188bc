// Security alerts. GitHub finds them; people dismiss and reopen them.
import type {
  CodeScanningAlertEvent,
  DependabotAlertEvent,
  GitHubOrg,
  SecretScanningAlertEvent,
} from '@octokit/webhooks-types'
import { eventUser } from '../shapes/accounts.ts'
import { codeOf, dependabotOf, secretOf } from '../shapes/alerts.ts'
import type { Repo } from '../state/model.ts'
import type { CodeAlert, DependabotAlert, SecretAlert } from '../state/parts.ts'
import { type Change, emit, signedIn } from '../webhooks/emit.ts'

export type Finding =
  | (Pick<DependabotAlert, 'type' | 'ecosystem' | 'package' | 'manifest' | 'severity' | 'ghsa' | 'summary'> & {
      type: 'dependabot'
    })
  | Pick<CodeAlert, 'type' | 'rule' | 'description' | 'severity' | 'path' | 'ref'>
  | Pick<SecretAlert, 'type' | 'secretType' | 'displayName'>

export function find(c: Change, repo: Repo, finding: Finding): DependabotAlert | CodeAlert | SecretAlert {
  const now = c.world.stamp()
  const number = Math.max(0, ...c.world.parts(repo.id, finding.type).map((it) => it.number)) + 1
  const base = { id: c.tx.nextId(), repoId: repo.id, number, createdAt: now, updatedAt: now }
  const fresh = { state: 'open', reason: null, closedAt: null, closedBy: null, comment: null } as const
  const alert = { ...finding, ...base, ...fresh }
  c.tx.put('parts', alert)
  tell(c, repo, alert, 'created')
  return alert
}

/** Closes an alert with a reason, or opens it again. */
export function settle<A extends DependabotAlert | CodeAlert | SecretAlert>(
  c: Change,
  repo: Repo,
  before: A,
  fields: Pick<A, 'state' | 'reason' | 'comment'>,
): A {
  const updatedAt = c.world.stamp(before.updatedAt)
  const open = fields.state === 'open'
  const alert: A = {
    ...before,
    ...fields,
    updatedAt,
    closedAt: open ? null : updatedAt,
    closedBy: open ? null : c.actor.id,
  }
  c.tx.put('parts', alert)
  tell(c, repo, alert, open ? 'reopened' : 'closed')
  return alert
}

function tell(
  c: Change,
  repo: Repo,
  alert: DependabotAlert | CodeAlert | SecretAlert,
  how: 'created' | 'closed' | 'reopened',
): void {
  const signed = signedIn(c, repo)
  if (!signed) return
  const { org, about } = signed
  if (alert.type === 'dependabot') emit(c, org, 'dependabot_alert', dependabotEvent(c, repo, alert, how, about))
  else if (alert.type === 'code') emit(c, org, 'code_scanning_alert', codeEvent(c, repo, alert, how, about))
  else emit(c, org, 'secret_scanning_alert', secretEvent(c, repo, alert, how, about))
}

type About = NonNullable<ReturnType<typeof signedIn>>['about']

/** GitHub itself is the sender of what nobody did. */
const githubItself: GitHubOrg = {
  login: 'github',
  id: 9919,
  node_id: 'MDEyOk9yZ2FuaXphdGlvbjk5MTk=',
  avatar_url: 'https://avatars.githubusercontent.com/u/9919?v=4',
  gravatar_id: '',
  url: 'https://api.github.com/users/github',
  html_url: 'https://github.com/github',
  followers_url: 'https://api.github.com/users/github/followers',
  following_url: 'https://api.github.com/users/github/following{/other_user}',
  gists_url: 'https://api.github.com/users/github/gists{/gist_id}',
  starred_url: 'https://api.github.com/users/github/starred{/owner}{/repo}',
  subscriptions_url: 'https://api.github.com/users/github/subscriptions',
  organizations_url: 'https://api.github.com/users/github/orgs',
  repos_url: 'https://api.github.com/users/github/repos',
  events_url: 'https://api.github.com/users/github/events{/privacy}',
  received_events_url: 'https://api.github.com/users/github/received_events',
  type: 'Organization',
  site_admin: false,
}

function dependabotEvent(
  c: Change,
  repo: Repo,
  it: DependabotAlert,
  how: 'created' | 'closed' | 'reopened',
  about: About,
): DependabotAlertEvent {
  const body = dependabotOf(c.at, c.world, repo, it)
  const sender = githubItself
  const open = { state: 'open', fixed_at: null, dismissed_at: null, dismissed_by: null } as const
  const silent = { dismissed_reason: null, dismissed_comment: null } as const
  if (how === 'created') return { action: 'created', alert: { ...body, ...open, ...silent }, ...about, sender }
  if (how === 'reopened') return { action: 'reopened', alert: { ...body, ...open, ...silent }, ...about, sender }
  const dismissal = {
    state: 'dismissed',
    dismissed_at: it.closedAt ?? it.updatedAt,
    dismissed_by: eventUser(c.at, c.actor),
    dismissed_reason: it.reason ?? 'not_used',
    fixed_at: null,
  } as const
  return { action: 'dismissed', alert: { ...body, ...dismissal }, ...about, sender: eventUser(c.at, c.actor) }
}

function codeEvent(
  c: Change,
  repo: Repo,
  it: CodeAlert,
  how: 'created' | 'closed' | 'reopened',
  about: About,
): CodeScanningAlertEvent {
  const { rule, dismissed_comment: _comment, ...body } = codeOf(c.at, c.world, repo, it)
  const instance = body.most_recent_instance
  const told = {
    ...about,
    ref: it.ref,
    commit_oid: instance.commit_sha,
    sender: githubItself,
  }
  const plain = { ...rule, tags: null }
  const open = { state: 'open', dismissed_by: null, dismissed_at: null, dismissed_reason: null } as const
  const instances = [{ ...instance, state: 'open' as const }]
  const recent = { most_recent_instance: { ...instance, state: 'open' as const } }
  if (how !== 'closed') {
    const alert = { ...body, ...open, ...recent, instances, rule: plain }
    return how === 'created' ? { action: 'created', alert, ...told } : { action: 'reopened', alert, ...told }
  }
  const alert = {
    ...body,
    state: 'dismissed',
    most_recent_instance: { ...instance, state: 'dismissed' },
    instances: [{ ...instance, state: 'dismissed' }],
    dismissed_by: eventUser(c.at, c.actor),
    dismissed_at: it.closedAt ?? it.updatedAt,
    dismissed_reason: it.reason,
    rule: plain,
  } as const
  return {
    action: 'closed_by_user',
    alert: { ...alert, instances: [...alert.instances] },
    ...told,
    sender: eventUser(c.at, c.actor),
  }
}

function secretEvent(
  c: Change,
  repo: Repo,
  it: SecretAlert,
  how: 'created' | 'closed' | 'reopened',
  about: About,
): SecretScanningAlertEvent {
  // A webhook never carries the secret itself.
  const { secret: _secret, ...body } = secretOf(c.at, c.world, repo, it)
  const open = { resolution: null, resolved_by: null, resolved_at: null } as const
  if (how === 'created') return { action: 'created', alert: { ...body, ...open }, ...about }
  if (how === 'reopened') return { action: 'reopened', alert: { ...body, ...open }, ...about }
  const by = { resolved_by: eventUser(c.at, c.actor), resolved_at: it.closedAt ?? it.updatedAt }
  const alert = { ...body, ...by, resolution: it.reason ?? 'revoked' } as const
  return { action: 'resolved', alert, ...about }
}
