// Each kind of credential against the sandbox: what it is, what it misses, and that it lists what it may see.
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { inspect } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHttp } from '../../core/http/index.ts'
import { type Check, type Connection, CredentialRefused } from '../../core/sdk/index.ts'
import { jwtOf, keyOfApp } from './app.ts'
import { createCredential, type Raw } from './credential.ts'
import { github } from './index.ts'
import { type GithubSource, openSource } from './source.fixture.ts'

let source: GithubSource
const closing: (() => Promise<void>)[] = []
const never = new AbortController().signal

beforeAll(async () => {
  source = await openSource({ repos: 12 })
})
afterAll(async () => {
  for (const close of closing) await close()
  await source.close()
})

function connect(settings: object): Connection {
  const now = (): number => Date.now()
  const sleep = (): Promise<void> => Promise.resolve()
  const log = (): void => undefined
  const http = createHttp({ credential: JSON.stringify(settings), clock: { now, sleep }, random: () => 0.5, log })
  closing.push(() => http.close())
  const where = { baseUrl: source.sandbox.url, organizations: ['acme', 'acme-labs'] }
  return github.connect(github.config.parse({ ...where, ...settings }), { fetch: http.fetch, log, now })
}

async function repositories(connection: Connection): Promise<Record<string, number | string>> {
  const kind = connection.kinds.find(({ name }) => name === 'repository')
  if (kind === undefined) throw new Error('no kind repository')
  const found: Record<string, number | string> = {}
  for (const partition of await kind.partitions(never)) {
    found[partition.name] = partition.unknown ?? 0
    if (partition.unknown !== undefined) continue
    for await (const page of kind.list({ partition, signal: never, known: () => undefined }))
      found[partition.name] = Number(found[partition.name]) + page.items.length
  }
  return found
}

const missing = ({ missing: all }: Check): string[] => all.map(({ kind, permission }) => `${kind}: ${permission}`)

const everything = {
  members: 'read',
  actions: 'read',
  contents: 'read',
  deployments: 'read',
  issues: 'read',
  pull_requests: 'read',
  vulnerability_alerts: 'read',
  security_events: 'read',
  secret_scanning_alerts: 'read',
} as const

test('a classic token says what it may do', async () => {
  const { control } = source.sandbox
  const all = await control.makeToken({ name: 'all', scopes: ['repo', 'read:org'] })
  const check = await connect({ token: all.token }).check(never)
  expect(check.identity).toContain('(classic token)')
  expect(missing(check)).toEqual([])
  const few = await control.makeToken({ name: 'few', scopes: ['security_events'] })
  const said = missing(await connect({ token: few.token }).check(never))
  expect(said).toContain('team: read:org')
  expect(said).toContain('workflow-run: repo: private repositories are not visible')
  expect(said.filter((line) => line.includes('alert'))).toEqual([])
})

test('a fine-grained token is tried out', async () => {
  const { control } = source.sandbox
  const grants = { acme: everything, 'acme-labs': everything }
  const all = await control.makeToken({ name: 'all', kind: 'fine-grained', grants })
  const check = await connect({ token: all.token }).check(never)
  expect(check.identity).toContain('(fine-grained token)')
  expect(missing(check)).toEqual([])
  const { issues: _issues, actions: _actions, ...rest } = everything
  const few = await control.makeToken({ name: 'few', kind: 'fine-grained', grants: { acme: rest } })
  const said = missing(await connect({ token: few.token, organizations: ['acme'] }).check(never))
  expect(said).toEqual([
    'issue: Issues: read',
    'workflow: Actions: read',
    'workflow-run: Actions: read',
    'environment: Actions: read',
  ])
})

