// `catalog-info.yaml` files of Backstage in the sandbox's repositories, against a computation that shares nothing with it.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { type SpawnedSandbox, spawnSandbox } from '../../integrations/github/sandbox/spawn.ts'
import { cli, eventually, type Running, startCatchment, temporaryFolder } from './testing/catchment.ts'
import { docCommands } from './testing/doc-commands.ts'

const shipped = fileURLToPath(new URL('../../mappings/backstage/', import.meta.url))

const organisation = `apiVersion: backstage.io/v1alpha1
kind: System
metadata: { name: Shop, title: The shop }
spec: { owner: platform, domain: Retail }
---
apiVersion: backstage.io/v1alpha1
kind: Domain
metadata: { name: retail, description: What customers see }
spec: { owner: user:default/mei-tanaka }
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: { name: platform, namespace: staff }
spec: { type: team, profile: { displayName: Platform }, children: [], members: [default/mei-tanaka, lukas-brandt] }
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: { name: mei-tanaka }
spec: { profile: { displayName: Mei Tanaka, email: mei@acme.example }, memberOf: [staff/platform] }
---
apiVersion: backstage.io/v1alpha1
kind: Location
metadata: { name: more }
spec: { type: url, targets: [https://example.com/catalog-info.yaml] }
`

const documentSchema = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().default('default'), title: z.string().optional() }),
  spec: z.record(z.string(), z.unknown()).default({}),
})
type Document = z.output<typeof documentSchema>

interface Field {
  readonly from: string
  readonly kind: string
  /** Relation by the kind of what is meant. */
  readonly to: Readonly<Record<string, string>>
}

const fields: readonly Field[] = [
  { from: 'owner', kind: 'group', to: { group: 'owner', user: 'ownerUser' } },
  { from: 'system', kind: 'system', to: { system: 'system' } },
  { from: 'domain', kind: 'domain', to: { domain: 'domain' } },
  { from: 'providesApis', kind: 'api', to: { api: 'providesApis' } },
  { from: 'consumesApis', kind: 'api', to: { api: 'consumesApis' } },
  { from: 'dependsOn', kind: 'component', to: { component: 'dependsOn', resource: 'dependsOnResources' } },
  { from: 'parent', kind: 'group', to: { group: 'parent' } },
  { from: 'children', kind: 'group', to: { group: 'children' } },
  { from: 'members', kind: 'user', to: { user: 'members' } },
  { from: 'memberOf', kind: 'group', to: { group: 'memberOf' } },
]
const lists = ['providesApis', 'consumesApis', 'dependsOn', 'dependsOnResources', 'children', 'members', 'memberOf']

/** kind:namespace/name of a reference, as Backstage's documentation has it. */
function full(reference: string, kind: string, namespace: string): [string, string] {
  const [, k = kind, ns = namespace, name = ''] = /^(?:([^:/]+):)?(?:([^:/]+)\/)?([^:/]+)$/.exec(reference) ?? []
  return [k.toLowerCase(), `${ns}/${name}`.toLowerCase()]
}

const bare = (value: unknown): unknown =>
  typeof value === 'string'
    ? value.slice(value.indexOf(':') + 1)
    : Array.isArray(value)
      ? value.map((it) => String(bare(it))).sort()
      : value

