// Tokens, keys and passwords go where they are needed and nowhere else; what is private is so on disk, whatever the umask.
import { spawn } from 'node:child_process'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type SpawnedSandbox, spawnSandbox } from '../../integrations/github/sandbox/spawn.ts'
import {
  bin,
  cli,
  environment,
  eventually,
  type Finished,
  startCatchment,
  temporaryFolder,
} from './testing/catchment.ts'
import { configure, deliver, secrets } from './testing/source.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let sandbox: SpawnedSandbox | undefined
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(async () => {
  await sandbox?.stop()
  sandbox = undefined
  await folder.remove()
})

const pages = [
  '/',
  '/openapi.json',
  '/metrics',
  '/healthz',
  '/readyz',
  '/api/v1/sources',
  '/api/v1/scans?limit=1000',
  '/api/v1/entities?limit=1000',
  '/api/v1/deliveries?limit=1000',
  '/api/v1/held',
  '/api/v1/quarantine',
  '/api/v1/blueprints',
  '/api/v1/explain?reference=service:acme/checkout',
  '/api/v1/changes',
  '/api/v1/nothing',
]

async function filesBelow(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  return found.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name))
}

/** Everything that leaves a run: both outputs, every page and answer, every command of the CLI. */
async function everything(env: Record<string, string>): Promise<string> {
  const catchment = await startCatchment({ folder: folder.path, env, ready: false })
  const seen: string[] = []
  try {
    await eventually('the first check has been answered', async () => {
      const { body } = await catchment.get('/api/v1/sources')
      return /"identity":"|"problem":\{/.test(JSON.stringify(body)) ? true : undefined
    })
    for (const path of pages) {
      const { body } = await catchment.get(path).catch((error: unknown) => ({ body: String(error) }))
      seen.push(typeof body === 'string' ? body : JSON.stringify(body))
    }
    const { body } = await catchment.get('/api/v1/deliveries')
    for (const { id } of (body as { items: { id: string }[] }).items)
      seen.push(JSON.stringify((await catchment.get(`/api/v1/deliveries/${id}`)).body))
    const wrong = await fetch(`${catchment.url}/api/v1/sources`, { headers: { authorization: 'Bearer wrong' } })
    expect(wrong.status).toBe(401)
    seen.push(await wrong.text())
    seen.push((await deliver(catchment.url, 100)).text)
    for (const args of [
      ['status'],
      ['status', '--json'],
      ['sync', '--timeout', '30'],
      ['search', 'a'],
      ['config', 'check'],
    ]) {
      const done = await cli(args, { folder: folder.path, env })
      seen.push(done.stdout, done.stderr)
    }
  } finally {
    const { stdout, stderr } = await catchment.stop()
    expect(stdout).toContain('Request answered')
    seen.push(stdout, stderr)
  }
  return seen.join('\n')
}

it.each(['a good token', 'a token that is refused'])(
  '%s is in no output and no answer, at any level of the log',
  async (which) => {
    sandbox = await spawnSandbox({ data: join(folder.path, 'github'), repos: 20 })
    const token = which === 'a good token' ? sandbox.token : secrets.token
    const env = {
      ...(await configure(folder.path, { baseUrl: sandbox.url, token })),
      CATCHMENT_LOG: 'debug',
      CATCHMENT_ADMIN_KEY: secrets.adminKey,
    }
    // The harness reads the key where a start without CATCHMENT_ADMIN_KEY has written it.
    const { mkdir, writeFile } = await import('node:fs/promises')
    await mkdir(join(folder.path, 'data'))
    await writeFile(join(folder.path, 'data/admin-key'), secrets.adminKey)
    const text = await everything(env)
    const stored = await filesBelow(join(folder.path, 'data/postgres/data'))
    expect(stored.length).toBeGreaterThan(100)
    for (const secret of [token, secrets.webhook, secrets.adminKey]) {
      const holding: string[] = []
      for (const file of stored) if ((await readFile(file)).includes(secret)) holding.push(file)
      expect(holding, 'files of the database that hold a secret').toEqual([])
    }
    for (const secret of [token, secrets.webhook, secrets.adminKey, Buffer.from(token).toString('base64')])
      expect(text.includes(secret), `${which}: ${secret.slice(0, 8)}...`).toBe(false)
  },
)

it('nothing of the sandbox, of the database and of the admin key is said either', async () => {
  const env = { CATCHMENT_LOG: 'debug' }
  const text = await everything(env)
  const data = join(folder.path, 'data')
  const access = JSON.parse(await readFile(join(data, 'sandbox-access.json'), 'utf8')) as Record<string, string>
  const files = await Promise.all(
    ['admin-key', 'webhook-secret', 'postgres/password'].map((name) => readFile(join(data, name), 'utf8')),
  )
  const all = [access['token'], access['controlToken'], ...files].map((secret) => secret?.trim() ?? '')
  for (const secret of all) {
    expect(secret.length).toBeGreaterThan(16)
    expect(text.includes(secret), `${secret.slice(0, 6)}...`).toBe(false)
  }
})

it.each([0o077, 0o000])(
  'with umask %o others may pass through the data directory, and read nothing secret',
  async (umask) => {
    const data = join(folder.path, 'made/here/data')
    const env = environment(folder.path, { CATCHMENT_DATA: data })
    const child = spawn(
      'sh',
      ['-c', `umask ${umask.toString(8)}; exec "$@"`, 'sh', process.execPath, bin, 'start', '--life', '0'],
      {
        cwd: folder.path,
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    )
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    const ended = new Promise<Pick<Finished, 'code'>>((resolve) => child.once('close', (code) => resolve({ code })))
    try {
      await eventually('it listens', async () => (stderr.includes('Scanning') ? true : undefined), 60_000)
      const mode = async (name: string) => ((await stat(join(data, name))).mode & 0o777).toString(8)
      for (const path of ['', '..', '../..']) expect([path, await mode(path)]).toEqual([path, '755'])
      expect(await realpath(join(data, 'postgres'))).toBe(join(data, 'postgres'))
      expect(stderr).not.toContain('cannot reach')
      const names = (await readdir(data)).filter((name) => !['lock', 'postgres', 'sandbox'].includes(name))
      expect(names.toSorted()).toEqual(['address', 'admin-key', 'sandbox-access.json', 'webhook-secret'])
      for (const name of [...names, 'postgres/password', 'sandbox/credentials.json'])
        expect([name, await mode(name)]).toEqual([name, '600'])
      expect(await mode('sandbox')).toBe('700')
      expect(await mode('postgres/data')).toBe('700')
    } finally {
      child.kill('SIGTERM')
      expect(await ended).toEqual({ code: 0 })
    }
  },
)
