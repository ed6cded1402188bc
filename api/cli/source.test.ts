import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type SpawnedSandbox, spawnSandbox } from '../../integrations/github/sandbox/spawn.ts'
import { cli, startCatchment, temporaryFolder } from './testing/catchment.ts'
import { configure } from './testing/source.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let sandbox: SpawnedSandbox

beforeAll(async () => {
  folder = await temporaryFolder()
  sandbox = await spawnSandbox({ data: join(folder.path, 'github'), repos: 10 })
})
afterAll(async () => {
  await sandbox?.stop()
  await folder?.remove()
})

it('a source is removed once it is no longer configured, with what only it said', async () => {
  const env = await configure(folder.path, { baseUrl: sandbox.url, token: sandbox.token })
  const run = (...args: string[]) => cli(args, { folder: folder.path, env })
  const first = await startCatchment({ folder: folder.path, env })
  expect(await run('source', 'remove', 'github')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('[source_active]'),
  })
  await first.stop()

  await writeFile(join(folder.path, 'catchment.yaml'), 'sources: []\n')
  const second = await startCatchment({ folder: folder.path, env, ready: false })
  try {
    expect(second.stderr()).toContain('catchment source remove github')
    const before = (await second.get('/api/v1/entities?limit=1000')).body as { items: unknown[] }
    expect(before.items.length).toBeGreaterThan(5)
    const removed = await run('source', 'remove', 'github')
    expect(removed).toMatchObject({ code: 0, stderr: '' })
    expect(removed.stdout).toMatch(/^github is removed: \d+ records, \d+ entities that only it knew/)
    expect((await second.get('/api/v1/entities?limit=1000')).body).toMatchObject({ items: [] })
    expect((await second.get('/api/v1/sources')).body).toMatchObject({ items: [] })
    expect(await run('status')).toMatchObject({ code: 0 })
    expect(await run('source', 'remove', 'github')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('[source_unknown]'),
    })
  } finally {
    await second.stop()
  }
})
