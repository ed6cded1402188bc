import { expect, test } from 'vitest'
import { clientOf, freshSandbox, refusal } from './setup.ts'

test('pages of a listing join to the whole, led by Link as GitHub writes it', async () => {
  const sandbox = await freshSandbox()
  const client = clientOf(sandbox)
  const all = await client.paginate(client.rest.repos.listForOrg, { org: 'acme', per_page: 7 })
  expect(all).toHaveLength(25)
  expect(new Set(all.map((repo) => repo.id)).size).toBe(25)
  const first = await client.rest.repos.listForOrg({ org: 'acme', per_page: 7 })
  const id = (await client.rest.orgs.get({ org: 'acme' })).data.id
  expect(first.headers.link).toBe(
    `<${sandbox.url}/organizations/${id}/repos?per_page=7&page=2>; rel="next", <${sandbox.url}/organizations/${id}/repos?per_page=7&page=4>; rel="last"`,
  )
  const last = await client.rest.repos.listForOrg({ org: 'acme', per_page: 7, page: 4 })
  expect(last.data).toHaveLength(4)
  expect(last.headers.link).not.toContain('rel="next"')
  expect((await client.rest.repos.listForOrg({ org: 'acme', page: 9 })).data).toEqual([])
})

test('a listing sorts and filters as asked', async () => {
  const client = clientOf(await freshSandbox())
  const named = (await client.rest.repos.listForOrg({ org: 'acme', sort: 'full_name', per_page: 100 })).data
  expect(named.map((repo) => repo.name)).toEqual(named.map((repo) => repo.name).sort())
  const pushed = (await client.rest.repos.listForOrg({ org: 'acme', sort: 'pushed', per_page: 100 })).data
  const times = pushed.map((repo) => repo.pushed_at ?? '')
  expect(times).toEqual([...times].sort().reverse())
  const open = (await client.rest.repos.listForOrg({ org: 'acme', type: 'public', per_page: 100 })).data
  expect(open.every((repo) => !repo.private)).toBe(true)
  expect(open.length).toBeLessThan(named.length)
})

test('both base paths serve the same, and links stay below the one that was asked', async () => {
  const sandbox = await freshSandbox()
  const enterprise = clientOf({ ...sandbox, url: `${sandbox.url}/api/v3` })
  const all = await enterprise.paginate(enterprise.rest.repos.listForOrg, { org: 'acme', per_page: 10 })
  expect(all).toHaveLength(25)
  const page = await enterprise.rest.repos.listForOrg({ org: 'acme', per_page: 10 })
  expect(page.headers.link).toContain(`<${sandbox.url}/api/v3/organizations/`)
  expect(page.data).toEqual((await clientOf(sandbox).rest.repos.listForOrg({ org: 'acme', per_page: 10 })).data)
})

test('a renamed repository redirects by id, and its old name can be taken', async () => {
  const sandbox = await freshSandbox()
  const client = clientOf(sandbox)
  const { data: before } = await client.rest.repos.get({ owner: 'acme', repo: 'checkout' })
  await client.rest.repos.update({ owner: 'acme', repo: 'checkout', name: 'basket' })
  const raw = await fetch(`${sandbox.url}/repos/acme/checkout/teams?per_page=5`, {
    redirect: 'manual',
    headers: { authorization: `token ${sandbox.token}` },
  })
  expect([raw.status, raw.headers.get('location')]).toEqual([
    301,
    `${sandbox.url}/repositories/${before.id}/teams?per_page=5`,
  ])
  const { data: after } = await client.rest.repos.get({ owner: 'acme', repo: 'checkout' })
  expect([after.id, after.full_name]).toEqual([before.id, 'acme/basket'])
  const { data: other } = await client.rest.repos.createInOrg({ org: 'acme', name: 'checkout' })
  expect((await client.rest.repos.get({ owner: 'acme', repo: 'checkout' })).data.id).toBe(other.id)
})

test('a transferred repository keeps its id, leaves its teams and redirects', async () => {
  const client = clientOf(await freshSandbox())
  const { data: before } = await client.rest.repos.get({ owner: 'acme', repo: 'refunds' })
  expect((await client.rest.repos.listTeams({ owner: 'acme', repo: 'refunds' })).data.length).toBeGreaterThan(0)
  await client.rest.repos.transfer({ owner: 'acme', repo: 'refunds', new_owner: 'acme-labs' })
  const { data: after } = await client.rest.repos.get({ owner: 'acme', repo: 'refunds' })
  expect([after.id, after.full_name]).toEqual([before.id, 'acme-labs/refunds'])
  expect((await client.rest.repos.listTeams({ owner: 'acme-labs', repo: 'refunds' })).data).toEqual([])
  const left = (await client.rest.teams.listReposInOrg({ org: 'acme', team_slug: 'payments', per_page: 100 })).data
  expect(left.map((repo) => repo.name)).toContain('payments-api')
  expect(left.map((repo) => repo.name)).not.toContain('refunds')
})

