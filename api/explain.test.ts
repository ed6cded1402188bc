import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { World } from '../core/catalog/query/world.fixture.ts'
import { compileMappings } from '../core/mapping/compile.ts'
import { isObject } from '../core/model/json.ts'
import { type FreshDatabase, freshDatabase } from '../core/testkit/database.ts'
import { authorization, configured, FakeEngine, server } from './server.fixture.ts'

const { mappings } = compileMappings({
  file: 'mapping.yaml',
  text: `resources:
  - kind: repository
    selector: { query: .archived | not | if . == "broken" then error("no") else . end }
    port: { entity: { mappings: { identifier: .name | ltrimstr("x"), title: .title, blueprint: '"service"', properties: { url: .url } } } }
  - kind: broken
    selector: { query: .a.b.c == 1 }
    port: { entity: { mappings: { identifier: .name, blueprint: '"service"' } } }
`,
})

let database: FreshDatabase
let app: FastifyInstance
let world: World
const service = (identifier: string) => ({ blueprint: 'service', identifier })

beforeAll(async () => {
  database = await freshDatabase()
  world = new World(database.db)
  const github = { ...configured('github', ['repository', 'broken']), mappings }
  app = await server(database.db, new FakeEngine([github]), {
    now: () => world.now + 40_000,
    config: { adminKey: 'test-admin-key-0123456789', host: '127.0.0.1', port: 7100, objectives: { github: 3600 } },
  })
  const url = 'https://github.example/acme/here'
  await world.see('github', 'repository', [
    {
      key: '1',
      locator: { fullName: 'acme/here' },
      body: { name: 'acme/here', url },
      entities: [{ ...service('acme/here'), title: 'Here', properties: { url } }],
    },
    { key: '2', locator: { fullName: 'acme/archive' }, body: { name: 'acme/archive', archived: true } },
    { key: '3', locator: { fullName: 'acme/nameless' }, body: { name: null } },
    { key: '4', locator: { fullName: 'acme/kept' }, body: { name: 'acme/kept' }, entities: [service('acme/kept')] },
    { key: '5', locator: { fullName: 'acme/gone' }, entities: [service('acme/gone')] },
    { key: '6', locator: { fullName: 'acme/again' }, entities: [service('id-6')] },
  ])
  await world.see('github', 'broken', [{ key: '1', locator: { fullName: 'acme/selectorless' }, body: { a: 5 } }])
  for (const kind of ['repository', 'broken']) await world.scan('github', kind, 'acme', 'complete')
  await world.hold('github', 'repository', ['4'])
  await world.remove('github', 'repository', '5')
  await world.remove('github', 'repository', '6')
  await world.see('github', 'repository', [
    { key: '7', locator: { fullName: 'acme/again' }, entities: [service('id-7')] },
  ])
  // The world names its mappings in a way of its own.
  await database.db.query(`UPDATE contributions SET mapping = 'repository'`)
})

afterAll(async () => {
  await app.close()
  await database.drop()
})

async function ask(q: string): Promise<Record<string, unknown>> {
  const answer = await app.inject({
    url: `/api/v1/explain?${new URLSearchParams({ q }).toString()}`,
    headers: authorization,
  })
  expect(answer.statusCode, answer.body).toBe(200)
  const body: unknown = answer.json()
  return isObject(body as never) ? (body as Record<string, unknown>) : {}
}

test.each([
  ['service:acme/nothing', 'never_seen', 'was never seen: no source listed anything', 'catchment sync'],
  [
    'service:acme/archive',
    'selector_false',
    'selector of repository is false for it: .archived | not',
    'catchment record get github repository 2',
  ],
  [
    'service:acme/selectorless',
    'selector_failed',
    'broken failed on it: selector (.a.b.c == 1)',
    'catchment quarantine',
  ],
  ['service:acme/nameless', 'identifier_failed', 'repository failed on it: identifier', 'catchment quarantine'],
  ['service:acme/kept', 'held', 'A guard holds its removal: A scan listed 2 of 40.', 'catchment held'],
  [
    'service:acme/gone',
    'deleted',
    'the source said that it is gone (delivery repository.deleted d-1)',
    'catchment history',
  ],
  ['service:id-6', 'replaced', 'was replaced by a new id: 7, which is service:id-7', 'catchment explain service:id-7'],
  ['record:github/repository/6', 'replaced', 'was replaced by a new id: 7', 'catchment explain service:id-7'],
])('%s: %s', async (q, cause, summary, next) => {
  const found = await ask(q)
  expect(found).toMatchObject({ cause, summary: expect.stringContaining(summary) })
  expect(found['next']).toContainEqual(expect.stringContaining(next))
})

test('a false selector says what its parts gave', async () => {
  expect((await ask('service:acme/archive'))['summary']).toContain('(.archived is true)')
})

test.each(['service:acme/here', 'https://github.example/acme/here', 'https://github.example/acme/here/', 'here'])(
  'present, asked for as %s: where each field comes from',
  async (q) => {
    expect(await ask(q)).toMatchObject({
      state: 'present',
      cause: null,
      fields: expect.arrayContaining([
        expect.objectContaining({
          field: 'title',
          value: 'Here',
          key: '1',
          expression: '.title',
          file: 'mapping.yaml',
          line: 4,
          freshness: 'fresh',
          partitions: ['acme'],
        }),
        expect.objectContaining({
          field: 'properties.url',
          expression: '.url',
          confirmedBy: expect.stringMatching(/^scan \d+ of acme/),
        }),
      ]),
    })
  },
)

test('the address of what is not there is looked up by its path', async () => {
  expect(await ask('https://github.example/acme/archive/blob/main/README.md')).toMatchObject({
    cause: 'selector_false',
  })
})

test('where nobody can look: a partition that is unknown, then a source that is frozen', async () => {
  await database.db.query(`UPDATE partitions SET state = 'unknown', reason = '403 on acme.'`)
  expect(await ask('service:acme/nothing')).toMatchObject({
    cause: 'partition_unknown',
    summary: expect.stringContaining('github/broken acme is unknown: 403 on acme.'),
    next: ['catchment status'],
  })
  await database.db.query(`UPDATE partitions SET state = 'known', reason = NULL`)
  await world.store.freezeSourcesExcept([])
  expect(await ask('service:acme/nothing')).toMatchObject({
    cause: 'source_frozen',
    summary: expect.stringContaining('the source github is frozen'),
    next: expect.arrayContaining(['catchment source remove github']),
  })
})
