import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { World } from '../../../core/catalog/query/world.fixture.ts'
import { type FreshDatabase, freshDatabase } from '../../../core/testkit/database.ts'
import { adminKey, configured, FakeEngine, server } from '../../server.fixture.ts'
import { cli, type Finished, temporaryFolder } from '../testing/catchment.ts'
import { describeStatus } from './status.ts'

let database: FreshDatabase
let app: FastifyInstance
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let url = ''

const failed = {
  code: 'expression_failed',
  mapping: 'repository',
  field: 'identifier',
  expression: '.full_name',
  message: 'Cannot index number with "full_name"',
  file: 'mapping.yaml',
  line: 4,
} as const

beforeAll(async () => {
  database = await freshDatabase()
  folder = await temporaryFolder()
  const world = new World(database.db)
  app = await server(database.db, new FakeEngine([configured('github', ['repository'])]), {
    now: () => world.now + 40_000,
  })
  url = await app.listen({ host: '127.0.0.1', port: 0 })
  await world.see('github', 'repository', [
    {
      key: '1',
      version: '7',
      entities: [{ blueprint: 'service', identifier: 'acme/checkout', properties: { language: 'go' } }],
    },
    { key: '2', entities: [{ blueprint: 'service', identifier: 'acme/web' }], quarantined: [failed] },
    { key: '3', partition: 'acme-labs', entities: [] },
  ])
  await world.scan('github', 'repository', 'acme', 'complete')
  await world.scan('github', 'repository', 'acme-labs', 'incomplete')
  await world.hold('github', 'repository', ['2'])
  await database.db.query(
    `UPDATE partitions SET state = 'unknown', reason = '403 on acme-labs.' WHERE name = 'acme-labs'`,
  )
  await database.db.query(
    `INSERT INTO inbox (source_id, delivery, event, headers, body, state, error)
     SELECT id, 'd-1', 'push', '{}', '{}', 'dead', '{"code":"x","message":"It cannot be read."}' FROM sources`,
  )
})

afterAll(async () => {
  await app?.close()
  await folder?.remove()
  await database?.drop()
})

function run(...args: string[]): Promise<Finished> {
  return cli(args, { folder: folder.path, env: { CATCHMENT_URL: url, CATCHMENT_ADMIN_KEY: adminKey } })
}

test('status: a line for each kind, below it what is wrong, each with the next command, exit 3', async () => {
  const { code, stdout } = await run('status')
  expect(code).toBe(3)
  for (const line of [
    /^github +! 1 delivery set aside +catchment deliveries --source github --state dead$/m,
    /^github +repository +3 +1 unknown, 1 fresh 40 s$/m,
    /^ +! unknown: acme-labs: 403 on acme-labs +Give the credential access/m,
    /^ +! 1 held +catchment held --source github --kind repository$/m,
    /^ +! 1 quarantined +catchment quarantine --source github --kind repository$/m,
  ])
    expect(stdout).toMatch(line)
  const json = await run('status', '--json')
  expect(json.code).toBe(3)
  expect(JSON.parse(json.stdout)).toMatchObject({ healthy: false, attention: [{ what: 'dead' }, {}, {}, {}] })
})

test('status on a narrow terminal: no line is too long, and every command stands whole on its own', async () => {
  const { sources, attention } = JSON.parse((await run('status', '--json')).stdout)
  const lines = describeStatus(sources, Date.now(), 72).split('\n')
  expect(lines.filter(({ length }) => length > 72)).toEqual([])
  const commands = attention.flatMap(({ next }: { next: string }) => (next.startsWith('catchment ') ? [next] : []))
  expect(commands.length).toBe(3)
  for (const command of commands) expect(lines).toContain(`    ${command}`)
  expect(lines).toContain('github ! 1 delivery set aside')
  expect(lines.join(' ').replace(/ +/g, ' ')).toContain('! unknown: acme-labs: 403 on acme-labs Give the credential')
})

test('the commands that status names work as printed', async () => {
  const { stdout } = await run('status', '--json')
  const { attention } = JSON.parse(stdout) as { attention: { next: string }[] }
  const commands = attention.map(({ next }) => next).filter((next) => next.startsWith('catchment '))
  expect(commands.length).toBe(3)
  for (const command of commands)
    expect(await run(...command.split(' ').slice(1)), command).toMatchObject({ code: 0, stderr: '' })
})

test('scans, and one in full with why it proved nothing', async () => {
  const { stdout } = await run('scans', '--source', 'github')
  expect(stdout).toMatch(/^\d+ +github +repository +acme-labs +incomplete .* page 3 was HTML$/m)
  expect((await run('scans', '--state', 'complete')).stdout).not.toContain('acme-labs')
  const id = /^(\d+) .*acme-labs/m.exec(stdout)?.[1] ?? ''
  const one = await run('scan', 'show', id)
  expect(one.stdout).toContain('state      incomplete: page 3 was HTML')
  expect(one.stdout).toMatch(/calls +0, of which 0 counted/)
  expect(one.stdout).toContain('Again: catchment sync github repository')
  expect(await run('scan', 'show', '999')).toMatchObject({ code: 1, stderr: expect.stringContaining('[scan_unknown]') })
  expect(JSON.parse((await run('scan', 'show', id, '--json')).stdout)).toMatchObject({ id, calls: 0, quota: 0 })
})

test('quarantine names the record, the expression and its place', async () => {
  const { stdout } = await run('quarantine')
  expect(stdout).toMatch(/github\/repository\/2 .*repository \(mapping.yaml:4\) +identifier +\.full_name +Cannot index/)
})

test('deliveries by state, and a dead one tried again', async () => {
  const { stdout } = await run('deliveries', '--state', 'dead')
  expect(stdout).toMatch(/push +dead .*d-1 +It cannot be read\./)
  const id = /^(\d+) /m.exec(stdout)?.[1] ?? ''
  expect(await run('deliveries', 'replay', id)).toMatchObject({ code: 0, stdout: `${id} is accepted again.\n` })
  expect(await run('deliveries', 'replay', id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('[delivery_not_dead]'),
  })
  expect((await run('deliveries', '--state', 'dead')).stdout).toContain('No delivery is stored.')
})

test('a record with its body and what it feeds', async () => {
  const { stdout } = await run('record', 'get', 'github', 'repository', '1')
  expect(stdout).toContain('record github/repository/1: live')
  expect(stdout).toContain('feeds      service:acme/checkout')
  expect(await run('record', 'get', 'github', 'repository', '99')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('[record_unknown]'),
  })
})
