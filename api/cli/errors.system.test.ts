import { chmod, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTemporary, type TemporaryServer } from '../../core/testkit/temporary.ts'
import { type SpawnedSandbox, spawnSandbox } from '../../integrations/github/sandbox/spawn.ts'
import { cli, eventually, type Running, startCatchment, temporaryFolder } from './testing/catchment.ts'
import { oldPostgres } from './testing/old-postgres.ts'
import { configure, expectPlain, secrets } from './testing/source.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder.remove())

const run = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const done = await cli(args, { folder: folder.path, env })
  expectPlain(done)
  return done
}

describe('wrong configuration ends with 2 before anything is started', () => {
  it('says every mistake at its place, with what to do, and shows no secret', async () => {
    await writeFile(
      join(folder.path, 'catchment.yaml'),
      `sources:
  - name: github
    integration: githb
    config: { token: "\${env:GITHUB_TOKN}", organizations: [acme] }
  - name: other
    integration: github
    config: { token: ${secrets.token}, organisations: [acme] }
    schedule: { scan: every day }
    mapping: ./nothere.yaml
precedance: [manual]
`,
    )
    for (const args of [['start'], ['config', 'check']]) {
      const done = await run(args, { GITHUB_TOKEN: 'x' })
      expect(done).toMatchObject({ code: 2, stdout: '' })
      for (const line of [
        'catchment.yaml:3:18: error: there is no integration "githb" [integration_unknown]',
        '  3 |     integration: githb\n    |                  ^^^^^\n    = hint: did you mean "github"?',
        'catchment.yaml:4:22: error: the environment variable GITHUB_TOKN is not set [variable_missing]',
        'hint: did you mean "GITHUB_TOKEN"?',
        'catchment.yaml:7:5: error: "sources.1.config.organizations" is missing [key_missing]',
        'catchment.yaml:8:23: error: sources.1.schedule.scan: cron has five fields',
        'catchment.yaml:9:14: error: the file ./nothere.yaml cannot be read: it does not exist [file_unreadable]',
        'catchment.yaml:10:1: error: unknown key "precedance" [key_unknown]',
        '6 errors',
      ])
        expect(done.stderr).toContain(line)
    }
  })

  it('knows which kinds a source has', async () => {
    const env = await configure(folder.path, {
      baseUrl: 'http://127.0.0.1:1',
      token: secrets.token,
      kinds: '[repository, repositry]',
    })
    for (const args of [['start'], ['config', 'check']]) {
      const done = await run(args, env)
      expect(done).toMatchObject({ code: 2, stdout: '' })
      expect(done.stderr).toContain('catchment.yaml:5:25: error: github has no kind "repositry" [kind_unknown]')
      expect(done.stderr).toContain('did you mean "repository"?')
    }
  })

  it('says where the mapping is wrong', async () => {
    const env = await configure(folder.path, { baseUrl: 'http://127.0.0.1:1', token: secrets.token })
    const file = join(folder.path, 'catchment.yaml')
    await writeFile(file, `${await readFile(file, 'utf8')}    mapping: ./mapping.yaml\n`)
    await writeFile(
      join(folder.path, 'mapping.yaml'),
      'resources:\n  - kind: repository\n    selector: { query: ".a |" }\n',
    )
    const done = await run(['start'], env)
    expect(done.code).toBe(2)
    expect(done.stderr).toMatch(/mapping\.yaml:\d+:\d+: /)
    expect(done.stderr).toContain('[mapping_invalid]')
  })

  it.each([
    [
      ['start', '--config', 'nope.yaml'],
      {},
      'the configuration file nope.yaml cannot be read: it does not exist [config_unreadable]',
    ],
    [['start'], { CATCHMENT_CONFIG: 'nope.yaml' }, 'it was named with --config or CATCHMENT_CONFIG'],
    [
      ['start'],
      { CATCHMENT_PORT: 'banana' },
      'CATCHMENT_PORT must be a number from 0 to 65535, not "banana" [variable_invalid]',
    ],
    [
      ['start'],
      { CATCHMENT_HOST: '203.0.113.7' },
      'This machine has no address 203.0.113.7 to listen on. [host_unavailable]',
    ],
    [['start'], { CATCHMENT_ADMIN_KEY: 'short' }, 'CATCHMENT_ADMIN_KEY is too short or has spaces [variable_invalid]'],
    [
      ['start'],
      { DATABASE_URL: `mysql://${secrets.token}@x/y` },
      'DATABASE_URL must start with postgres:// [variable_invalid]',
    ],
    [['start', '--life', 'long'], {}, '--life wants a number of seconds, not "long". [usage]'],
    [['strat'], {}, "unknown command 'strat'"],
    [
      ['get', 'checkout'],
      { CATCHMENT_URL: 'http://127.0.0.1:1', CATCHMENT_ADMIN_KEY: secrets.adminKey },
      '[reference_malformed]',
    ],
  ] as const)('%j with %j', async (args, env, message) => {
    const done = await run(args, env)
    expect(done.stderr).toContain(message)
    expect(done.code).toBe(2)
  })

  it('says that nothing runs here, and that a key is wrong', async () => {
    expect(await run(['status'])).toMatchObject({ code: 1, stderr: expect.stringContaining('[server_not_running]') })
    expect(await run(['status'], { CATCHMENT_URL: 'http://127.0.0.1:1' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[admin_key_missing]'),
    })
  })
})

describe('what is in the way', () => {
  it('a port in use ends with 1 and leaves nothing running', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? String(address.port) : ''
    try {
      const done = await run(['start'], { CATCHMENT_PORT: port })
      expect(done.code).toBe(1)
      expect(done.stderr).toContain(`Port ${port} on 127.0.0.1 is in use. [port_in_use]`)
      expect(done.stderr).toContain('CATCHMENT_PORT=7101 npm start')
      await expect(readFile(join(folder.path, 'data/postgres/data/postmaster.pid'))).rejects.toThrow('ENOENT')
    } finally {
      other.close()
    }
  })

  it('a second start on the same data says who has it, and disturbs nothing', async () => {
    const first = await startCatchment({ folder: folder.path, ready: false })
    try {
      const second = await run(['start'])
      expect(second.code).toBe(1)
      expect(second.stderr).toContain(`the data directory is in use by process ${first.pid} since`)
      expect(second.stderr).toContain('[data_directory_locked]')
      expect(second.stderr).toContain(`kill ${first.pid}`)
      expect((await first.get('/healthz')).status).toBe(200)
      expect((await run(['sync', '--no-wait'])).code).toBe(0)
    } finally {
      expect(await first.stop()).toMatchObject({ code: 0 })
    }
  })

  it('a data directory that cannot be one', async () => {
    await writeFile(join(folder.path, 'data'), '')
    const done = await run(['start'])
    expect(done).toMatchObject({ code: 2, stderr: expect.stringContaining('[data_directory_not_ours]') })
  })
})

