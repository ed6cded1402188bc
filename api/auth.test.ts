import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { World } from '../core/catalog/query/world.fixture.ts'
import { type FreshDatabase, freshDatabase } from '../core/testkit/database.ts'
import { adminKey, authorization, FakeEngine, server } from './server.fixture.ts'

let database: FreshDatabase
let app: FastifyInstance
const engine = new FakeEngine()
const elsewhere = '192.0.2.7'

beforeAll(async () => {
  database = await freshDatabase()
  app = await server(database.db, engine)
  const world = new World(database.db)
  await world.see('github', 'repository', [{ key: '1', entities: [{ blueprint: 'service', identifier: 'a' }] }])
  await world.hold('github', 'repository', ['1'])
})

afterAll(async () => {
  await app.close()
  await database.drop()
})

async function session(): Promise<string> {
  const answer = await app.inject(`/?token=${app.loginToken()}`)
  expect(answer.statusCode).toBe(200)
  return String(answer.headers['set-cookie']).split(';')[0] ?? ''
}

describe('who gets in', () => {
  test.each(['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs'])(
    '%s: this machine, others with the key',
    async (url) => {
      const status = async (options: object): Promise<number> => (await app.inject({ url, ...options })).statusCode
      expect(await status({})).not.toBe(401)
      expect(await status({ remoteAddress: elsewhere })).toBe(401)
      expect(await status({ remoteAddress: elsewhere, headers: authorization })).not.toBe(401)
      // A tunnel or proxy on this machine speaks for somebody else.
      expect(await status({ headers: { 'x-forwarded-for': elsewhere } })).toBe(401)
      expect(await status({ headers: { host: 'evil.example' } })).toBe(401)
    },
  )

  test('everything else needs a key', async () => {
    const routes = [
      'entities',
      'sources',
      'scans',
      'held',
      'quarantine',
      'deliveries',
      'records',
      'changes',
      'explain',
      'blueprints',
    ]
    for (const route of routes) {
      const answer = await app.inject(`/api/v1/${route}`)
      expect(answer.statusCode, route).toBe(401)
      expect(answer.headers['www-authenticate']).toContain('Bearer')
      expect(answer.json()).toMatchObject({ code: 'unauthenticated' })
    }
    const { paths } = (await app.inject({ url: '/openapi.json' })).json<{ paths: Record<string, object> }>()
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase(), url: path.replaceAll(/\{\w+\}/gu, '1') })),
    )
    expect(documented.length).toBeGreaterThan(routes.length)
    for (const { method, url } of documented.filter((route) => route.url.startsWith('/api/'))) {
      const payload = method === 'GET' ? {} : { payload: {} }
      // The method is one of OpenAPI's, which inject knows as well.
      const answer = await app.inject({ method: method as 'GET', url, ...payload })
      expect([method, url, answer.statusCode]).toEqual([method, url, 401])
    }
    const posts = ['search', 'scans', 'held/approve', 'held/1/approve', 'deliveries/1/replay']
    for (const route of posts) {
      expect((await app.inject({ method: 'POST', url: `/api/v1/${route}`, payload: {} })).statusCode, route).toBe(401)
    }
  })

  test.each(['wrong', '', `${adminKey}x`, adminKey.slice(1)])('a wrong key %j', async (key) => {
    const answer = await app.inject({ url: '/api/v1/entities', headers: { authorization: `Bearer ${key}` } })
    expect(answer.statusCode).toBe(401)
    expect(answer.body).not.toContain(adminKey)
  })

  test('a wrong key does not fall back to a session', async () => {
    const headers = { cookie: await session(), authorization: 'Bearer wrong' }
    expect((await app.inject({ url: '/api/v1/entities', headers })).statusCode).toBe(401)
  })
})

describe('browser sessions', () => {
  test('a token works once, on pages only', async () => {
    const token = app.loginToken()
    expect((await app.inject(`/api/v1/entities?token=${token}`)).statusCode).toBe(401)
    const first = await app.inject(`/?token=${token}`)
    expect(first.statusCode).toBe(200)
    expect(first.headers['set-cookie']).toMatch(
      /^catchment_session_7100=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
    )
    const second = await app.inject(`/?token=${token}`)
    expect(second.statusCode).toBe(401)
    expect(second.headers['set-cookie']).toBeUndefined()
    expect(second.body).toContain('used before')
  })

  test('a cookie reads, and changes only from this origin', async () => {
    const cookie = await session()
    expect((await app.inject({ url: '/api/v1/entities', headers: { cookie } })).statusCode).toBe(200)
    const change = async (headers: object): Promise<number> =>
      (
        await app.inject({
          method: 'POST',
          url: '/api/v1/held/reject',
          payload: { source: 'none' },
          headers: { cookie, ...headers },
        })
      ).statusCode
    expect(await change({})).toBe(403)
    expect(await change({ origin: 'https://evil.example' })).toBe(403)
    expect(await change({ origin: 'null' })).toBe(403)
    expect(await change({ 'sec-fetch-site': 'cross-site', origin: 'http://localhost:80' })).toBe(403)
    expect(await change({ 'sec-fetch-site': 'same-site' })).toBe(403)
    expect(await change({ 'sec-fetch-site': 'same-origin' })).toBe(200)
    expect(await change({ origin: 'http://localhost:80', host: 'localhost' })).toBe(200)
  })

  test('a cookie of another process or of nobody', async () => {
    const cookie = 'catchment_session_7100=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    expect((await app.inject({ url: '/', headers: { cookie } })).statusCode).toBe(401)
    expect((await app.inject({ url: '/', headers: { cookie: 'catchment_session_7100=' } })).statusCode).toBe(401)
  })

  test('the login form takes the key, from this origin only', async () => {
    const login = async (key: string, headers: object) =>
      app.inject({
        method: 'POST',
        url: '/login',
        payload: `key=${encodeURIComponent(key)}`,
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      })
    const here = { 'sec-fetch-site': 'same-origin' }
    expect((await app.inject('/')).body).toContain('action="/login"')
    expect((await login('wrong', here)).statusCode).toBe(401)
    expect((await login(adminKey, { origin: 'https://evil.example' })).statusCode).toBe(403)
    const entered = await login(adminKey, here)
    expect(entered.statusCode).toBe(303)
    const cookie = String(entered.headers['set-cookie']).split(';')[0] ?? ''
    expect((await app.inject({ url: '/', headers: { cookie } })).statusCode).toBe(200)
  })
})
