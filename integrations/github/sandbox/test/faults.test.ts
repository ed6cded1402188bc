import { expect, test } from 'vitest'
import { clientOf, freshSandbox, refusal } from './setup.ts'

const match = { path: '^/orgs/acme/repos$' }

async function setUp() {
  const sandbox = await freshSandbox()
  const client = clientOf(sandbox)
  const page = async (n: number) =>
    (await client.rest.repos.listForOrg({ org: 'acme', per_page: 10, page: n })).data.map((repo) => repo.name)
  const ask = (path: string) => fetch(sandbox.url + path, { headers: { authorization: `Bearer ${sandbox.token}` } })
  return { sandbox, client, control: sandbox.control, page, ask }
}

test('a fault happens as often as asked, where asked, and heals', async () => {
  const { client, control } = await setUp()
  const fault = await control.fault({ kind: 'error', status: 503, match, times: 2 })
  expect((await refusal(client.rest.repos.listForOrg({ org: 'acme' }))).status).toBe(503)
  expect((await client.rest.repos.listForOrg({ org: 'acme-labs' })).status).toBe(200)
  expect((await refusal(client.rest.repos.listForOrg({ org: 'acme' }))).status).toBe(503)
  expect((await client.rest.repos.listForOrg({ org: 'acme' })).status).toBe(200)
  const lasting = await control.fault({ kind: 'error', match: { ...match, page: 2 } })
  expect(lasting.id).toBeGreaterThan(fault.id)
  expect((await client.rest.repos.listForOrg({ org: 'acme' })).status).toBe(200)
  expect((await refusal(client.rest.repos.listForOrg({ org: 'acme', page: 2 }))).status).toBe(502)
  await control.heal(lasting.id)
  expect((await client.rest.repos.listForOrg({ org: 'acme', page: 2 })).status).toBe(200)
  await expect(control.send('POST', '/faults', { kind: 'nonsense' })).rejects.toThrow('422')
  await expect(control.send('POST', '/faults', { kind: 'error', match: { path: '(' } })).rejects.toThrow('422')
})

test('bodies break: HTML with 200, cut with the length of the whole, cut honestly', async () => {
  const { control, ask } = await setUp()
  await control.fault({ kind: 'html', match, times: 1 })
  const html = await ask('/orgs/acme/repos')
  expect([html.status, html.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  await control.fault({ kind: 'truncate', match, times: 1 })
  await expect(ask('/orgs/acme/repos').then((answer) => answer.text())).rejects.toThrow()
  await control.fault({ kind: 'truncate', match, times: 1, honest: true, bytes: 100 })
  const cut = await (await ask('/orgs/acme/repos')).text()
  expect(cut).toHaveLength(100)
  expect(() => JSON.parse(cut)).toThrow()
})

test('pages are lost, repeated, halved and led in a circle', async () => {
  const { client, control, page } = await setUp()
  const whole = [await page(1), await page(2), await page(3)]
  await control.fault({ kind: 'drop-page', match: { ...match, page: 2 }, times: 1 })
  expect(await page(2)).toEqual([])
  await control.fault({ kind: 'drop-page', how: 'skip', match: { ...match, page: 2 } })
  const names = await client.paginate(client.rest.repos.listForOrg, { org: 'acme', per_page: 10 })
  expect(names.map((repo) => repo.name)).toEqual([...(whole[0] ?? []), ...(whole[2] ?? [])])
  await control.heal()
  await control.fault({ kind: 'repeat-page', match: { ...match, page: 2 }, times: 1 })
  expect(await page(2)).toEqual(whole[0])
  await control.fault({ kind: 'half-listing', match })
  const half = await client.paginate(client.rest.repos.listForOrg, { org: 'acme', per_page: 10 })
  expect(half.map((repo) => repo.name)).toEqual(whole.flat().slice(0, 12))
  await control.heal()
  await control.fault({ kind: 'cursor-loop', match: { ...match, page: 2 } })
  const { headers } = await client.rest.repos.listForOrg({ org: 'acme', per_page: 10, page: 2 })
  expect(headers.link).toMatch(/[?&]page=1>; rel="next"/)
})

test('a lost permission shows as 404, 403, SAML, fewer repositories or missing fields; elsewhere nothing changes', async () => {
  const { client, control } = await setUp()
  const list = (org = 'acme') => client.rest.repos.listForOrg({ org, per_page: 100 })
  const id = (await client.rest.orgs.get({ org: 'acme' })).data.id
  await control.fault({ kind: 'lose-permission', org: 'acme' })
  expect((await refusal(list())).status).toBe(404)
  expect((await refusal(client.rest.repos.get({ owner: 'acme', repo: 'checkout' }))).status).toBe(404)
  expect((await refusal(client.request(`GET /organizations/${id}/teams`))).status).toBe(404)
  expect((await client.rest.orgs.listForAuthenticatedUser()).data.map((org) => org.login)).toEqual(['acme-labs'])
  expect((await list('acme-labs')).data.length).toBeGreaterThan(0)
  await control.heal()
  await control.fault({ kind: 'lose-permission', org: 'acme', as: 'forbidden', times: 1 })
  expect((await refusal(list())).message).toContain('Resource not accessible')
  await control.fault({ kind: 'lose-permission', org: 'acme', as: 'saml', times: 1 })
  expect((await refusal(list())).headers['x-github-sso']).toContain('required')
  const before = (await list()).data
  await control.fault({ kind: 'lose-permission', org: 'acme', as: 'public-only' })
  expect((await list()).data).toEqual(before.filter((repo) => !repo.private))
  expect((await refusal(client.rest.repos.get({ owner: 'acme', repo: 'checkout' }))).status).toBe(404)
  await control.heal()
  await control.fault({ kind: 'lose-permission', org: 'acme', as: 'fields', fields: ['topics', 'language'] })
  const bare = (await list()).data
  expect(bare).toHaveLength(before.length)
  expect(bare.filter((repo) => 'topics' in repo || 'language' in repo)).toEqual([])
})

test('a used-up rate limit holds until its reset, and the log tells who asked before', async () => {
  const { client, control } = await setUp()
  await control.fault({ kind: 'rate-limit-exhausted', seconds: 120 })
  const over = await refusal(client.rest.users.getAuthenticated())
  expect([over.status, over.headers['x-ratelimit-remaining']]).toEqual([403, '0'])
  expect(Number(over.headers['x-ratelimit-reset']) * 1000).toBeGreaterThan(Date.now())
  await control.advance(120)
  expect((await client.rest.users.getAuthenticated()).status).toBe(200)
  await control.heal()
  await control.fault({ kind: 'rate-limit-exhausted', seconds: 30, secondary: true, times: 1 })
  expect((await refusal(client.rest.users.getAuthenticated())).headers['retry-after']).toBe('30')
  const { requests } = await control.requests()
  expect(requests.map(({ path, status, token }) => [path, status, token])).toEqual([
    ['/user', 403, 'owner'],
    ['/user', 200, 'owner'],
    ['/user', 403, 'owner'],
  ])
  const last = requests.at(-1)?.n ?? 0
  await client.rest.repos.listForOrg({ org: 'acme', page: 2 })
  expect((await control.requests(last)).requests).toMatchObject([
    { path: '/orgs/acme/repos', page: 2, listing: true, status: 200 },
  ])
})

test('the switchboard opens to its key only', async () => {
  const { sandbox } = await setUp()
  for (const authorization of ['', `Bearer ${sandbox.token}`]) {
    expect((await fetch(`${sandbox.url}/_sandbox/state`, { headers: { authorization } })).status).toBe(401)
  }
})
