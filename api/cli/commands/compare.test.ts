import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { World } from '../../../core/catalog/query/world.fixture.ts'
import { type FreshDatabase, freshDatabase } from '../../../core/testkit/database.ts'
import { adminKey, configured, FakeEngine, server } from '../../server.fixture.ts'
import { cli, type Finished, temporaryFolder } from '../testing/catchment.ts'

let database: FreshDatabase
let app: FastifyInstance
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let url = ''

beforeAll(async () => {
  database = await freshDatabase()
  folder = await temporaryFolder()
  const world = new World(database.db)
  app = await server(database.db, new FakeEngine([configured('github', ['repository'])]))
  url = await app.listen({ host: '127.0.0.1', port: 0 })
  const service = (identifier: string, language: string) => ({
    key: identifier,
    entities: [{ blueprint: 'service', identifier, title: identifier, properties: { language } }],
  })
  await world.see('github', 'repository', [service('a', 'go'), service('b', 'go'), service('c', 'go')])
  await world.scan('github', 'repository', 'acme', 'complete')
})
afterAll(async () => {
  await app?.close()
  await folder?.remove()
  await database?.drop()
})

async function run(entities: unknown, ...args: string[]): Promise<Finished> {
  const text = typeof entities === 'string' ? entities : JSON.stringify({ entities })
  await writeFile(join(folder.path, 'export.json'), text)
  const env = { CATCHMENT_URL: url, CATCHMENT_ADMIN_KEY: adminKey }
  return cli(['compare', 'export.json', ...args], { folder: folder.path, env })
}

const service = (identifier: string, properties: object = { language: 'go' }) => ({
  identifier,
  blueprint: 'service',
  title: identifier,
  properties,
})

test('equal catalogs end with 0', async () => {
  const { code, stdout, stderr } = await run([service('a'), service('b'), service('c')])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('They are equal.')
})

test('each group with its reason, exit 4', async () => {
  const { code, stdout } = await run([service('a'), service('b', { language: 'rust', score: 3 }), service('z')])
  expect(code).toBe(4)
  expect(stdout).toMatch(/^service +1 +1 +1 +1$/m)
  expect(stdout).toContain('properties.language: there "rust", here "go"\n      github/repository/b says so by ')
  expect(stdout).toContain('properties.score: there 3, here nothing\n      the blueprint service has no such property')
  expect(stdout).toMatch(/Only there:\n {2}service:z\n {4}\w.+/)
  expect(stdout).toMatch(/Only here:\n {2}service:c\n {4}github\/repository\/c makes it by /)
})

test('--json has all of it', async () => {
  const { code, stdout } = await run([service('a'), service('b', { language: 'rust' }), service('z')], '--json')
  expect(code).toBe(4)
  expect(JSON.parse(stdout)).toMatchObject({
    format: 'port',
    counts: { there: 3, here: 3, equal: 1, differing: 1, onlyThere: 1, onlyHere: 1 },
    equal: ['service:a'],
    differing: [{ reference: 'service:b', differences: [{ field: 'properties.language', there: 'rust', here: 'go' }] }],
    onlyThere: [{ reference: 'service:z', cause: 'never_seen' }],
    onlyHere: [{ reference: 'service:c' }],
  })
})

test('--blueprint, --ignore and --limit', async () => {
  const entities = [service('a'), service('b', { language: 'rust' }), service('c'), { identifier: 'x', blueprint: 'q' }]
  expect(await run(entities, '--blueprint', 'service', '--ignore', 'properties.language')).toMatchObject({ code: 0 })
  const all = await run(entities)
  expect(all.stdout).toContain('there is no blueprint q here')
  const { stdout } = await run(entities, '--limit', '0')
  expect(stdout).toContain('and 1 more: --limit 1')
  expect(await run(entities, '--blueprint', 'nope')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('[blueprint_unknown]'),
  })
  expect(await run(entities, '--limit', 'x')).toMatchObject({ code: 2 })
})

test('files that are no export', async () => {
  expect((await run('{')).stderr).toMatch(/export\.json is not valid JSON.*\[export_invalid\]/)
  expect(await run('[]')).toMatchObject({ code: 2 })
  const env = { CATCHMENT_URL: url, CATCHMENT_ADMIN_KEY: adminKey }
  const missing = await cli(['compare', 'nowhere.json'], { folder: folder.path, env })
  expect(missing).toMatchObject({ code: 2 })
  expect(missing.stderr).toContain('[export_unreadable]')
})