describe('a corrupt data directory ends with 1 and is left as it is', () => {
  const damage = {
    'a damaged control file': [
      async (data: string) => writeFile(join(data, 'global/pg_control'), Buffer.alloc(8192)),
      'data_directory_corrupt',
    ],
    'a missing file': [async (data: string) => rm(join(data, 'global/pg_filenode.map')), 'data_directory_corrupt'],
    'no database': [async (data: string) => rm(join(data, 'base'), { recursive: true }), 'data_directory_corrupt'],
    'no version': [async (data: string) => rm(join(data, 'PG_VERSION')), 'data_directory_corrupt'],
    'another major version': [
      async (data: string) => writeFile(join(data, 'PG_VERSION'), '12\n'),
      'data_directory_version',
    ],
  } as const
  it('says so, and what can be done', async () => {
    const first = await startCatchment({ folder: folder.path, ready: false })
    await first.stop()
    const data = join(folder.path, 'data/postgres/data')
    const kept = join(folder.path, 'kept')
    const { cp } = await import('node:fs/promises')
    await cp(data, kept, { recursive: true })
    for (const [name, [break_, code]] of Object.entries(damage)) {
      await break_(data)
      const done = await run(['start'])
      expect([name, done.code]).toEqual([name, 1])
      expect(done.stderr).toContain(`[${code}]`)
      expect(done.stderr.trim().split('\n').length).toBeLessThanOrEqual(3)
      await cp(kept, data, { recursive: true })
      await chmod(data, 0o700)
    }
  })
})

