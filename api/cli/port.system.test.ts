// A mapping file of another catalog product, as it is, against the sandbox; what comes out is computed a second time by jq.
import { readFileSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Jq, loadJq } from 'jq-wasm'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { type SpawnedSandbox, spawnSandbox } from '../../integrations/github/sandbox/spawn.ts'
import { cli, eventually, type Running, startCatchment, temporaryFolder } from './testing/catchment.ts'
import { docCommands } from './testing/doc-commands.ts'

const corpus = process.env['CATCHMENT_CORPUS'] ?? fileURLToPath(new URL('../../../shared/corpus', import.meta.url))
const resources = join(corpus, 'mappings/github/resources')
const organizations = ['acme', 'acme-labs']

const port = z.object({
  resources: z.array(
    z.object({
      kind: z.string(),
      selector: z.looseObject({ query: z.string(), includedFiles: z.array(z.string()).optional() }),
      port: z.object({
        entity: z.object({
          mappings: z.object({
            identifier: z.string(),
            title: z.string(),
            blueprint: z.string(),
            properties: z.record(z.string(), z.string()),
            relations: z.record(z.string(), z.string()).default({}),
          }),
        }),
      }),
    }),
  ),
})

type Raw = Record<string, unknown>
interface Shown {
  readonly title: unknown
  readonly properties: Raw
  readonly relations: Raw
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let sandbox: SpawnedSandbox
let running: Running

beforeAll(async () => {
  folder = await temporaryFolder()
  sandbox = await spawnSandbox({ data: join(folder.path, 'github'), repos: 18 })
})
afterAll(async () => {
  await running?.stop()
  await sandbox?.stop()
  await folder?.remove()
})

async function ask(path: string): Promise<{ status: number; body: unknown }> {
  const headers = { authorization: `Bearer ${sandbox.token}`, 'user-agent': 'test' }
  const answer = await fetch(sandbox.url + path, { headers })
  return { status: answer.status, body: await answer.json() }
}

const listOf = async (path: string): Promise<Raw[]> =>
  z.array(z.looseObject({})).parse((await ask(`${path}${path.includes('?') ? '&' : '?'}per_page=100`)).body)

async function fileOf(repository: string, path: string): Promise<string | null> {
  const { status, body } = await ask(`/repos/${repository}/contents/${path}`)
  if (status === 404) return null
  return Buffer.from(z.looseObject({ content: z.string() }).parse(body).content, 'base64').toString()
}

/** The raw objects of a kind, asked for one by one, without anything that Catchment knows. */
async function rawOf(kind: string, files: readonly string[]): Promise<Raw[]> {
  const repositories = (await Promise.all(organizations.map((org) => listOf(`/orgs/${org}/repos`)))).flat()
  if (kind === 'organization') {
    return Promise.all(organizations.map(async (org) => z.looseObject({}).parse((await ask(`/orgs/${org}`)).body)))
  }
  const found: Raw[] = []
  for (const repository of repositories) {
    const { full_name: name, name: short } = z
      .looseObject({ full_name: z.string(), name: z.string() })
      .parse(repository)
    if (kind === 'repository') {
      const included: Raw = {}
      for (const path of files) included[path] = await fileOf(name, path)
      found.push({ ...repository, __includedFiles: included })
    } else {
      const pulls = await listOf(`/repos/${name}/pulls?state=open`)
      found.push(...pulls.map((pull) => ({ ...pull, __repository: short })))
    }
  }
  return found
}

const withoutNulls = (object: Raw): Raw =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined))

function evaluate(jq: Jq, raw: Raw, program: string): unknown {
  return jq.json<unknown>(JSON.stringify(raw), program)[0] ?? null
}

async function computed(text: string): Promise<Map<string, Shown>> {
  const jq = await loadJq()
  const entities = new Map<string, Shown>()
  for (const { kind, selector, port: block } of port.parse(parse(text)).resources) {
    const { identifier, title, blueprint, properties, relations } = block.entity.mappings
    for (const raw of await rawOf(kind, selector.includedFiles ?? [])) {
      if (evaluate(jq, raw, selector.query) !== true) continue
      const all = (expressions: Record<string, string>): Raw =>
        withoutNulls(Object.fromEntries(Object.entries(expressions).map(([name, it]) => [name, evaluate(jq, raw, it)])))
      const key = `${String(evaluate(jq, raw, blueprint))}:${String(evaluate(jq, raw, identifier))}`
      entities.set(key, { title: evaluate(jq, raw, title), properties: all(properties), relations: all(relations) })
    }
  }
  return entities
}

const shown = z.object({
  items: z.array(
    z.looseObject({
      blueprint: z.string(),
      identifier: z.string(),
      title: z.unknown(),
      properties: z.record(z.string(), z.unknown()),
      relations: z.record(z.string(), z.unknown()),
      failed: z.array(z.unknown()),
    }),
  ),
  next: z.string().nullish(),
})

async function catalog(): Promise<Map<string, Shown>> {
  const all = new Map<string, Shown>()
  for (let cursor = ''; ; ) {
    const { items, next } = shown.parse((await running.get(`/api/v1/entities?limit=500${cursor}`)).body)
    for (const { blueprint, identifier, title, properties, relations, failed } of items) {
      expect(failed).toEqual([])
      const bare = (value: unknown): unknown =>
        typeof value === 'string' ? value.slice(value.indexOf(':') + 1) : Array.isArray(value) ? value.map(bare) : value
      const links = Object.fromEntries(Object.entries(withoutNulls(relations)).map(([name, it]) => [name, bare(it)]))
      all.set(`${blueprint}:${identifier}`, { title, properties: withoutNulls(properties), relations: links })
    }
    if (next === null || next === undefined) return all
    cursor = `&cursor=${encodeURIComponent(next)}`
  }
}

