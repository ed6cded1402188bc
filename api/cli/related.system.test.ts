import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cli, eventually, type Running, startCatchment, temporaryFolder } from './testing/catchment.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let catchment: Running

let written = 0
/** A file that was written long ago: of one that has just been, nobody knows whether it is whole. */
async function write(name: string, text: string): Promise<void> {
  const path = join(folder.path, name)
  await writeFile(path, text)
  written += 1
  const then = new Date(Date.now() - 3_600_000 + written * 1000)
  await utimes(path, then, then)
}
const source = (name: string): string => `  - name: ${name}
    integration: file
    config: { paths: [${name}.csv], key: name }
    mapping: ./${name}.yaml
    blueprints: ./blueprints.yaml
`

beforeAll(async () => {
  folder = await temporaryFolder()
  await write(
    'blueprints.yaml',
    `- identifier: team
  schema: { properties: { size: { type: string } } }
  relations: {}
- identifier: service
  schema: { properties: {} }
  relations: { owner: { target: team }, host: { target: service, required: true } }
`,
  )
  await write(
    'services.yaml',
    `createMissingRelatedEntities: true
resources:
  - kind: item
    entity: { identifier: .name, blueprint: '"service"', title: .name, relations: { owner: .owner } }
`,
  )
  await write(
    'teams.yaml',
    `resources:
  - kind: item
    entity: { identifier: .name, blueprint: '"team"', title: .title }
`,
  )
  await write(
    'parts.yaml',
    `deleteDependentEntities: true
resources:
  - kind: item
    entity: { identifier: .name, blueprint: '"service"', relations: { host: .host } }
`,
  )
  await write('services.csv', 'name,owner\ncart,shop\ntill,shop\nbell,desk\n')
  await write('teams.csv', 'name,title\ndesk,The desk\n')
  await write('parts.csv', 'name,host\nwheel,cart\n')
  await write('catchment.yaml', `sources:\n${['services', 'teams', 'parts'].map(source).join('')}`)
  catchment = await startCatchment({ folder: folder.path, args: ['--config', join(folder.path, 'catchment.yaml')] })
}, 120_000)

afterAll(async () => {
  await catchment?.stop()
  await folder?.remove()
}, 60_000)

async function sync(name: string, text: string): Promise<void> {
  await write(`${name}.csv`, text)
  const { code, stdout, stderr } = await cli(['sync', name], { folder: folder.path })
  expect(code, stdout + stderr).toBe(0)
}

async function names(query = ''): Promise<readonly string[]> {
  const { body } = await catchment.get(`/api/v1/entities${query}`)
  return (body as { items: { reference: string }[] }).items.map(({ reference }) => reference)
}

const explained = async (text: string): Promise<string> =>
  (await cli(['explain', text], { folder: folder.path })).stdout

test('what relations lead to is a stub until a source has it, and goes when nothing refers to it', async () => {
  await eventually('three sources are in', async () => ((await names()).length === 6 ? true : undefined))
  expect(await names('?q=is:stub')).toEqual(['team:shop'])
  expect((await catchment.get('/api/v1/entities/team/shop')).body).toMatchObject({ stub: true, title: 'shop' })
  expect((await catchment.get('/api/v1/entities/team/desk')).body).not.toHaveProperty('stub')
  expect(await explained('team:shop')).toContain('made because service:cart and 1 more refer to it')
  await sync('teams', 'name,title\ndesk,The desk\nshop,The shop\n')
  expect((await catchment.get('/api/v1/entities/team/shop')).body).toMatchObject({ title: 'The shop' })
  expect(await names('?q=is:stub')).toEqual([])
  await sync('services', 'name,owner\ncart,store\ntill,store\nbell,desk\n')
  expect(await names('?blueprint=team')).toEqual(['team:desk', 'team:shop', 'team:store'])
  await sync('services', 'name,owner\ncart,desk\ntill,desk\nbell,desk\n')
  expect(await names('?blueprint=team')).toEqual(['team:desk', 'team:shop'])
}, 120_000)

test('what depends on something goes with it and comes back with it', async () => {
  await sync('services', 'name,owner\ntill,desk\nbell,desk\n')
  await eventually('the wheel is gone, too', async () =>
    (await names('?blueprint=service')).includes('service:wheel') ? undefined : true,
  )
  expect(await explained('service:wheel')).toContain('because service:cart, on which it depends, was deleted')
  await sync('parts', 'name,host\nwheel,cart\n')
  expect(await names('?blueprint=service')).toEqual(['service:bell', 'service:till'])
  await sync('services', 'name,owner\ncart,desk\ntill,desk\nbell,desk\n')
  await eventually('the wheel is back', async () =>
    (await names('?blueprint=service')).includes('service:wheel') ? true : undefined,
  )
}, 120_000)
