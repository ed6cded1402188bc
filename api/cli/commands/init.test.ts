import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../../core/config/index.ts'
import { type Sandbox, startSandbox } from '../../../integrations/github/sandbox/sandbox.ts'
import { registry } from '../../../integrations/registry.ts'
import { cli, eventually, startCatchment, temporaryFolder } from '../testing/catchment.ts'
import type { Facts } from './facts.ts'
import { secondsOfWaiting } from './forecast.ts'

type Folder = Awaited<ReturnType<typeof temporaryFolder>>

const limits = { hourly: 5000, pointsPerMinute: 1_000_000, creationsPerMinute: 1_000_000 }

describe('init github and check', () => {
  let folder: Folder
  let sandbox: Sandbox
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = { GITHUB_TOKEN: sandbox.token }) =>
    cli(args, { folder: folder.path, env })
  const init = (args: readonly string[] = [], env?: Readonly<Record<string, string>>) =>
    run(['init', 'github', '--base-url', sandbox.url, '--force', ...args], env)

  beforeAll(async () => {
    folder = await temporaryFolder()
    sandbox = await startSandbox({ data: join(folder.path, 'github'), repos: 40, limits })
  })
  afterAll(async () => {
    await sandbox?.stop()
    await folder?.remove()
  })

  it('says who the token is and what it sees, and writes a file that the program reads', async () => {
    const done = await init()
    expect(done).toMatchObject({ code: 0, stderr: '' })
    expect(done.stdout).toContain('acme-operations (classic token)')
    expect(done.stdout).toMatch(/sees +acme, acme-labs\n/)
    expect(done.stdout).toMatch(/missing +nothing/)
    const text = await readFile(join(folder.path, 'catchment.yaml'), 'utf8')
    expect(text).toMatch(/^# yaml-language-server: \$schema=\S+docs\/catchment\.schema\.json\n/)
    expect(text + done.stdout).not.toContain(sandbox.token)
    const config = loadConfig({ cwd: folder.path, env: { GITHUB_TOKEN: 'x' }, integrations: registry })
    expect(config).toMatchObject({ mode: 'file', warnings: [] })
    expect(config.sources[0]?.config.reveal()).toMatchObject({
      organizations: ['acme', 'acme-labs'],
      baseUrl: sandbox.url,
    })
  })

  it('offers settings as comments that are right once they count', async () => {
    await init()
    const text = await readFile(join(folder.path, 'catchment.yaml'), 'utf8')
    const all = text
      .split('\n')
      .slice(2)
      .map((line) => line.replace(/^(\s*)# (?=[a-z]+: )/i, '$1'))
      .join('\n')
      .replace('OWNER/REPOSITORY', 'acme/checkout')
    expect(all).toMatch(/\n {4}guard: /)
    const config = loadConfig({
      cwd: folder.path,
      env: { GITHUB_TOKEN: 'x', WEBHOOK_SECRET: 'y' },
      integrations: registry,
      readFile: (path) => {
        if (path.endsWith('catchment.yaml')) return all
        throw Object.assign(new Error(path), { code: 'ENOENT' })
      },
    })
    expect(config.sources[0]).toMatchObject({ guard: { share: 0.25, minimum: 5 }, quota: { reserve: 0.4 } })
  })

  it('takes the token from .env beside the file, from another variable, and only the organisations asked for', async () => {
    await writeFile(join(folder.path, '.env'), `MY_TOKEN=${sandbox.token}\n`)
    const done = await init(['--token-env', 'MY_TOKEN', '--org', 'acme-labs'], {})
    expect(done).toMatchObject({ code: 0 })
    expect(await readFile(join(folder.path, 'catchment.yaml'), 'utf8')).toContain('organizations: [acme-labs]')
    expect(await run(['check'], {})).toMatchObject({ code: 0 })
    await writeFile(join(folder.path, '.env'), '')
  })

  it('takes an App with the file of its key, by hand or from the environment, and reads where it is installed', async () => {
    const acme = { metadata: 'read', members: 'read', contents: 'read' } as const
    const { id, privateKey } = await sandbox.control.makeApp({ name: 'init', installations: { acme } })
    await writeFile(join(folder.path, 'app.pem'), privateKey)
    const byHand = await init(['--app-id', String(id), '--app-key', 'app.pem'])
    expect(byHand.stdout).toMatch(/sees +acme\n/)
    expect(byHand.stdout).toContain('(GitHub App)')
    const text = await readFile(join(folder.path, 'catchment.yaml'), 'utf8')
    expect(text).toContain(`app: { id: "${id}", privateKey: "\${file:./app.pem}" }`)
    expect(text + byHand.stdout).not.toContain('PRIVATE KEY')
    const named = { GITHUB_APP_ID: String(id), GITHUB_APP_PRIVATE_KEY_PATH: join(folder.path, 'app.pem') }
    expect((await init([], named)).stdout).toMatch(/sees +acme\n/)
    expect(await readFile(join(folder.path, 'catchment.yaml'), 'utf8')).toBe(text)
    expect((await run(['check'], {})).stdout).toMatch(/sees +acme\n/)
    expect(await init(['--app-id', String(id)])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[app_incomplete]'),
    })
  })

  it('overwrites nothing, and writes nothing when there is no token, a refused one, or nothing to see', async () => {
    const file = join(folder.path, 'catchment.yaml')
    await writeFile(file, 'mine: true\n')
    expect(await run(['init', 'github', '--base-url', sandbox.url])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[file_exists]'),
    })
    expect(await init([], {})).toMatchObject({ code: 2, stderr: expect.stringContaining('[token_missing]') })
    const refused = await init([], { GITHUB_TOKEN: 'ghp_wrong_0123456789' })
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('[source_credential_refused]') })
    expect(refused.stderr).not.toContain('ghp_wrong')
    expect(await init(['--org', 'nowhere'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[organizations_unreadable]'),
    })
    expect(await readFile(file, 'utf8')).toBe('mine: true\n')
  })

  it('says which permissions miss for which kinds, and which organisation is unknown, with exit status 3', async () => {
    const { token } = await sandbox.control.makeToken({
      name: 'small',
      kind: 'fine-grained',
      grants: { acme: { metadata: 'read' } },
    })
    const env = { GITHUB_TOKEN: token }
    const done = await init(['--org', 'acme'], env)
    expect(done).toMatchObject({ code: 3, stderr: '' })
    expect(done.stdout).toMatch(/missing +team: members=read/)
    expect(done.stdout).toMatch(/missing +user: membership of acme: a stranger sees only/)
    await init()
    await sandbox.control.fault({ kind: 'lose-permission', org: 'acme-labs', as: 'not-found' })
    const checked = await run(['check'])
    await sandbox.control.heal()
    expect(checked).toMatchObject({ code: 3 })
    expect(checked.stdout).toMatch(/unknown +acme-labs: .*404/)
    expect(await run(['check'])).toMatchObject({ code: 0 })
  })

  it('check: 2 for a refused token, 1 for a source that is away; --json says the same', async () => {
    await init()
    expect(await run(['check'], { GITHUB_TOKEN: 'ghp_wrong_0123456789' })).toMatchObject({ code: 2 })
    const away = await run([
      'init',
      'github',
      '--base-url',
      'http://127.0.0.1:9',
      '--org',
      'acme',
      '--output',
      'x.yaml',
    ])
    expect(away).toMatchObject({ code: 1, stderr: expect.stringContaining('[source_unavailable]') })
    const json: unknown = JSON.parse((await run(['check', '--json'])).stdout)
    expect(json).toMatchObject({
      sources: [{ source: 'github', missing: [], forecast: { requests: expect.any(Number) } }],
    })
  })
})

