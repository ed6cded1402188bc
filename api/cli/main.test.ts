import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cli, temporaryFolder } from './testing/catchment.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>

beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder?.remove())

const importing = /^(?:import|export)\s+(?!type\b)(?:[^'"()=;]*?\sfrom\s+)?'([^']+)'/gm

/** Every module that is loaded with `file`, at once and not when a command runs. */
function loaded(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  if (!file.startsWith('/')) return seen
  for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(importing))
    loaded(from.startsWith('.') ? fileURLToPath(new URL(from, `file://${file}`)) : from, seen)
  return seen
}

test('a command that only asks waits for no server, parser or integration to be loaded', () => {
  const of = (name: string) => loaded(fileURLToPath(new URL(name, import.meta.url)))
  for (const name of [
    'main.ts',
    'commands/status.ts',
    'commands/entities.ts',
    'commands/held.ts',
    'commands/sync.ts',
  ]) {
    const packages = [...of(name)].filter((module) => !module.startsWith('/') && !module.startsWith('node:'))
    expect(
      packages.filter((module) => module !== 'commander'),
      name,
    ).toEqual([])
  }
  // The walk sees what it is to see.
  expect([...of('start/start.ts')]).toContain('fastify')
})

test('who only asks needs neither the secrets of the sources nor a right configuration file', async () => {
  await writeFile(
    join(folder.path, 'catchment.yaml'),
    'sources: [{ name: a, integration: github, config: { token: "${env:NOT_SET}" } }]\n',
  )
  const env = { CATCHMENT_URL: 'http://127.0.0.1:1', CATCHMENT_ADMIN_KEY: 'a-key-that-is-long-enough' }
  for (const args of [['status'], ['get', 'service:a/b'], ['explain', 'a/b'], ['search', 'a']])
    expect(await cli(args, { folder: folder.path, env }), args.join(' ')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('[server_not_running]'),
    })
  expect(await cli(['config', 'check'], { folder: folder.path })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('NOT_SET'),
  })
})

test('the address comes from .env, too; a wrong one is said with its place', async () => {
  await writeFile(join(folder.path, '.env'), 'CATCHMENT_URL=ftp://nowhere\n')
  expect(await cli(['status'], { folder: folder.path })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('environment:1:15: error: CATCHMENT_URL must be'),
  })
})

test('--version says which one it is', async () => {
  expect(await cli(['--version'], { folder: folder.path })).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  })
})
