import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Octokit } from '@octokit/rest'
import { expect, onTestFinished, test } from 'vitest'
import { type SpawnedSandbox, spawnSandbox } from '../spawn.ts'
import { clientOf, freshSandbox, hookInto, temporaryDir, webhookReceiver } from './setup.ts'

async function spawned(data: string): Promise<SpawnedSandbox> {
  const sandbox = await spawnSandbox({ data, repos: 30 })
  onTestFinished(() => sandbox.kill())
  return sandbox
}

/** The first attempt after a restart at the same address may use a connection to what was there before. */
const ready = (client: Octokit): Promise<void> =>
  expect
    .poll(
      () =>
        client.rest.users.getAuthenticated().then(
          (answer) => answer.status,
          () => 0,
        ),
      { timeout: 20_000 },
    )
    .toBe(200)

test('SIGKILL between changes loses nothing acknowledged, moves no version back, and keeps address and ids', async () => {
  const data = await temporaryDir()
  let sandbox = await spawned(data)
  const { url } = sandbox
  const known = new Map<number, { name: string; updated: string }>()
  for (let round = 0; round < 4; round += 1) {
    const client = clientOf(sandbox)
    for (let i = 0; i < 3; i += 1) {
      const { data: made } = await client.rest.repos.createInOrg({ org: 'acme', name: `made-${round}-${i}` })
      const { data: renamed } = await client.rest.repos.update({
        owner: 'acme',
        repo: made.name,
        name: `kept-${round}-${i}`,
      })
      known.set(renamed.id, { name: renamed.name, updated: renamed.updated_at })
    }
    // One more is on its way when the process dies: it is there or not, but not torn.
    const unsure = client.rest.repos.createInOrg({ org: 'acme', name: `unsure-${round}` }).catch(() => undefined)
    await sandbox.kill()
    await unsure
    sandbox = await spawned(data)
    expect(sandbox.url).toBe(url)
    const again = clientOf(sandbox)
    await ready(again)
    const all = await again.paginate(again.rest.repos.listForOrg, { org: 'acme', per_page: 100 })
    for (const [id, { name, updated }] of known) {
      const found = all.find((repo) => repo.id === id)
      expect(found?.name).toBe(name)
      expect((found?.updated_at ?? '') >= updated).toBe(true)
    }
    expect(new Set(all.map((repo) => repo.id)).size).toBe(all.length)
  }
})

test('a delivery that waits when the process dies is sent after the next start', async () => {
  const data = await temporaryDir()
  const receiver = await webhookReceiver()
  const sandbox = await spawned(data)
  await hookInto(clientOf(sandbox), receiver.url, ['repository'])
  await sandbox.control.settle()
  receiver.received.length = 0
  await sandbox.control.fault({ kind: 'delay-delivery', ms: 600_000 })
  await clientOf(sandbox).rest.repos.createInOrg({ org: 'acme', name: 'announced' })
  await sandbox.kill()
  expect(receiver.received).toEqual([])
  const again = await spawned(data)
  await again.control.settle()
  expect(receiver.received.map(({ event, action }) => [event, action])).toEqual([['repository', 'created']])
})

test('a clock that steps back moves no version back', async () => {
  let now = Date.parse('2026-09-01T12:00:00Z')
  const client = clientOf(await freshSandbox({ clock: () => now }))
  const { data: before } = await client.rest.repos.update({ owner: 'acme', repo: 'checkout', description: 'noon' })
  now -= 3_600_000
  const { data: after } = await client.rest.repos.update({ owner: 'acme', repo: 'checkout', description: 'eleven' })
  expect([before.updated_at, after.updated_at]).toEqual(['2026-09-01T12:00:00Z', '2026-09-01T12:00:00Z'])
})

test('a line torn by a crash is dropped, and what is written after it is read', async () => {
  const data = await temporaryDir()
  const first = await freshSandbox({ data })
  await clientOf(first).rest.repos.createInOrg({ org: 'acme', name: 'whole' })
  await first.stop()
  await appendFile(join(data, 'journal.jsonl'), '{"n":99,"ops":[{"t":"repos","k":')
  const second = await freshSandbox({ data })
  await ready(clientOf(second))
  await clientOf(second).rest.repos.createInOrg({ org: 'acme', name: 'after' })
  await second.stop()
  const third = clientOf(await freshSandbox({ data }))
  await ready(third)
  for (const repo of ['whole', 'after']) expect((await third.rest.repos.get({ owner: 'acme', repo })).status).toBe(200)
})

test('tokens are kept as hashes, and the state is readable by its user only', async () => {
  const data = await temporaryDir()
  const sandbox = await freshSandbox({ data })
  const { token } = await sandbox.control.makeToken({ name: 'hidden' })
  const text =
    (await readFile(join(data, 'journal.jsonl'), 'utf8')) + (await readFile(join(data, 'snapshot.jsonl'), 'utf8'))
  expect(text).toContain('hidden')
  expect(text).not.toContain(token)
  await sandbox.stop()
  await ready(clientOf(await freshSandbox({ data }), token))
})