test('an App reads each organisation with the token of its installation there', async () => {
  const { id, privateKey } = await source.sandbox.control.makeApp({
    name: 'catchment-reader',
    installations: { acme: everything, 'acme-labs': { members: 'read' } },
  })
  const connection = connect({ app: { id, privateKey } })
  const check = await connection.check(never)
  expect(check.identity).toBe('catchment-reader (GitHub App)')
  const said = missing(check)
  expect(said).toContain('issue: Issues: read in acme-labs')
  expect(said.some((line) => line.startsWith('team') || line.startsWith('repository'))).toBe(false)
  const whole = await repositories(connect({ token: source.sandbox.token }))
  expect(await repositories(connection)).toEqual(whole)
  expect(Number(whole['acme'])).toBeGreaterThan(0)

  // One that is named by its number alone is found in whichever organisation it lies in.
  const kind = connect({ app: { id, privateKey } }).kinds.find(({ name }) => name === 'repository')
  const labs = (await source.change('GET', '/orgs/acme-labs/repos?per_page=1')) as unknown as readonly { id: number }[]
  expect((await kind?.get?.(String(labs[0]?.id), {}, 'acme-labs', never))?.state).toBe('present')
})

test('a token of an installation is made once, and anew before it ends or once it was refused', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  let now = 0
  let made = 0
  const raw: Raw = async (route) => {
    await Promise.resolve()
    const list = [{ id: 5, account: { login: 'Acme' } }]
    if (route.startsWith('GET')) return { state: 'ok', data: list, header: () => undefined }
    made += 1
    const data = { token: `t${made}`, expires_at: new Date(now + 3_600_000).toISOString() }
    return { state: 'ok', data, header: () => undefined }
  }
  const config = { token: undefined, app: { id: 1, privateKey: pem }, organizations: ['acme'] }
  const credential = createCredential(config, raw, () => now)
  const tokens = (): Promise<(string | undefined)[]> => Promise.all([1, 2, 3].map(() => credential.of('acme', never)))
  expect(await tokens()).toEqual(['t1', 't1', 't1'])
  now = 54 * 60_000
  expect(await tokens()).toEqual(['t1', 't1', 't1'])
  now = 56 * 60_000
  expect(await tokens()).toEqual(['t2', 't2', 't2'])
  credential.forget('t2')
  await Promise.resolve()
  expect(await tokens()).toEqual(['t3', 't3', 't3'])
  expect(await credential.of('elsewhere', never)).toBeUndefined()
  expect(await credential.all(never)).toEqual(['t3'])
})

test('an organisation without an installation is unknown, not empty', async () => {
  const { id, privateKey } = await source.sandbox.control.makeApp({ name: 'half', installations: { acme: everything } })
  const found = await repositories(connect({ app: { id, privateKey } }))
  expect(found['acme-labs']).toContain('the App is not installed in acme-labs')
  expect(found['acme']).toBeGreaterThan(0)
})

test('a wrong App, and a key that is none, are said without showing the key', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const { id } = await source.sandbox.control.makeApp({ name: 'other', installations: {} })
  for (const app of [
    { id, privateKey: pem },
    { id: 999_999, privateKey: pem },
    { id, privateKey: 'no key at all' },
  ]) {
    const error: unknown = await connect({ app })
      .check(never)
      .catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(CredentialRefused)
    expect(inspect(error, { depth: 10 })).not.toContain('no key at all')
    expect(inspect(error, { depth: 10 })).not.toContain(pem.split('\n')[1])
  }
})

test('the proof is RS256 over the App, and a key comes as files and environments carry it', () => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  for (const type of ['pkcs1', 'pkcs8'] as const) {
    const pem = pair.privateKey.export({ type, format: 'pem' }).toString()
    for (const form of [pem, pem.replaceAll('\n', '\\n'), Buffer.from(pem).toString('base64')]) {
      const [head = '', body = '', signature = ''] = jwtOf('7', keyOfApp({ privateKey: form }), 1_000_000).split('.')
      expect(JSON.parse(Buffer.from(body, 'base64url').toString())).toEqual({ iat: 940, exp: 1540, iss: '7' })
      const signed = Buffer.from(signature, 'base64url')
      expect(verify('RSA-SHA256', Buffer.from(`${head}.${body}`), createPublicKey(pem), signed)).toBe(true)
    }
  }
})

test('either a token or an App', () => {
  const least = { organizations: ['acme'] }
  const app = { id: 1, privateKey: 'x' }
  expect(github.config.safeParse({ ...least, app }).success).toBe(true)
  expect(github.config.safeParse(least).success).toBe(false)
  expect(github.config.safeParse({ ...least, app, token: 't' }).success).toBe(false)
})