describe('a DATABASE_URL that cannot be used', () => {
  let server: TemporaryServer
  beforeAll(async () => {
    server = await startTemporary()
  })
  afterAll(() => server?.stop())
  const changed = (change: (url: URL) => void): string => {
    const url = new URL(server.url)
    change(url)
    return url.href
  }

  it.each([
    ['nobody there', () => `postgres://u:${secrets.token}@127.0.0.1:1/x`, 'database_unreachable', 1],
    ['a wrong password', () => changed((url) => (url.password = secrets.token)), 'database_login_refused', 1],
    ['a user that is not there', () => changed((url) => (url.username = 'nobody')), 'database_login_refused', 1],
    ['no such database', () => changed((url) => (url.pathname = '/nowhere')), 'database_missing', 1],
  ])('%s', async (_name, url, code, exit) => {
    const done = await run(['start'], { DATABASE_URL: url() })
    expect(done).toMatchObject({ code: exit, stdout: '', stderr: expect.stringContaining(`[${code}]`) })
    expect(done.stderr).toContain('DATABASE_URL')
    expect(done.stderr).not.toContain(new URL(server.url).password)
  })

  it('a server that is too old', async () => {
    const old = await oldPostgres()
    try {
      const done = await run(['start'], { DATABASE_URL: `postgres://u:${secrets.token}@127.0.0.1:${old.port}/x` })
      expect(done.code).toBe(2)
      expect(done.stderr).toContain(
        'the database server is PostgreSQL 14.5; Catchment needs 15 or newer [database_too_old]',
      )
    } finally {
      await old.close()
    }
  })
})

describe('a token that GitHub refuses', () => {
  let sandbox: SpawnedSandbox
  let catchment: Running

  it('makes the source unknown, is said with what to do everywhere, and Catchment serves on', async () => {
    sandbox = await spawnSandbox({ data: join(folder.path, 'github'), repos: 10 })
    const env = await configure(folder.path, { baseUrl: sandbox.url, token: secrets.token })
    try {
      catchment = await startCatchment({ folder: folder.path, env, ready: false })
      const status = await eventually('status says it', async () => {
        const done = await run(['status'], env)
        return done.stdout.includes('refused') ? done : undefined
      })
      expect(status.code).toBe(3)
      expect(status.stdout).toMatch(/^github .*! GitHub refused the token: Bad credentials\./m)
      expect(status.stdout).toContain('Replace `token` in the configuration of this source.')
      const json = await run(['status', '--json'], env)
      expect(json.code).toBe(3)
      expect(JSON.parse(json.stdout)).toMatchObject({
        healthy: false,
        sources: [{ freshness: 'unknown', problem: { code: 'source_credential_refused' } }],
      })
      const sync = await run(['sync'], env)
      expect(sync).toMatchObject({ code: 3, stderr: expect.stringContaining('[scan_not_begun]') })
      expect(sync.stderr).toContain('Replace `token`')
      expect((await catchment.get('/healthz')).status).toBe(200)
      expect((await catchment.get('/api/v1/entities')).status).toBe(200)
      expect(await catchment.get('/readyz')).toMatchObject({ status: 503, body: { code: 'not_ready' } })
      const said = catchment.stderr()
      expect(said.match(/refused the token/g)).toHaveLength(1)
      const stopped = await catchment.stop()
      expect(stopped.code).toBe(0)
      expectPlain(stopped)

      // Whoever has replaced the token does not wait for the schedule.
      const healed = await startCatchment({ folder: folder.path, env: { ...env, GITHUB_TOKEN: sandbox.token } })
      expect((await run(['status'], env)).code).toBe(0)
      await healed.stop()
    } finally {
      await sandbox.stop()
    }
  })
})
