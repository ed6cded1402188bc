import { Validator } from '@seriousme/openapi-schema-validator'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
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

/** `METHOD /path/{parameter}` of everything that the server answers, read from its own tree. */
function registered(): readonly string[] {
  const found: string[] = []
  const parents: string[] = []
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent, part, methods] = /^([│ ]*)[├└]── (.*?)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? []
    if (indent === undefined || part === undefined) continue
    const depth = indent.length / 4
    const path = `${depth === 0 ? '' : (parents[depth - 1] ?? '')}${part}`
    parents[depth] = path
    for (const method of methods?.split(', ') ?? [])
      found.push(`${method} ${path.replaceAll(/:(\w+)/g, '{$1}').replace(/(.)\/$/, '$1')}`)
  }
  return [...new Set(found)]
}

test('every route of the API is in it, and nothing else', () => {
  const described = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const ours = registered().filter((route) => / \/(?:api|webhooks)\//.test(route) && !/^(?:HEAD|OPTIONS) /.test(route))
  expect(ours.length).toBeGreaterThan(30)
  expect(ours.toSorted()).toEqual(described.filter((route) => / \/(?:api|webhooks)\//.test(route)).toSorted())
})

test('every answer has a schema: of what it is, or of the problem', () => {
  const contents = z.object({ content: z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) })) })
  for (const [path, operations] of Object.entries(document.paths)) {
    if (!path.startsWith('/api/')) continue
    for (const [method, { responses }] of Object.entries(operations)) {
      for (const [status, response] of Object.entries(responses)) {
        const { content } = contents.parse(response, { reportInput: true })
        const types = Object.keys(content)
        const name = `${method} ${path} ${status}`
        if (/^[45]/.test(status)) expect(types, name).toEqual(['application/problem+json'])
        else expect(types.length, name).toBeGreaterThan(0)
        for (const { schema } of Object.values(content)) expect(Object.keys(schema), name).not.toEqual([])
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
