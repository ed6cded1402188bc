import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { World } from '../core/catalog/query/world.fixture.ts'
import { type FreshDatabase, freshDatabase } from '../core/testkit/database.ts'
import { authorization, configured, FakeEngine, server } from './server.fixture.ts'

let database: FreshDatabase
let app: FastifyInstance
let world: World
const engine = new FakeEngine([configured('github', ['repository', 'team'])])

beforeAll(async () => {
  database = await freshDatabase()
  world = new World(database.db)
  app = await server(database.db, engine, { now: () => world.now + 60_000 })
  await app.ready()
})

afterAll(async () => {
  await app.close()
  await database.drop()
})

async function get(url: string, headers: Record<string, string> = authorization) {
  return app.inject({ url, headers })
}

async function post(url: string, payload: object = {}) {
  return app.inject({ method: 'POST', url, payload, headers: authorization })
}

describe('probes', () => {
  test('alive at once, ready once a scanned catalog can be served', async () => {
    expect((await get('/healthz')).json()).toEqual({ status: 'ok' })
    const early = await get('/readyz')
    expect(early.statusCode).toBe(503)
    expect(early.headers['retry-after']).toBe('1')
    expect(early.json()).toMatchObject({ code: 'not_ready' })
    for (const kind of ['repository', 'team']) {
      await world.see('github', kind, [
        {
          key: '1',
          locator: { name: kind },
          entities: [
            {
              blueprint: kind === 'team' ? 'team' : 'service',
              identifier: `acme/${kind}`,
              relations: kind === 'team' ? {} : { owner: 'acme/team', uses: ['acme/x'] },
              properties: { language: 'go' },
            },
          ],
        },
      ])
      await world.scan('github', kind, 'acme', 'complete')
    }
    expect((await get('/readyz')).json()).toMatchObject({ status: 'ready' })
  })

  test('metrics of the process, of requests and of the catalog', async () => {
    const { body, headers } = await get('/metrics')
    expect(headers['content-type']).toContain('text/plain')
    expect(body).toContain('catchment_entities{blueprint="service"} 1')
    expect(body).toContain('catchment_freshness{source="github",kind="repository",partition="acme"} 1')
    expect(body).toContain('route="/readyz",status="503"')
    expect(body).toContain('process_cpu_seconds_total')
  })
})

describe('reading', () => {
  test('entities', async () => {
    const { items } = (await get('/api/v1/entities?blueprint=service&q=repo&where=language=go')).json()
    expect(items).toMatchObject([
      { reference: 'service:acme/repository', relations: { owner: 'team:acme/team', uses: ['service:acme/x'] } },
    ])
    const one = await get('/api/v1/entities/service/acme%2Frepository')
    expect(one.json()).toMatchObject({ identifier: 'acme/repository', properties: { language: 'go' }, held: 0 })
  })

  test('search with a body', async () => {
    const query = {
      combinator: 'and',
      rules: [{ combinator: 'or', rules: [{ property: '$identifier', operator: 'contains', value: 'TEAM' }] }],
    }
    expect((await post('/api/v1/search', { query, limit: 5 })).json()).toMatchObject({ items: [{ blueprint: 'team' }] })
  })

  test('every list answers items, and next where there is more', async () => {
    const lists = ['entities', 'blueprints', 'sources', 'scans', 'held', 'quarantine', 'deliveries', 'records']
    for (const list of lists) {
      const answer = await get(`/api/v1/${list}?limit=1`)
      expect(answer.statusCode, list).toBe(200)
      expect(Array.isArray(answer.json().items), list).toBe(true)
    }
    for (const list of ['entities', 'blueprints', 'scans', 'records']) {
      const { items, next } = (await get(`/api/v1/${list}?limit=1`)).json()
      const second = (await get(`/api/v1/${list}?limit=1&cursor=${next}`)).json()
      expect(second.items, list).toHaveLength(1)
      expect(second.items, list).not.toEqual(items)
      expect(second.next, list).toBeUndefined()
    }
  })

  test('sources, blueprints, records, explain', async () => {
    expect((await get('/api/v1/sources')).json()).toMatchObject({ items: [{ name: 'github', freshness: 'fresh' }] })
    expect((await get('/api/v1/blueprints/service')).json()).toMatchObject({ identifier: 'service' })
    const record = (await get('/api/v1/records/github/repository/1')).json()
    expect(record).toMatchObject({
      contributions: [{ reference: 'service:acme/repository' }],
      body: { name: 'repository' },
    })
    const present = (await get('/api/v1/explain?reference=service:acme/repository')).json()
    expect(present).toMatchObject({ state: 'present', contributions: [{ key: '1' }] })
    const absent = (await get('/api/v1/explain?reference=service:acme/none')).json()
    expect(absent).toMatchObject({ state: 'never_seen' })
  })

  test('changes as a page, to the end and on', async () => {
    const json = { ...authorization, accept: 'application/json' }
    const first = (await get('/api/v1/changes?limit=1', json)).json()
    expect(first.items).toMatchObject([
      { operation: 'created', reference: 'service:acme/repository', cause: { type: 'get' } },
    ])
    const second = (await get(`/api/v1/changes?after=${first.next}`, json)).json()
    expect(second.items).toHaveLength(1)
    expect(second.next).toBeUndefined()
    const rest = (await get(`/api/v1/changes?after=${second.position}`, json)).json()
    expect(rest).toEqual({ items: [], position: second.position })
    expect((await get('/api/v1/changes?after=old:1', json)).json()).toMatchObject({
      code: 'feed_replaced',
      status: 410,
    })
  })
})

