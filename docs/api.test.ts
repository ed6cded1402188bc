import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { FakeEngine, server } from '../api/server.fixture.ts'
import { freshDatabase } from '../core/testkit/database.ts'

const page = readFileSync(new URL('api.md', import.meta.url), 'utf8')
const base = '/api/v1'

test('api.md names every route by its method, and none that there is not', async () => {
  const database = await freshDatabase()
  const app = await server(database.db, new FakeEngine())
  try {
    const document = (await app.inject('/openapi.json')).json()
    const { paths } = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) }).parse(document)
    const routes = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, '{}')}`),
    )
    const named = [...page.matchAll(/`(GET|POST|PUT|PATCH|DELETE) (\/[^\s`?]+)/g)].map(
      ([, method, path = '']) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`,
    )
    expect(named.filter((route) => !routes.includes(route))).toEqual([])
    const needed = routes.filter((route) => route.includes(` ${base}/`) || route.includes(' /webhooks/'))
    expect(needed.length).toBeGreaterThan(30)
    expect(needed.filter((route) => !named.includes(route))).toEqual([])
  } finally {
    await app.close()
    await database.drop()
  }
})
