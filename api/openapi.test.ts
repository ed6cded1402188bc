import { Validator } from '@seriousme/openapi-schema-validator'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../core/testkit/database.ts'
import { FakeEngine, server } from './server.fixture.ts'

let database: FreshDatabase
let app: FastifyInstance

interface Operation {
  readonly summary?: string
  readonly tags?: readonly string[]
  readonly responses: Readonly<Record<string, unknown>>
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> }
}

let document: Document

beforeAll(async () => {
  database = await freshDatabase()
  app = await server(database.db, new FakeEngine())
  document = (await app.inject('/openapi.json')).json()
})

afterAll(async () => {
  await app.close()
  await database.drop()
})

test('it is valid OpenAPI 3.1', async () => {
  const result = await new Validator().validate({ ...structuredClone(document) })
  expect(result).toMatchObject({ valid: true })
  expect(document.openapi).toBe('3.1.0')
})

test('the validator would say so', async () => {
  const wrong = structuredClone(document)
  Object.assign(wrong.paths, { '/x': { get: { responses: { 200: { content: 7 } } } } })
  expect((await new Validator().validate({ ...wrong })).valid).toBe(false)
})

test('every reference leads somewhere', () => {
  const targets = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? '')
  expect(targets.length).toBeGreaterThan(10)
  for (const target of targets) {
    expect(document.components.schemas, target).toHaveProperty([target.replace('#/components/schemas/', '')])
  }
})

test('every operation says what it does and how it fails', () => {
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const name = `${method} ${path}`
      expect(operation.summary, name).toBeTypeOf('string')
      expect(operation.tags, name).toHaveLength(1)
      expect(
        Object.keys(operation.responses).some((status) => status.startsWith('2')),
        name,
      ).toBe(true)
      if (path.startsWith('/api/')) expect(operation.responses, name).toHaveProperty('4XX')
      for (const [, parameter] of path.matchAll(/\{(\w+)\}/g)) {
        expect(operation.parameters, name).toContainEqual(expect.objectContaining({ name: parameter, in: 'path' }))
      }
    }
  }
})

test('routes that users depend on', () => {
  const paths = Object.keys(document.paths)
  const wanted = ['entities', 'entities/{blueprint}/{identifier}', 'search', 'blueprints', 'sources', 'scans', 'held']
  for (const name of [...wanted, 'held/{id}/approve', 'quarantine', 'deliveries', 'records', 'changes', 'explain']) {
    expect(paths).toContain(`/api/v1/${name}`)
  }
  expect(paths).toEqual(expect.arrayContaining(['/webhooks/{source}', '/healthz', '/readyz', '/metrics']))
  expect(paths.filter((path) => /^\/(docs|entities|held|assets|$)/.test(path))).toEqual([])
})

test('the explorer works without the network', async () => {
  const page = await app.inject('/docs/')
  expect(page.statusCode).toBe(200)
  const resources = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '')
  expect(resources.length).toBeGreaterThan(3)
  for (const resource of resources) {
    const url = new URL(resource, 'http://localhost/docs/')
    expect(url.hostname).toBe('localhost')
    expect((await app.inject(url.pathname)).statusCode, resource).toBe(200)
  }
  const policy = String(page.headers['content-security-policy'])
  expect(policy).toContain("default-src 'self'")
  expect(policy).not.toMatch(/https:|upgrade-insecure/)
})
