import { expect, test } from 'vitest'
import { clientOf, freshSandbox, refusal } from './setup.ts'

const start = Date.parse('2026-09-01T00:00:00Z')

test('the primary limit counts every request of a person, over all of their tokens, and refuses until its reset', async () => {
  const sandbox = await freshSandbox({ clock: () => start, limits: { hourly: 3 } })
  const client = clientOf(sandbox)
  const first = await client.rest.users.getAuthenticated()
  expect(first.headers).toMatchObject({
    'x-ratelimit-limit': '3',
    'x-ratelimit-remaining': '2',
    'x-ratelimit-used': '1',
    'x-ratelimit-reset': String(start / 1000 + 3600),
    'x-ratelimit-resource': 'core',
  })
  await client.rest.rateLimit.get() // free
  const other = clientOf(sandbox, (await sandbox.control.makeToken({ name: 'second' })).token)
  await refusal(other.rest.repos.get({ owner: 'acme', repo: 'nowhere' })) // a 404 is not
  await client.rest.users.getAuthenticated()
  const over = await refusal(client.rest.users.getAuthenticated())
  expect([over.status, over.headers['x-ratelimit-remaining']]).toEqual([403, '0'])
  expect(over.message).toContain('API rate limit exceeded')
  expect(
    (
      await clientOf(
        sandbox,
        (
          await sandbox.control.makeToken({ name: 'x', user: 'mei-tanaka' })
        ).token,
      ).rest.users.getAuthenticated()
    ).status,
  ).toBe(200)
  await sandbox.control.advance(3600)
  expect((await client.rest.users.getAuthenticated()).headers['x-ratelimit-used']).toBe('1')
})

test('who is not signed in has sixty an hour, and pays for a 304', async () => {
  const sandbox = await freshSandbox({ limits: { unauthenticated: 2 } })
  const first = await fetch(`${sandbox.url}/orgs/acme`)
  expect(first.headers.get('x-ratelimit-limit')).toBe('2')
  const etag = first.headers.get('etag') ?? ''
  expect((await fetch(`${sandbox.url}/orgs/acme`, { headers: { 'if-none-match': etag } })).status).toBe(304)
  expect((await fetch(`${sandbox.url}/orgs/acme`)).status).toBe(403)
})

test('the secondary limits answer with Retry-After: creations, points, and requests at the same time', async () => {
  const sandbox = await freshSandbox({ clock: () => start, limits: { creationsPerMinute: 2, concurrent: 3 } })
  const client = clientOf(sandbox)
  for (const name of ['one', 'two']) await client.rest.repos.createInOrg({ org: 'acme', name })
  const third = await refusal(client.rest.repos.createInOrg({ org: 'acme', name: 'three' }))
  expect([third.status, third.headers['retry-after']]).toEqual([403, '60'])
  expect(third.message).toContain('secondary rate limit')
  expect(Number(third.headers['x-ratelimit-remaining'])).toBeGreaterThan(0)
  await sandbox.control.advance(60)
  await client.rest.repos.createInOrg({ org: 'acme', name: 'three' })

  await sandbox.control.fault({ kind: 'delay', ms: 300, match: { path: '^/user$' } })
  const crowd = await Promise.all(
    Array.from({ length: 5 }, () =>
      fetch(`${sandbox.url}/user`, { headers: { authorization: `Bearer ${sandbox.token}` } }),
    ),
  )
  expect(crowd.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([200, 200, 200, 403, 403])
  await sandbox.control.heal()
  expect((await client.rest.users.getAuthenticated()).status).toBe(200)

  await sandbox.control.advance(60)
  await sandbox.control.limits({ pointsPerMinute: 7 })
  await client.rest.repos.update({ owner: 'acme', repo: 'one', description: 'five points' })
  await client.rest.users.getAuthenticated()
  await client.rest.users.getAuthenticated()
  expect((await refusal(client.rest.users.getAuthenticated())).headers['retry-after']).toBe('60')
})
