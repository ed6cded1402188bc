import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { clientOf, freshSandbox, hookInto, webhookReceiver } from './setup.ts'

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
  /^repository\.(has_discussions|allow_forking)$/,
  /^repository\.permissions\.(triage|maintain)$/,
  /^team\.notification_setting$/,
  /^organization(\..+)?$/,
  /^changes\..+$/,
]
/** Examples of GitHub Apps carry their installation; a transfer from a person names a user. */
const mayBeMissing = [/^installation(\..+)?$/, /^changes(\..+)?$/]

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

  const compared: string[] = []
  for (const { event, action, body } of receiver.received) {
    const recorded = (examples.find((one) => one.name === event)?.examples ?? [])
      .filter((example) => example['action'] === action)
      .filter((example) => event !== 'ping' || !('repository' in example))
      .map((example) => paths(example))
    if (recorded.length === 0) continue
    const ours = paths(JSON.parse(body))
    const label = `${event}.${action ?? ''}`
    compared.push(label)
    const anywhere = new Set(recorded.flat())
    const extra = ours.filter((path) => !anywhere.has(path) && !mayBeExtra.some((allowed) => allowed.test(path)))
    const required = (recorded[0] ?? []).filter((path) => recorded.every((one) => one.includes(path)))
    const missing = required.filter(
      (path) => !ours.includes(path) && !mayBeMissing.some((allowed) => allowed.test(path)),
    )
    expect({ label, extra, missing }).toEqual({ label, extra: [], missing: [] })
  }
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