describe('doing', () => {
  test('a scan is asked for by kind or for all kinds', async () => {
    expect((await post('/api/v1/scans', { source: 'github', kind: 'team' })).json()).toEqual({
      source: 'github',
      kinds: ['team'],
    })
    expect((await post('/api/v1/scans', { source: 'github' })).statusCode).toBe(202)
    expect(engine.requested).toEqual(['github/team', 'github/'])
    expect((await post('/api/v1/scans', { source: 'gitlab' })).json()).toMatchObject({
      code: 'source_unknown',
      status: 404,
    })
    expect((await post('/api/v1/scans', { source: 'github', kind: 'x' })).json()).toMatchObject({
      code: 'kind_unknown',
    })
  })

  test('held is approved and rejected, and the engine is woken', async () => {
    await world.hold('github', 'repository', ['1'])
    await world.hold('github', 'team', ['1'])
    const { items } = (await get('/api/v1/held')).json()
    expect(items).toHaveLength(2)
    const before = engine.woken
    const approved = await post(`/api/v1/held/${items[0].id}/approve`)
    expect(approved.json()).toEqual({ id: items[0].id, state: 'approved' })
    expect((await post(`/api/v1/held/${items[0].id}/reject`)).statusCode).toBe(409)
    expect((await post('/api/v1/held/reject', { source: 'github', kind: 'team' })).json()).toEqual({
      decided: 1,
      state: 'rejected',
    })
    expect(engine.woken).toBe(before + 2)
    const decided = (await get('/api/v1/held?state=approved')).json()
    expect(decided.items).toMatchObject([{ decidedBy: 'admin key' }])
  })
})