test('a deleted repository is gone for every path, and a restored one keeps its id', async () => {
  const sandbox = await freshSandbox()
  const client = clientOf(sandbox)
  const { data: repo } = await client.rest.repos.get({ owner: 'acme', repo: 'invoices' })
  await client.rest.repos.delete({ owner: 'acme', repo: 'invoices' })
  expect((await refusal(client.rest.repos.get({ owner: 'acme', repo: 'invoices' }))).status).toBe(404)
  expect((await refusal(client.request(`GET /repositories/${repo.id}`))).status).toBe(404)
  await sandbox.control.restore(repo.id)
  const { data: back } = await client.rest.repos.get({ owner: 'acme', repo: 'invoices' })
  expect(back.id).toBe(repo.id)
  expect(back.updated_at >= repo.updated_at).toBe(true)
})

test('unchanged is 304 and costs nothing; a change, or another token, is 200', async () => {
  const sandbox = await freshSandbox()
  const client = clientOf(sandbox)
  const first = await client.rest.repos.listForOrg({ org: 'acme' })
  const headers = { 'if-none-match': first.headers.etag }
  const again = await refusal(client.rest.repos.listForOrg({ org: 'acme', headers }))
  expect(again.status).toBe(304)
  expect(again.headers['x-ratelimit-used']).toBe(first.headers['x-ratelimit-used'])
  const { token } = await sandbox.control.makeToken({ name: 'another' })
  expect((await clientOf(sandbox, token).rest.repos.listForOrg({ org: 'acme', headers })).status).toBe(200)
  await client.rest.repos.replaceAllTopics({ owner: 'acme', repo: 'checkout', names: ['renewed'] })
  expect((await client.rest.repos.listForOrg({ org: 'acme', headers })).status).toBe(200)
  const one = await client.rest.repos.get({ owner: 'acme', repo: 'checkout' })
  const since = { 'if-modified-since': String(one.headers['last-modified']) }
  expect((await refusal(client.rest.repos.get({ owner: 'acme', repo: 'checkout', headers: since }))).status).toBe(304)
  const { counts } = await sandbox.control.requests()
  expect(counts.notModifiedListings).toBe(1)
})

test('errors have the status and shape of GitHub', async () => {
  const sandbox = await freshSandbox()
  const ask = async (path: string, init: RequestInit = {}): Promise<[number, unknown]> => {
    const answer = await fetch(sandbox.url + path, init)
    return [answer.status, await answer.json()]
  }
  const documentation_url = 'https://docs.github.com/rest'
  const authorization = `Bearer ${sandbox.token}`
  expect(await ask('/user', { headers: { authorization: 'Bearer ghp_wrong' } })).toEqual([
    401,
    { message: 'Bad credentials', documentation_url, status: '401' },
  ])
  expect(await ask('/orgs/acme/nonsense')).toEqual([404, { message: 'Not Found', documentation_url, status: '404' }])
  expect((await ask('/orgs/acme/repos', { method: 'POST', body: '{', headers: { authorization } }))[0]).toBe(400)
  const taken = { method: 'POST', body: '{"name":"checkout"}', headers: { authorization } }
  expect(await ask('/orgs/acme/repos', taken)).toEqual([
    422,
    {
      message: 'Validation Failed',
      errors: [
        { resource: 'Repository', field: 'name', code: 'custom', message: 'name already exists on this account' },
      ],
      documentation_url,
      status: '422',
    },
  ])
  const anonymous = await fetch(`${sandbox.url}/user`, { headers: { 'user-agent': '' } })
  expect(anonymous.status).toBe(403)
  expect(await anonymous.text()).toContain('User-Agent')
})

test('ids are stable, equal by seed, and never given twice', async () => {
  const [a, b, other] = await Promise.all([
    freshSandbox({ seed: 7 }),
    freshSandbox({ seed: 7 }),
    freshSandbox({ seed: 8 }),
  ])
  const list = async (sandbox: { url: string; token: string }) =>
    (await clientOf(sandbox).rest.repos.listForOrg({ org: 'acme', sort: 'full_name', per_page: 100 })).data
  const shown = (repos: Awaited<ReturnType<typeof list>>) =>
    repos.map(({ id, node_id, name, pushed_at }) => [id, node_id, name, pushed_at])
  expect(shown(await list(a))).toEqual(shown(await list(b)))
  expect(shown(await list(a))).not.toEqual(shown(await list(other)))
  const client = clientOf(a)
  const { data: first } = await client.rest.repos.createInOrg({ org: 'acme', name: 'phoenix' })
  await client.rest.repos.delete({ owner: 'acme', repo: 'phoenix' })
  const { data: second } = await client.rest.repos.createInOrg({ org: 'acme', name: 'phoenix' })
  expect(second.id).toBeGreaterThan(first.id)
  expect(second.node_id).not.toBe(first.node_id)
})
