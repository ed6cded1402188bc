import { expect, test } from 'vitest'
import { clientOf, freshSandbox, refusal } from './setup.ts'

test('nobody, a stranger and a scopeless token see what is public and no more', async () => {
  const sandbox = await freshSandbox()
  const anonymous = await fetch(`${sandbox.url}/orgs/acme/repos?per_page=100`)
  const seen: unknown = await anonymous.json()
  const bare = clientOf(sandbox, (await sandbox.control.makeToken({ name: 'bare', scopes: [] })).token)
  const listed = (await bare.rest.repos.listForOrg({ org: 'acme', per_page: 100 })).data
  expect(listed.map((repo) => repo.private)).not.toContain(true)
  expect(listed.length).toBeGreaterThan(0)
  expect(seen).toHaveLength(listed.length)
  expect((await refusal(bare.rest.repos.get({ owner: 'acme', repo: 'checkout' }))).status).toBe(404)
  const outside = clientOf(sandbox, (await sandbox.control.makeToken({ name: 'outside', user: 'isla-campbell' })).token)
  expect((await refusal(outside.rest.repos.get({ owner: 'acme', repo: 'checkout' }))).status).toBe(404)
  expect((await refusal(outside.rest.teams.list({ org: 'acme' }))).status).toBe(404)
  expect((await fetch(`${sandbox.url}/orgs/acme/teams`)).status).toBe(401)
})

test('a classic token hears which scopes would do', async () => {
  const sandbox = await freshSandbox()
  const client = clientOf(sandbox, (await sandbox.control.makeToken({ name: 'public', scopes: ['public_repo'] })).token)
  const teams = await refusal(client.rest.teams.list({ org: 'acme' }))
  expect([teams.status, teams.headers['x-oauth-scopes'], teams.headers['x-accepted-oauth-scopes']]).toEqual([
    403,
    'public_repo',
    'read:org, repo, user',
  ])
})

test('a fine-grained token reaches the organisation and the permissions it was given', async () => {
  const sandbox = await freshSandbox()
  const { token } = await sandbox.control.makeToken({
    name: 'fine',
    kind: 'fine-grained',
    grants: { acme: {} },
    expiresIn: 3600,
  })
  const client = clientOf(sandbox, token)
  const { data: repo, headers } = await client.rest.repos.get({ owner: 'acme', repo: 'checkout' })
  expect(repo.private).toBe(true)
  expect(headers['github-authentication-token-expiration']).toMatch(/UTC$/)
  const members = await refusal(client.rest.teams.list({ org: 'acme' }))
  expect([members.status, members.headers['x-accepted-github-permissions']]).toEqual([403, 'members=read'])
  expect(members.message).toContain('Resource not accessible by personal access token')
  const labs = (await client.rest.repos.listForOrg({ org: 'acme-labs' })).data
  expect(labs.every((one) => !one.private)).toBe(true)
  expect((await refusal(client.rest.repos.update({ owner: 'acme', repo: 'checkout', description: 'x' }))).status).toBe(
    403,
  )
})

test('a member reads and pushes as far as base permission and teams go, and administers nothing', async () => {
  const sandbox = await freshSandbox()
  const owner = clientOf(sandbox)
  await owner.rest.teams.addOrUpdateMembershipForUserInOrg({
    org: 'acme',
    team_slug: 'checkout',
    username: 'deniz-aydin',
  })
  const member = clientOf(sandbox, (await sandbox.control.makeToken({ name: 'member', user: 'deniz-aydin' })).token)
  const { data: own } = await member.rest.repos.get({ owner: 'acme', repo: 'checkout' })
  expect(own.permissions).toMatchObject({ push: true, admin: false })
  const { data: foreign } = await member.rest.repos.get({ owner: 'acme', repo: 'invoices' })
  expect(foreign.permissions).toMatchObject({ pull: true, push: false })
  const rename = await refusal(member.rest.repos.update({ owner: 'acme', repo: 'checkout', name: 'mine' }))
  expect([rename.status, rename.message]).toEqual([403, expect.stringContaining('Must have admin rights')])
  expect((await refusal(member.rest.teams.getByName({ org: 'acme', team_slug: 'security' }))).status).toBe(404)
  await owner.rest.orgs.removeMember({ org: 'acme', username: 'deniz-aydin' })
  expect((await refusal(member.rest.repos.get({ owner: 'acme', repo: 'checkout' }))).status).toBe(404)
})

test('a revoked or expired token is 401', async () => {
  let now = Date.parse('2026-09-01T00:00:00Z')
  const sandbox = await freshSandbox({ clock: () => now })
  const revoked = await sandbox.control.makeToken({ name: 'revoked' })
  const short = await sandbox.control.makeToken({ name: 'short', expiresIn: 60 })
  expect((await clientOf(sandbox, short.token).rest.users.getAuthenticated()).status).toBe(200)
  await sandbox.control.revokeToken(revoked.id)
  now += 61_000
  for (const { token } of [revoked, short]) {
    expect((await refusal(clientOf(sandbox, token).rest.users.getAuthenticated())).status).toBe(401)
  }
})

test('people, teams and organisations read as GitHub serves them', async () => {
  const sandbox = await freshSandbox()
  const client = clientOf(sandbox)
  const { data: me } = await client.rest.users.getAuthenticated()
  expect(me.login).toBe('acme-operations')
  const { data: user } = await client.rest.users.getByUsername({ username: 'mei-tanaka' })
  expect((await client.request(`GET /user/${user.id}`)).data).toEqual(user)
  const { data: orgs } = await client.rest.orgs.listMembershipsForAuthenticatedUser()
  expect(orgs.map((one) => [one.organization.login, one.role])).toEqual([
    ['acme', 'admin'],
    ['acme-labs', 'admin'],
  ])
  const { data: team } = await client.rest.teams.getByName({ org: 'acme', team_slug: 'payments' })
  expect(team.parent?.slug).toBe('money')
  expect((await client.request(`GET /organizations/${team.organization.id}/team/${team.id}`)).data).toEqual(team)
  const repos = (await client.rest.teams.listReposInOrg({ org: 'acme', team_slug: 'payments' })).data
  expect(repos.map((repo) => repo.name)).toContain('payments-api')
  const members = await client.paginate(client.rest.orgs.listMembers, { org: 'acme', per_page: 10 })
  expect(members).toHaveLength(28)
  const parents = (await client.rest.teams.listMembersInOrg({ org: 'acme', team_slug: 'money', per_page: 100 })).data
  const children = (await client.rest.teams.listMembersInOrg({ org: 'acme', team_slug: 'payments', per_page: 100 }))
    .data
  expect(parents.map((one) => one.id)).toEqual(expect.arrayContaining(children.map((one) => one.id)))
  expect(Object.keys((await client.rest.repos.listLanguages({ owner: 'acme', repo: 'checkout' })).data)).toContain(
    'TypeScript',
  )
})