describe('problems', () => {
  test('a line of a search says where it is wrong and what was perhaps meant', async () => {
    const answer = await get('/api/v1/entities?q=blueprint:service%20langauge:go')
    expect(answer.json()).toMatchObject({
      code: 'query_invalid',
      parameter: 'q',
      position: 19,
      length: 8,
      hint: expect.stringContaining('Did you mean language?'),
    })
    const found = await post('/api/v1/search', { q: 'blueprint:service language:GO', count: true, limit: 1 })
    expect(found.json()).toMatchObject({ total: expect.any(Number), items: [expect.anything()] })
  })

  test.each([
    ['/api/v1/entities?limit=0', 400, 'parameter_invalid', { in: 'query', parameter: 'limit' }],
    ['/api/v1/entities?limit=1001', 400, 'parameter_invalid', { in: 'query', parameter: 'limit' }],
    ['/api/v1/entities?blueprnt=x', 400, 'parameter_invalid', { in: 'query', parameter: 'blueprnt' }],
    ['/api/v1/entities?blueprint=%00', 400, 'parameter_invalid', { in: 'query', parameter: 'blueprint' }],
    ['/api/v1/entities?where=nonsense', 400, 'where_invalid', undefined],
    ['/api/v1/entities?cursor=AAAA', 400, 'cursor_invalid', undefined],
    ['/api/v1/entities?sort=x', 400, 'sort_invalid', undefined],
    ['/api/v1/entities?q=blueprint:service%20langauge:go', 400, 'query_invalid', undefined],
    ['/api/v1/entities/service/none', 404, 'entity_unknown', undefined],
    ['/api/v1/entities/service/acme/repository', 404, 'route_unknown', undefined],
    ['/api/v1/blueprints/none', 404, 'blueprint_unknown', undefined],
    ['/api/v1/records/github/repository/none', 404, 'record_unknown', undefined],
    ['/api/v1/held?state=maybe', 400, 'parameter_invalid', { in: 'query', parameter: 'state' }],
    ['/api/v1/deliveries/abc', 400, 'parameter_invalid', { in: 'path', parameter: 'id' }],
    ['/api/v2/nothing', 404, 'route_unknown', undefined],
    ['/%zz', 400, 'url_malformed', undefined],
  ])('%s', async (url, status, code, error) => {
    const answer = await get(url, { ...authorization, 'x-request-id': 'abc-1' })
    expect(answer.statusCode).toBe(status)
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(answer.headers['x-request-id']).toBe('abc-1')
    expect(answer.json()).toMatchObject({
      code,
      status,
      requestId: 'abc-1',
      ...(error === undefined ? {} : { errors: [error] }),
    })
    expect(answer.json().hint).toBeTypeOf('string')
  })

  test('an identifier with a slash is told how to be written', async () => {
    const { hint } = (await get('/api/v1/entities/service/acme/repository')).json()
    expect(hint).toContain('/api/v1/entities/service/acme%2Frepository')
  })

  test.each([
    ['{"q":', 400, 'body_malformed'],
    ['', 400, 'body_malformed'],
    ['{"__proto__":{"admin":true}}', 400, 'body_malformed'],
    ['{"constructor":{"prototype":{}}}', 400, 'body_malformed'],
    [`{"query":${'{"combinator":"and","rules":['.repeat(60)}${']}'.repeat(60)}}`, 400, 'body_too_deep'],
    [`{"query":${'{"combinator":"and","rules":['.repeat(20)}${']}'.repeat(20)}}`, 400, 'query_invalid'],
    [`[${'['.repeat(200_000)}`, 400, 'body_too_deep'],
    [`{"q":"${'x'.repeat(1_100_000)}"}`, 413, 'body_too_large'],
    ['{"query":{"combinator":"xor","rules":[]}}', 400, 'parameter_invalid'],
    [
      '{"query":{"combinator":"and","rules":[{"property":"x","operator":"=","value":"\\u0000"}]}}',
      400,
      'value_invalid',
    ],
  ])('a body %.40s', async (payload, status, code) => {
    const headers = { ...authorization, 'content-type': 'application/json' }
    const answer = await app.inject({ method: 'POST', url: '/api/v1/search', payload, headers })
    expect(answer.json()).toMatchObject({ status, code })
  })

  test('another type of body', async () => {
    const headers = { ...authorization, 'content-type': 'text/xml' }
    const answer = await app.inject({ method: 'POST', url: '/api/v1/search', payload: '<a/>', headers })
    expect(answer.json()).toMatchObject({ status: 415, code: 'media_type_unsupported' })
  })

  test('a request id that is no plain word is replaced', async () => {
    const answer = await get('/healthz', { 'x-request-id': 'a b\tc' })
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })
})
