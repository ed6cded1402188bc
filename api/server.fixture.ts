import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { Db } from '../core/catalog/db.ts'
import { World } from '../core/catalog/query/world.fixture.ts'
import type { RawDelivery } from '../core/sdk/index.ts'
import type { Engine } from '../core/sync/engine.ts'
import { type FreshDatabase, freshDatabase } from '../core/testkit/database.ts'
import { buildServer, type ServerOptions } from './server.ts'

export const adminKey = 'test-admin-key-0123456789'
export const authorization = { authorization: `Bearer ${adminKey}` }

/** An engine that only notes what it was asked for; `deliver` is for the test to say. */
export class FakeEngine implements Engine {
  readonly sources: Engine['sources']
  readonly delivered: { readonly source: string; readonly delivery: RawDelivery }[] = []
  readonly requested: string[] = []
  woken = 0
  answer: () => ReturnType<Engine['deliver']> = async () => ({ outcome: 'accepted', id: 'd1', event: 'push' })

  constructor(sources: Engine['sources'] = []) {
    this.sources = sources
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  async deliver(source: string, delivery: RawDelivery): ReturnType<Engine['deliver']> {
    this.delivered.push({ source, delivery })
    return this.answer()
  }

  async requestScan(source: string, kind: string): Promise<void> {
    this.requested.push(`${source}/${kind}`)
  }

  wake(): void {
    this.woken += 1
  }
}

/** A source that is configured, with a mapping that selects nothing. */
export function configured(name: string, kinds: readonly string[]): Engine['sources'][number] {
  return {
    name,
    integration: name,
    connection: { kinds: [], check: async () => ({ identity: name, fingerprint: '', missing: [] }) },
    mappings: {
      hash: '',
      kinds,
      apply: () => [{ mapping: 'repository[0]', state: 'deselected', expression: '.archived | not' }],
    },
    mappingContent: { file: '', mapping: '', blueprints: [], variables: {} },
    kinds,
    schedule: { scan: '* * * * *', freshnessSeconds: 3600 },
    guard: { share: 0.25, minimum: 5 },
    precedence: 0,
  }
}

export function server(
  db: Db,
  engine: Engine,
  options: Partial<Omit<ServerOptions, 'db' | 'engine'>> = {},
): ReturnType<typeof buildServer> {
  return buildServer({
    db,
    engine,
    config: { adminKey, host: '127.0.0.1', port: 7100, objectives: { github: 3600 } },
    log: pino({ level: 'silent' }),
    ...options,
  })
}

/** A catalog of its own with a server on it, for one test. */
export async function freshServer(): Promise<{
  readonly database: FreshDatabase
  readonly world: World
  readonly app: FastifyInstance
  get(path: string): Promise<unknown>
  close(): Promise<void>
}> {
  const database = await freshDatabase()
  const app = await server(database.db, new FakeEngine())
  return {
    database,
    world: new World(database.db),
    app,
    async get(path) {
      const answer = await app.inject({ url: `/api/v1${path}`, headers: authorization })
      if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${answer.body}`)
      return answer.json()
    },
    async close() {
      await app.close()
      await database.drop()
    },
  }
}