it('the corpus has mapping files for GitHub', async () => {
  expect(await readdir(resources)).toContain('port-app-config.yml')
})

it('a mapping file of Port, unmodified, makes the entities that jq makes of the raw objects', async () => {
  const file = join(resources, 'port-app-config.yml')
  await writeFile(
    join(folder.path, 'catchment.yaml'),
    `sources:
  - name: github
    integration: github
    config: { token: "\${env:GITHUB_TOKEN}", organizations: [acme, acme-labs], baseUrl: "${sandbox.url}" }
    mapping: ${file}
    blueprints: ${join(resources, 'blueprints.json')}
`,
  )
  const env = { GITHUB_TOKEN: sandbox.token }
  const checked = await cli(['config', 'check'], { folder: folder.path, env })
  // What waits for a later release is said, blueprint by blueprint.
  expect(checked.stdout + checked.stderr).toContain('later_release')
  running = await startCatchment({ folder: folder.path, env })
  const expected = await computed(readFileSync(file, 'utf8'))
  expect([...expected.keys()].filter((key) => key.startsWith('githubPullRequest:')).length).toBeGreaterThan(3)
  const ours = await eventually('as many entities', async () => {
    const now = await catalog()
    return now.size >= expected.size ? now : undefined
  })
  expect([...ours.keys()].sort()).toEqual([...expected.keys()].sort())
  for (const [key, entity] of expected) expect({ key, ...ours.get(key) }).toEqual({ key, ...entity })
})

it('an export of the same entities is equal, and each command of the document about it works', async () => {
  const file = join(folder.path, 'export.json')
  const save = (all: Map<string, Shown>) => {
    const entities = [...all].map(([key, entity]) => {
      const [blueprint = '', ...rest] = key.split(':')
      return { identifier: rest.join(':'), blueprint, icon: null, ...entity, createdAt: '2026-01-01T00:00:00.000Z' }
    })
    return writeFile(file, JSON.stringify({ ok: true, entities }))
  }
  const expected = await computed(readFileSync(join(resources, 'port-app-config.yml'), 'utf8'))
  await save(expected)
  const commands = docCommands('coming-from-port.md', 'compare')
  expect(commands.length).toBeGreaterThan(2)
  for (const args of commands) {
    const done = await cli(args, { folder: folder.path })
    expect(done, done.stdout).toMatchObject({ code: 0, stderr: '' })
  }
  const [pull = '', entity] = [...expected].find(([key]) => key.startsWith('githubPullRequest:')) ?? []
  const [repository = ''] = [...expected.keys()].filter((key) => key.startsWith('githubRepository:'))
  expected.delete(repository)
  if (entity === undefined) throw new Error('no pull request')
  expected.set(pull, { ...entity, title: 'another', properties: { ...entity.properties, score: 7 } })
  expected.set('githubRepository:nowhere', { title: 'nowhere', properties: {}, relations: {} })
  await save(expected)
  const { code, stdout } = await cli(['compare', file, '--json'], { folder: folder.path })
  expect(code).toBe(4)
  expect(JSON.parse(stdout)).toMatchObject({
    counts: { differing: 1, onlyThere: 1, onlyHere: 1 },
    differing: [
      {
        reference: pull,
        differences: [
          {
            field: 'title',
            there: 'another',
            why: expect.stringMatching(/^github\/pull-request\/.* says so by \.title/),
          },
          { field: 'properties.score', there: 7, here: null, why: expect.stringContaining('no such property') },
        ],
      },
    ],
    onlyThere: [{ reference: 'githubRepository:nowhere' }],
    onlyHere: [{ reference: repository, why: expect.stringContaining('github/repository/') }],
  })
})

it('a pull request that is closed is gone, and a repository that is deleted takes its own with it', async () => {
  const pulls = async (): Promise<readonly string[]> =>
    [...(await catalog()).keys()].filter((key) => key.startsWith('githubPullRequest:'))
  const before = await pulls()
  const repositories = await listOf('/orgs/acme/repos')
  const named = z.looseObject({ full_name: z.string(), name: z.string() })
  const withPull: { full_name: string; name: string; number: number }[] = []
  for (const repository of repositories.map((it) => named.parse(it))) {
    const [pull] = await listOf(`/repos/${repository.full_name}/pulls?state=open`)
    if (pull !== undefined) withPull.push({ ...repository, number: Number(pull['number']) })
  }
  const [closing, deleting] = withPull
  if (closing === undefined || deleting === undefined) throw new Error('too few pull requests')
  const change = (method: string, path: string, body?: object) =>
    fetch(sandbox.url + path, {
      method,
      headers: { authorization: `Bearer ${sandbox.token}`, 'user-agent': 'test' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  await change('PATCH', `/repos/${closing.full_name}/pulls/${closing.number}`, { state: 'closed' })
  await change('DELETE', `/repos/${deleting.full_name}`)
  const scan = await cli(['sync'], { folder: folder.path })
  expect(scan.stderr).toBe('')
  const left = await eventually('both are gone', async () => {
    const now = await pulls()
    return now.length <= before.length - 2 ? now : undefined
  })
  expect(left.some((key) => key.startsWith(`githubPullRequest:${deleting.name}`))).toBe(false)
})
