import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../../integrations/github/sandbox/sandbox.ts'
import { cli, eventually, type Running, startCatchment, temporaryFolder } from './testing/catchment.ts'

interface Repository {
  readonly id: number
  readonly full_name: string
  readonly stargazers_count: number
}

let data: string
let sandbox: Sandbox
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let catchment: Running
const picked = new Map<string, Repository>()

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'catchment-two-'))
  sandbox = await startSandbox({ data, repos: 12, seed: 7 })
  folder = await temporaryFolder()
  for (const organization of ['acme', 'acme-labs']) {
    const [first] = (await github('GET', `/orgs/${organization}/repos?per_page=1`)) as Repository[]
    if (first === undefined) throw new Error(`${organization} has no repository`)
    picked.set(organization, first)
    await github('PUT', `/repos/${first.full_name}/topics`, { names: ['shared', organization] })
  }
  await writeFile(
    join(folder.path, 'blueprints.yaml'),
    `- identifier: product
  schema:
    properties:
      stars: { type: number }
      labs: { type: string }
      topics: { type: array, merge: union }
      tier: { type: string }
  relations: {}
`,
  )
  const mapping = (organization: string, own: string) => `resources:
  - kind: repository
    selector: { query: '.id == ${picked.get(organization)?.id}' }
    entity:
      blueprint: '"product"'
      identifier: '"platform"'
      title: .full_name
      properties: { topics: .topics, ${own} }
`
  await writeFile(join(folder.path, 'acme.yaml'), mapping('acme', 'stars: .stargazers_count'))
  await writeFile(join(folder.path, 'labs.yaml'), mapping('acme-labs', 'labs: .full_name'))
  const source = (name: string, organization: string) => `  - name: ${name}
    integration: github
    config: { token: "\${env:GITHUB_TOKEN}", organizations: [${organization}], baseUrl: "${sandbox.url}" }
    kinds: [repository]
    mapping: ./${name}.yaml
    blueprints: ./blueprints.yaml
`
  await writeFile(
    join(folder.path, 'catchment.yaml'),
    `sources:\n${source('acme', 'acme')}${source('labs', 'acme-labs')}precedence: [manual, labs, acme]\n`,
  )
  catchment = await startCatchment({
    folder: folder.path,
    args: ['--config', join(folder.path, 'catchment.yaml')],
    env: { GITHUB_TOKEN: sandbox.token },
  })
}, 120_000)

afterAll(async () => {
  await catchment?.stop()
  await sandbox?.stop()
  await folder?.remove()
  await rm(data, { recursive: true, force: true })
}, 60_000)

async function github(method: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`${sandbox.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${sandbox.token}`, 'user-agent': 'test', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  return text === '' ? null : (JSON.parse(text) as unknown)
}

test('two GitHub sources and what is written over HTTP make one entity; each takes back only its own', async () => {
  const [acme, labs] = [picked.get('acme'), picked.get('acme-labs')]
  const written = await catchment.post('/api/v1/entities', {
    items: [{ blueprint: 'product', identifier: 'platform', properties: { tier: 'gold' } }],
  })
  expect(written.body).toMatchObject({ items: [{ state: 'written', exists: true }] })
  const { body } = await catchment.get('/api/v1/entities/product/platform?provenance=true')
  expect(body).toMatchObject({
    title: labs?.full_name,
    properties: {
      stars: acme?.stargazers_count,
      labs: labs?.full_name,
      tier: 'gold',
      topics: ['shared', 'acme-labs', 'acme'],
    },
    sources: {
      title: [{ source: 'labs', key: String(labs?.id) }],
      'properties.stars': [{ source: 'acme', key: String(acme?.id) }],
      'properties.labs': [{ source: 'labs' }],
      'properties.tier': [{ source: 'manual' }],
      'properties.topics': [{ source: 'labs' }, { source: 'acme' }],
    },
  })
  await github('DELETE', `/repos/${labs?.full_name}`)
  const { code, stderr } = await cli(['sync', 'labs'], { folder: folder.path })
  expect(code, stderr).toBe(0)
  await eventually('what labs said is gone', async () => {
    const now = (await catchment.get('/api/v1/entities/product/platform')).body as { properties: { labs?: string } }
    return now.properties.labs === undefined ? true : undefined
  })
  expect((await catchment.get('/api/v1/entities/product/platform')).body).toMatchObject({
    title: acme?.full_name,
    properties: { stars: acme?.stargazers_count, tier: 'gold', topics: ['shared', 'acme'] },
  })
}, 120_000)
