import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { clientOf, freshSandbox, hookInto, type Receiver, webhookReceiver } from './setup.ts'

const examples = z
  .array(z.object({ name: z.string(), examples: z.array(z.record(z.string(), z.unknown())) }))
  .parse(createRequire(import.meta.url)('@octokit/webhooks-examples'))

/** Every path of keys in a body; lists count as one of their items. */
function paths(value: unknown, at = ''): string[] {
  if (Array.isArray(value)) return value.slice(0, 1).flatMap((item) => paths(item, `${at}[]`))
  if (typeof value !== 'object' || value === null) return [at]
  return [at, ...Object.entries(value).flatMap(([key, item]) => paths(item, at === '' ? key : `${at}.${key}`))]
}

/** GitHub has added these since the examples were recorded, or sends them only from some accounts; the types know them. */
const mayBeExtra = [
  /(^|\.)(repository|repo)\.(has_discussions|allow_forking)$/,
  /^repository\.permissions\.(triage|maintain)$/,
  /^team\.notification_setting$/,
  /^alert\.(updated_at|fixed_at|most_recent_instance(\..+)?|instances_url|rule\.security_severity_level)$/,
  /^issue\.(timeline_url|performed_via_github_app|state_reason)$/,
  /^organization(\..+)?$/,
  /^changes\..+$/,
]
/** Examples of GitHub Apps carry their installation; a transfer from a person names a user. */
const mayBeMissing = [/^installation(\..+)?$/, /^changes(\..+)?$/, /^issue\.draft$/]

/** Of what is null or an empty list on one side nothing can be compared. */
const isBare = (path: string, other: readonly string[] | ReadonlySet<string>): boolean => {
  const known = [...other]
  return [...path.matchAll(/\[\]|\./g)].some((match) => {
    const above = path.slice(0, match.index)
    return known.includes(above) ? !known.some((one) => one.startsWith(`${above}.`)) : match[0] === '[]'
  })
}

/** Holds each body against the recorded ones of its event; says which were compared. */
function comparedShapes(received: Receiver['received']): string[] {
  const compared: string[] = []
  const wrong: unknown[] = []
  for (const { event, action, body } of received) {
    const recorded = (examples.find((one) => one.name === event)?.examples ?? [])
      .filter((example) => example['action'] === action)
      .filter((example) => event !== 'ping' || !('repository' in example))
      .map((example) => paths(example))
    if (recorded.length === 0) continue
    const ours = paths(JSON.parse(body))
    const label = `${event}.${action ?? ''}`
    compared.push(label)
    const anywhere = new Set(recorded.flat())
    const extra = ours.filter(
      (path) => !anywhere.has(path) && !isBare(path, anywhere) && !mayBeExtra.some((allowed) => allowed.test(path)),
    )
    const required = (recorded[0] ?? []).filter((path) => recorded.every((one) => one.includes(path)))
    const missing = required.filter(
      (path) => !ours.includes(path) && !isBare(path, ours) && !mayBeMissing.some((allowed) => allowed.test(path)),
    )
    if (extra.length + missing.length > 0) wrong.push({ label, extra, missing })
  }
  expect(wrong).toEqual([])
  return compared
}

test('event bodies have the keys of the recorded examples, all the way down', async () => {
  const sandbox = await freshSandbox()
  const client = clientOf(sandbox)
  const receiver = await webhookReceiver()
  await hookInto(client, receiver.url)
  await hookInto(client, receiver.url, ['*'], 'acme-labs')
  await client.rest.repos.createInOrg({ org: 'acme', name: 'new', private: true })
  const repo = { owner: 'acme', repo: 'new' }
  await client.rest.repos.update({ ...repo, description: 'described', visibility: 'public', archived: true })
  await client.rest.repos.update({ ...repo, archived: false, visibility: 'private', name: 'newer' })
  const team = { org: 'acme', team_slug: 'night-shift' }
  await client.rest.teams.create({ org: 'acme', name: 'Night Shift' })
  await client.rest.teams.addOrUpdateRepoPermissionsInOrg({ ...team, owner: 'acme', repo: 'newer' })
  await client.rest.teams.addOrUpdateMembershipForUserInOrg({ ...team, username: 'deniz-aydin' })
  await client.rest.teams.removeRepoInOrg({ ...team, owner: 'acme', repo: 'newer' })
  await client.rest.teams.removeMembershipForUserInOrg({ ...team, username: 'deniz-aydin' })
  await client.rest.orgs.removeMember({ org: 'acme', username: 'deniz-aydin' })
  await client.rest.teams.updateInOrg({ ...team, description: 'at night' })
  await client.rest.teams.deleteInOrg(team)
  await client.rest.repos.transfer({ owner: 'acme', repo: 'newer', new_owner: 'acme-labs' })
  await client.rest.repos.delete({ owner: 'acme-labs', repo: 'newer' })
  await sandbox.control.settle()

  const compared = comparedShapes(receiver.received)
  expect([...new Set(compared)].sort()).toEqual([
    'membership.added',
    'membership.removed',
    'organization.member_added',
    'ping.',
    'public.',
    'repository.created',
    'repository.edited',
    'repository.privatized',
    'repository.publicized',
    'repository.renamed',
    'repository.transferred',
    'team.added_to_repository',
    'team.created',
    'team.deleted',
    'team.edited',
    'team.removed_from_repository',
    'team_add.',
  ])
})

