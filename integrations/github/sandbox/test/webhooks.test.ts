import { Webhooks } from '@octokit/webhooks'
import { expect, test } from 'vitest'
import { clientOf, freshSandbox, hookInto, refusal, webhookReceiver } from './setup.ts'

test('every change sends its event, signed over the raw bytes', async () => {
  const sandbox = await freshSandbox()
  const client = clientOf(sandbox)
  const receiver = await webhookReceiver()
  const hook = await hookInto(client, receiver.url)
  await client.rest.repos.createInOrg({ org: 'acme', name: 'new', private: true })
  await client.rest.repos.update({
    owner: 'acme',
    repo: 'new',
    name: 'newer',
    description: 'ünïcode ✓',
    archived: true,
    visibility: 'public',
  })
  await client.rest.repos.update({ owner: 'acme', repo: 'newer', archived: false })
  await client.rest.teams.create({ org: 'acme', name: 'Night Shift', privacy: 'closed' })
  await client.rest.teams.addOrUpdateRepoPermissionsInOrg({
    org: 'acme',
    team_slug: 'night-shift',
    owner: 'acme',
    repo: 'newer',
    permission: 'push',
  })
  await client.rest.teams.addOrUpdateMembershipForUserInOrg({
    org: 'acme',
    team_slug: 'night-shift',
    username: 'deniz-aydin',
  })
  await client.rest.orgs.removeMembershipForUser({ org: 'acme', username: 'deniz-aydin' })
  await client.rest.teams.updateInOrg({ org: 'acme', team_slug: 'night-shift', name: 'Day Shift' })
  await client.rest.teams.deleteInOrg({ org: 'acme', team_slug: 'day-shift' })
  await client.rest.repos.delete({ owner: 'acme', repo: 'newer' })
  await sandbox.control.settle()

  const names = receiver.received.map(({ event, action }) => (action === undefined ? event : `${event}.${action}`))
  expect([...names].sort()).toEqual(
    [
      'ping',
      'repository.created',
      'repository.renamed',
      'repository.edited',
      'repository.archived',
      'repository.publicized',
      'public',
      'repository.unarchived',
      'team.created',
      'team.added_to_repository',
      'team_add',
      'organization.member_added',
      'membership.added',
      'membership.removed',
      'organization.member_removed',
      'team.edited',
      'team.deleted',
      'membership.removed',
      'repository.deleted',
    ].sort(),
  )
  const webhooks = new Webhooks({ secret: 'a secret' })
  for (const { headers, body } of receiver.received) {
    expect(await webhooks.verify(body, String(headers['x-hub-signature-256']))).toBe(true)
    expect(headers).toMatchObject({ 'x-github-hook-id': String(hook), 'content-type': 'application/json' })
    expect(headers['user-agent']).toMatch(/^GitHub-Hookshot\//)
  }
  expect(new Set(receiver.received.map(({ headers }) => headers['x-github-delivery'])).size).toBe(names.length)
})

test('a hook hears the events it asked for, in its organisation, while it is active', async () => {
  const sandbox = await freshSandbox()
  const client = clientOf(sandbox)
  const receiver = await webhookReceiver()
  const hook = await hookInto(client, receiver.url, ['repository'])
  await client.rest.teams.create({ org: 'acme', name: 'Unheard' })
  await client.rest.repos.createInOrg({ org: 'acme-labs', name: 'elsewhere' })
  await client.rest.repos.createInOrg({ org: 'acme', name: 'heard' })
  await client.rest.orgs.updateWebhook({ org: 'acme', hook_id: hook, active: false })
  await client.rest.repos.createInOrg({ org: 'acme', name: 'too-late' })
  await sandbox.control.settle()
  expect(receiver.received.map(({ event }) => event).sort()).toEqual(['ping', 'repository'])
  const twin = await refusal(hookInto(client, receiver.url, ['repository']))
  expect([twin.status, twin.message]).toEqual([422, expect.stringContaining('Hook already exists')])
  const { data } = await client.rest.orgs.getWebhook({ org: 'acme', hook_id: hook })
  expect(data.config.secret).toBe('********')
})

test('deliveries are listed newest first by cursor, and a failed one is asked for again', async () => {
  const sandbox = await freshSandbox()
  const client = clientOf(sandbox)
  const receiver = await webhookReceiver()
  const hook_id = await hookInto(client, receiver.url)
  receiver.status = 500
  for (const name of ['a', 'b', 'c']) await client.rest.repos.createInOrg({ org: 'acme', name })
  await sandbox.control.settle()
  const all = await client.paginate(client.rest.orgs.listWebhookDeliveries, { org: 'acme', hook_id, per_page: 2 })
  expect(all.map((one) => one.event)).toEqual(['repository', 'repository', 'repository', 'ping'])
  expect(all.map((one) => one.id)).toEqual(all.map((one) => one.id).sort((x, y) => Number(y) - Number(x)))
  expect(all[0]).toMatchObject({ status_code: 500, redelivery: false, action: 'created' })
  const delivery_id = Number(all[0]?.id)
  const { data: whole } = await client.rest.orgs.getWebhookDelivery({ org: 'acme', hook_id, delivery_id })
  expect(whole.request.payload).toMatchObject({ action: 'created', repository: { name: 'c' } })
  expect(whole.response.payload).toBe('thanks')
  receiver.status = 200
  await client.rest.orgs.redeliverWebhookDelivery({ org: 'acme', hook_id, delivery_id })
  await sandbox.control.settle()
  const { data: after } = await client.rest.orgs.listWebhookDeliveries({ org: 'acme', hook_id })
  expect(after[0]).toMatchObject({ guid: whole.guid, redelivery: true, status_code: 200, status: 'OK' })
  expect(receiver.received.at(-1)?.headers['x-github-delivery']).toBe(whole.guid)
})

test('a delivery can be lost, repeated and late', async () => {
  const sandbox = await freshSandbox()
  const client = clientOf(sandbox)
  const receiver = await webhookReceiver()
  const hook_id = await hookInto(client, receiver.url, ['repository'])
  await sandbox.control.settle()
  receiver.received.length = 0
  await sandbox.control.fault({ kind: 'drop-delivery', match: { path: '^repository\\.created$' }, times: 1 })
  await client.rest.repos.createInOrg({ org: 'acme', name: 'lost' })
  await sandbox.control.settle()
  expect(receiver.received).toEqual([])
  const { data: listed } = await client.rest.orgs.listWebhookDeliveries({ org: 'acme', hook_id })
  expect(listed[0]).toMatchObject({ event: 'repository', status_code: 504 })
  await sandbox.control.fault({ kind: 'repeat-delivery', copies: 2, times: 1 })
  await client.rest.repos.createInOrg({ org: 'acme', name: 'thrice' })
  await sandbox.control.settle()
  expect(new Set(receiver.received.map(({ headers }) => headers['x-github-delivery'])).size).toBe(1)
  expect(receiver.received).toHaveLength(3)
  receiver.received.length = 0
  await sandbox.control.fault({ kind: 'delay-delivery', ms: 400, times: 1 })
  await client.rest.repos.createInOrg({ org: 'acme', name: 'late' })
  await client.rest.repos.delete({ owner: 'acme', repo: 'late' })
  await sandbox.control.settle()
  expect(receiver.received.map(({ action }) => action)).toEqual(['deleted', 'created'])
})