function relationsOf({ metadata, spec }: Document): Record<string, unknown> {
  const found: Record<string, string[]> = {}
  for (const { from, kind, to } of fields) {
    const value = spec[from]
    for (const reference of Array.isArray(value) ? value : value === undefined ? [] : [value]) {
      const [meant, identifier] = full(String(reference), kind, metadata.namespace)
      const relation = to[meant]
      if (relation !== undefined) found[relation] = [...(found[relation] ?? []), identifier]
    }
  }
  return Object.fromEntries(
    Object.entries(found).map(([name, all]) => [name, lists.includes(name) ? all.toSorted() : all[0]]),
  )
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let sandbox: SpawnedSandbox
let running: Running

const call = async (method: string, path: string, body?: object): Promise<unknown> => {
  const answer = await fetch(sandbox.url + path, {
    method,
    headers: { authorization: `Bearer ${sandbox.token}`, 'user-agent': 'test' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return answer.status === 404 ? undefined : answer.json()
}
const put = (path: string, text: string): Promise<unknown> =>
  call('PUT', `/repos/acme/checkout/contents/${path}`, { message: 'x', content: Buffer.from(text).toString('base64') })

beforeAll(async () => {
  folder = await temporaryFolder()
  sandbox = await spawnSandbox({ data: join(folder.path, 'github'), repos: 14 })
  await put('org/catalog-info.yml', organisation)
})
afterAll(async () => {
  await running?.stop()
  await sandbox?.stop()
  await folder?.remove()
})

async function declared(): Promise<Document[]> {
  const repositories = z.array(z.looseObject({ full_name: z.string() }))
  const all = repositories.parse(await call('GET', '/orgs/acme/repos?per_page=100'))
  const found: Document[] = []
  for (const { full_name } of all) {
    for (const path of ['catalog-info.yaml', 'org/catalog-info.yml']) {
      const file = await call('GET', `/repos/${full_name}/contents/${path}`)
      if (file === undefined) continue
      const text = Buffer.from(z.looseObject({ content: z.string() }).parse(file).content, 'base64').toString()
      found.push(...parseAllDocuments(text).map((document) => documentSchema.parse(document.toJS())))
    }
  }
  return found
}

const shown = z.object({
  items: z.array(
    z.looseObject({
      blueprint: z.string(),
      identifier: z.string(),
      title: z.string(),
      relations: z.record(z.string(), z.unknown()),
      failed: z.array(z.unknown()),
    }),
  ),
})

async function catalog() {
  const { items } = shown.parse((await running.get('/api/v1/entities?limit=1000')).body)
  expect(items.flatMap(({ failed }) => failed)).toEqual([])
  return new Map(
    items.map(({ blueprint, identifier, title, relations }) => [
      `${blueprint}:${identifier}`,
      {
        title,
        relations: Object.fromEntries(
          Object.entries(relations).flatMap(([name, it]) => (it === null ? [] : [[name, bare(it)]])),
        ),
      },
    ]),
  )
}

it('the shipped files say nothing that a reader would have to mend', async () => {
  await writeFile(
    join(folder.path, 'catchment.yaml'),
    `sources:
  - name: backstage
    integration: github
    config: { token: "\${env:GITHUB_TOKEN}", organizations: [acme], baseUrl: "${sandbox.url}" }
    kinds: [repository, file]
    mapping: ${join(shipped, 'mapping.yaml')}
    blueprints: ${join(shipped, 'blueprints.yaml')}
`,
  )
  const checked = await cli(['config', 'check'], { folder: folder.path, env: { GITHUB_TOKEN: sandbox.token } })
  expect(checked).toMatchObject({ code: 0, stderr: '' })
  expect(checked.stdout).not.toContain('warning')
})

it('every document becomes its entity, with its relations and its owner', async () => {
  running = await startCatchment({ folder: folder.path, env: { GITHUB_TOKEN: sandbox.token } })
  const documents = await declared()
  const expected = new Map(
    documents.map((document) => {
      const { kind, metadata, spec } = document
      const { displayName } = z.looseObject({ displayName: z.string().optional() }).parse(spec['profile'] ?? {})
      const title = metadata.title ?? displayName ?? metadata.name
      const key = `${kind.toLowerCase()}:${metadata.namespace}/${metadata.name}`.toLowerCase()
      return [key, { title, relations: relationsOf(document) }]
    }),
  )
  expect(new Set(documents.map(({ kind }) => kind)).size).toBe(8)
  const ours = await eventually('as many entities', async () => {
    const now = await catalog()
    return now.size >= expected.size ? now : undefined
  })
  expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(expected))
})

it('what the API of Backstage gives of the same documents is equal, and the commands of the document work', async () => {
  const annotations = { 'backstage.io/managed-by-location': 'url:https://example.com', 'backstage.io/view-url': 'x' }
  const entities = (await declared()).map((document) => ({
    ...document,
    metadata: {
      uid: '1',
      etag: '2',
      ...document.metadata,
      annotations: { ...annotations, ...z.looseObject({}).parse(document.metadata['annotations'] ?? {}) },
    },
    relations: [{ type: 'partOf', targetRef: 'system:default/x' }],
  }))
  const file = join(folder.path, 'export.json')
  for (const form of [entities, { items: entities }]) {
    await writeFile(file, JSON.stringify(form))
    const commands = docCommands('coming-from-backstage.md', 'compare')
    expect(commands.length).toBe(2)
    for (const args of commands) {
      const done = await cli(args, { folder: folder.path })
      expect(done, done.stdout).toMatchObject({ code: 0, stderr: '' })
    }
  }
  const other = entities.map((one) => (one.kind === 'System' ? { ...one, spec: { ...one.spec, owner: 'other' } } : one))
  await writeFile(file, JSON.stringify(other))
  const { code, stdout } = await cli(['compare', file], { folder: folder.path })
  expect(code).toBe(4)
  expect(stdout).toContain('relations.owner: there "default/other", here "')
})

it('a document that is taken out of its file is gone, and one that cannot be read takes nothing away', async () => {
  await put('org/catalog-info.yml', organisation.split('---\n').slice(0, 3).join('---\n'))
  await cli(['sync'], { folder: folder.path })
  await eventually('the user is gone', async () =>
    (await catalog()).has('user:default/mei-tanaka') ? undefined : true,
  )
  const before = (await catalog()).size
  await put('org/catalog-info.yml', 'kind: [not\n  yaml: at all')
  await cli(['sync'], { folder: folder.path })
  await eventually('it is set aside', async () => {
    const { body } = await running.get('/api/v1/quarantine')
    return z.object({ items: z.array(z.unknown()) }).parse(body).items.length > 0 ? true : undefined
  })
  expect((await catalog()).size).toBe(before)
})