test('so have the events about what is in a repository', async () => {
  const sandbox = await freshSandbox()
  const client = clientOf(sandbox)
  const receiver = await webhookReceiver()
  await hookInto(client, receiver.url)
  const repo = { owner: 'acme', repo: 'checkout' }
  const content = (text: string) => ({ content: Buffer.from(text).toString('base64'), message: 'work' })
  await client.rest.repos.createOrUpdateFileContents({ ...repo, path: 'docs/new.md', ...content('# New') })
  await client.rest.git.createRef({ ...repo, ref: 'refs/heads/idea', sha: '1'.repeat(40) })
  const pull = (await client.rest.pulls.create({ ...repo, title: 'Idea', head: 'idea', base: 'main' })).data.number
  await client.rest.pulls.update({ ...repo, pull_number: pull, title: 'Better idea' })
  await client.rest.pulls.update({ ...repo, pull_number: pull, state: 'closed' })
  await client.rest.pulls.update({ ...repo, pull_number: pull, state: 'open' })
  await client.rest.git.deleteRef({ ...repo, ref: 'heads/idea' })
  const issue = (await client.rest.issues.create({ ...repo, title: 'Slow', labels: ['bug'] })).data.number
  await client.rest.issues.update({ ...repo, issue_number: issue, title: 'Slower' })
  await client.rest.issues.update({ ...repo, issue_number: issue, state: 'closed' })
  await client.rest.issues.update({ ...repo, issue_number: issue, state: 'open' })
  await sandbox.control.deleteIssue('acme/checkout', issue)
  const release = (await client.rest.repos.createRelease({ ...repo, tag_name: 'v9' })).data.id
  await client.rest.repos.updateRelease({ ...repo, release_id: release, name: 'Nine' })
  await client.rest.repos.deleteRelease({ ...repo, release_id: release })
  await client.rest.actions.createWorkflowDispatch({ ...repo, workflow_id: 'ci.yaml', ref: 'main' })
  const deployment = await client.rest.repos.createDeployment({ ...repo, ref: 'main', environment: 'production' })
  if (deployment.status !== 201) throw new Error('no deployment')
  const deployment_id = deployment.data.id
  await client.rest.repos.createDeploymentStatus({ ...repo, deployment_id, state: 'success' })
  const dependabot = await sandbox.control.find('acme/checkout', { type: 'dependabot' })
  const dismissal = { state: 'dismissed', dismissed_reason: 'tolerable_risk' } as const
  await client.rest.dependabot.updateAlert({ ...repo, alert_number: dependabot, ...dismissal })
  const code = await sandbox.control.find('acme/checkout', { type: 'code' })
  await client.rest.codeScanning.updateAlert({ ...repo, alert_number: code, state: 'dismissed' })
  const secret = await sandbox.control.find('acme/checkout', { type: 'secret' })
  await client.rest.secretScanning.updateAlert({
    ...repo,
    alert_number: secret,
    state: 'resolved',
    resolution: 'revoked',
  })
  await sandbox.control.settle()
  const compared = comparedShapes(receiver.received)
  expect(receiver.received.map(({ body }) => body).join()).not.toContain('not to be kept')
  expect([...new Set(compared)].sort()).toEqual([
    'code_scanning_alert.closed_by_user',
    'code_scanning_alert.created',
    'create.',
    'delete.',
    'dependabot_alert.created',
    'deployment.created',
    'deployment_status.created',
    'issues.deleted',
    'issues.edited',
    'issues.opened',
    'issues.reopened',
    'ping.',
    'pull_request.closed',
    'pull_request.opened',
    'pull_request.reopened',
    'push.',
    'release.created',
    'release.deleted',
    'release.edited',
    'release.published',
    'workflow_run.completed',
    'workflow_run.requested',
  ])
})
