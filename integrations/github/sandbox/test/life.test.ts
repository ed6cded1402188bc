import { expect, test } from 'vitest'
import { clientOf, freshSandbox, hookInto, webhookReceiver } from './setup.ts'

test('life goes the same way from the same seed, also over a restart, and another way from another', async () => {
  const [a, b, other] = await Promise.all([
    freshSandbox({ seed: 3 }),
    freshSandbox({ seed: 3 }),
    freshSandbox({ seed: 4 }),
  ])
  const first = await a.control.life(30)
  expect([...(await b.control.life(12)), ...(await b.control.life(18))]).toEqual(first)
  expect(await other.control.life(30)).not.toEqual(first)
})

test('much happens, every kind of it with an event, and the organisation does not grow', async () => {
  const sandbox = await freshSandbox()
  const client = clientOf(sandbox)
  const receiver = await webhookReceiver()
  await hookInto(client, receiver.url)
  const happened = await sandbox.control.life(300)
  for (const deed of ['created', 'deleted', 'renamed', 'archived', 'described', 'gave topic', 'joined', 'left']) {
    expect(happened.some((line) => line.includes(deed))).toBe(true)
  }
  const repos = await client.paginate(client.rest.repos.listForOrg, { org: 'acme', per_page: 100 })
  expect(repos.length).toBeLessThanOrEqual(25 + 4)
  expect(
    Math.max(...repos.map((repo) => repo.name.length + (repo.description?.length ?? 0) + (repo.topics?.length ?? 0))),
  ).toBeLessThan(120)
  await sandbox.control.settle()
  expect(receiver.received.length).toBeGreaterThan(290)
})