it('foresees the requests of a first scan of 4,000 repositories within a fifth, and an unchanged rescan near nothing', async () => {
  const folder = await temporaryFolder()
  const sandbox = await startSandbox({ data: join(folder.path, 'github'), repos: 4000, limits })
  const env = { GITHUB_TOKEN: sandbox.token }
  const counted = async (): Promise<{ requests: number; quota: number }> => {
    const { requests } = await sandbox.control.requests()
    return { requests: requests.length, quota: requests.filter(({ status }) => status !== 304).length }
  }
  try {
    const done = await cli(['init', 'github', '--base-url', sandbox.url, '--json'], { folder: folder.path, env })
    // Printed by the program that is tested; the shape is its own.
    const { forecast } = JSON.parse(done.stdout) as Facts
    expect(forecast?.byKind['repository']).toBeGreaterThan(39)
    expect((await counted()).requests).toBeLessThan(20)
    await sandbox.control.clearRequests()
    const catchment = await startCatchment({ folder: folder.path, env })
    try {
      const first = await counted()
      console.info('forecast', forecast, 'first scan', first)
      expect(Math.abs((forecast?.requests ?? 0) / first.requests - 1)).toBeLessThan(0.2)
      expect(Math.abs((forecast?.quota ?? 0) / first.quota - 1)).toBeLessThan(0.2)
      await sandbox.control.clearRequests()
      const again = await eventually('an unchanged rescan', async () => {
        const synced = await cli(['sync'], { folder: folder.path, env })
        return synced.code === 0 ? counted() : undefined
      })
      console.info('unchanged rescan', again)
      expect(again.quota).toBeLessThanOrEqual(first.quota / 10)
    } finally {
      await catchment.stop()
    }
  } finally {
    await sandbox.stop()
    await folder.remove()
  }
}, 240_000)

it('foresees how long a scan is parked when its share of the rate limit does not suffice', () => {
  expect(secondsOfWaiting(100, { share: 3000, now: 2000, untilReset: 600 })).toBe(0)
  expect(secondsOfWaiting(2500, { share: 3000, now: 2000, untilReset: 600 })).toBe(600)
  expect(secondsOfWaiting(9000, { share: 3000, now: 2000, untilReset: 600 })).toBe(600 + 2 * 3600)
  expect(secondsOfWaiting(10, { share: 3000, now: -50, untilReset: 600 })).toBe(600)
})
