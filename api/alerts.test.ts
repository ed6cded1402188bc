import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { World } from '../core/catalog/query/world.fixture.ts'
import { type FreshDatabase, freshDatabase } from '../core/testkit/database.ts'
import { authorization, configured, FakeEngine, server } from './server.fixture.ts'

const rules = z
  .object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.object({ alert: z.string(), expr: z.string(), annotations: z.record(z.string(), z.string()) }),
        ),
      }),
    ),
  })
  .parse(parse(readFileSync(new URL('../deploy/alerts.yaml', import.meta.url), 'utf8')))
  .groups.flatMap((group) => group.rules)

let database: FreshDatabase
let app: FastifyInstance
let world: World

beforeAll(async () => {
  database = await freshDatabase()
  world = new World(database.db)
  app = await server(database.db, new FakeEngine([configured('github', ['repository'])]), {
    now: () => world.now + 40_000,
  })
  await world.see('github', 'repository', [{ key: '1' }, { key: '2', partition: 'acme-labs' }])
  await world.scan('github', 'repository', 'acme', 'complete')
  await world.hold('github', 'repository', ['1'])
  await world.source('unlisted')
})

afterAll(async () => {
  await app.close()
  await database.drop()
})

async function metrics(): Promise<string> {
  return (await app.inject({ url: '/metrics', headers: authorization })).body
}

test('every metric and label that an alert names is there', async () => {
  const text = await metrics()
  expect(rules.length).toBeGreaterThan(8)
  for (const { alert, expr, annotations } of rules) {
    const names = [...expr.matchAll(/\bcatchment_\w+/g)].map(([name]) => name)
    if (names.length === 0) expect(expr, alert).toContain('up{')
    for (const name of names) {
      const series = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      expect(series.length, `${alert}: ${name}`).toBeGreaterThan(0)
      const labels = [
        ...Object.values(annotations)
          .join(' ')
          .matchAll(/\$labels\.(\w+)/g),
      ].map(([, label]) => label)
      for (const label of labels) expect(series.join(), `${alert}: ${label}`).toContain(`${label}="`)
    }
  }
})

test('unknown is a number of its own, and never that of fresh', async () => {
  const text = await metrics()
  for (const line of [
    'catchment_freshness{source="github",kind="repository",partition="acme"} 1',
    'catchment_freshness{source="github",kind="repository",partition="acme-labs"} -1',
    'catchment_partitions{source="github",kind="repository",freshness="fresh"} 1',
    'catchment_partitions{source="github",kind="repository",freshness="stale"} 0',
    'catchment_partitions{source="github",kind="repository",freshness="unknown"} 1',
    'catchment_freshness_objective_seconds{source="github",kind="repository"} 3600',
    'catchment_held_pending{source="github",kind="repository"} 1',
    'catchment_catalog_readable 1',
  ])
    expect(text).toContain(line)
})

test('while the database cannot be read nothing goes on to say that all is well', async () => {
  const broken = await server({ ...database.db, query: () => Promise.reject(new Error('away')) }, new FakeEngine())
  const text = (await broken.inject({ url: '/metrics', headers: authorization })).body
  expect(text).toContain('catchment_catalog_readable 0')
  expect(text).not.toMatch(/^catchment_(freshness|partitions|held_pending)\{/m)
  expect(text).toContain('process_cpu_seconds_total')
  await broken.close()
})
