import { Readable } from 'node:stream'
import type { Db } from '../catalog/db.ts'
import { createStore } from '../catalog/postgres-store.ts'
import type { Store } from '../catalog/store.ts'
import { compileMappings, parseBlueprints } from '../mapping/index.ts'
import type { Mappings } from '../model/mapping.ts'
import type { Connection, Json, Kind } from '../sdk/index.ts'
import { isObject } from '../sdk/index.ts'
import { commitPlan } from '../sync/commit.ts'
import type { Ports, SourceRuntime } from '../sync/engine.ts'
import { decideSeen, planWrite, readItem } from '../sync/observe.ts'
import { openSession } from '../sync/open-session.ts'
import { newPlan, planRemoval } from '../sync/plan.ts'
import { remap } from '../sync/remap.ts'
import { kindOf, type Session, settingsOf } from '../sync/session.ts'
import type { Observed } from './reference.ts'

const plain: Kind = {
  name: 'thing',
  coverage: 'complete',
  paging: 'stable',
  key: (item) => text(item, 'id') ?? '',
  version: (item) => text(item, 'version'),
  locator: (item) => ({ name: text(item, 'name') ?? '' }),
  canonical: (item) => item,
  partitions: () => Promise.resolve([{ name: 'all' }]),
  // What is seen is handed in.
  list: () => Readable.from([]),
}
const connection: Connection = {
  kinds: [plain],
  check: () => Promise.resolve({ identity: 'tester', fingerprint: 'all', missing: [] }),
}

function text(item: Json, field: string): string | undefined {
  const value = isObject(item) ? item[field] : undefined
  return typeof value === 'string' ? value : undefined
}

export interface Version {
  readonly mappings: Mappings
  readonly documents: readonly Json[]
  /** createMissingRelatedEntities */
  readonly missing: boolean
}

export function mappingsOf(blueprints: string, mapping: string): Version {
  const parsed = parseBlueprints('blueprints.yaml', blueprints)
  const { mappings, diagnostics, options } = compileMappings({
    file: 'mapping.yaml',
    text: mapping,
    blueprints: parsed.blueprints,
    kinds: ['thing'],
  })
  const wrong = [...parsed.diagnostics, ...diagnostics].filter(({ severity }) => severity === 'error')
  if (wrong.length > 0) throw new Error(JSON.stringify(wrong))
  // Blueprints are JSON by their type's own description.
  const documents = parsed.blueprints as unknown as readonly Json[]
  return { mappings, documents, missing: options.createMissingRelatedEntities === true }
}

/** Sources whose objects are handed in one by one and go the whole way through engine and store; nothing is listed. */
export class ReferenceRig {
  readonly db: Db
  readonly store: Store
  readonly #sessions = new Map<string, Session>()
  #order: readonly string[] = []

  constructor(db: Db, store: Store = createStore(db)) {
    this.db = db
    this.store = store
  }

  async order(sources: readonly string[]): Promise<void> {
    this.#order = sources
    for (const [precedence, name] of sources.entries())
      await this.store.saveSource({ name, integration: 'test', precedence })
  }

  /** Activates the version and maps again what is stored. */
  async map(source: string, version: Version): Promise<void> {
    const row = await this.store.saveSource({
      name: source,
      integration: 'test',
      precedence: this.#order.indexOf(source),
    })
    const settings = settingsOf({ holder: 'reference', applyPending: true })
    const fence = await this.store.acquireLease(`source:${source}`, 'reference', 3600)
    if (fence === undefined) throw new Error('the lease is held')
    const ports: Ports = {
      store: this.store,
      clock: { now: () => Date.UTC(2026, 0), sleep: () => Promise.resolve() },
      random: () => 0.5,
      log: () => undefined,
    }
    const runtime: SourceRuntime = {
      name: source,
      integration: 'test',
      connection,
      mappings: version.mappings,
      mappingContent: {
        file: 'mapping.yaml',
        mapping: version.mappings.hash,
        blueprints: version.documents,
        variables: {},
      },
      kinds: ['thing'],
      schedule: { scan: '*/30 * * * *', freshnessSeconds: 3600 },
      guard: { share: 1, minimum: 1_000_000 },
      precedence: this.#order.indexOf(source),
    }
    const { signal } = new AbortController()
    const session = await openSession({ ports, runtime, settings, source: row, fence, signal })
    const kind = kindOf(session, 'thing')
    kind.partitions.set('all', { row: await this.store.savePartition(fence, kind.id, 'all') })
    this.#sessions.set(source, session)
    await remap(session)
  }

  async observe({ source, key, version, body }: Observed): Promise<void> {
    const { session, kind, partition } = this.#at(source)
    const begin = await this.store.tick()
    const end = await this.store.tick()
    const seen = readItem(plain, key, body, version)
    await commitPlan(session, kind, async () => {
      const plan = newPlan({ type: 'get', reason: 'observed' })
      const stored = await this.store.record(kind.id, key)
      const where = { via: 'get', partition, span: { begin, end }, presences: [partition.row.id] } as const
      const decision = decideSeen(session, kind, seen, where, stored)
      if (decision.do === 'replace') planWrite(session, kind, plan, seen, where, stored)
      else if (decision.do !== 'unchanged') throw new Error(`${key}: ${decision.do}`)
      return plan
    })
  }

  async withdraw(source: string, key: string): Promise<void> {
    const { session, kind, partition } = this.#at(source)
    await commitPlan(session, kind, async () => {
      const plan = newPlan({ type: 'get', reason: 'gone' })
      const stored = await this.store.record(kind.id, key)
      const tick = await this.store.tick()
      const partitionId = partition.row.id
      const removal = { partitionId, span: { begin: tick, end: tick }, reason: 'get', signed: true } as const
      if (stored !== undefined) planRemoval(plan, stored, removal)
      return plan
    })
  }

  #at(source: string) {
    const session = this.#sessions.get(source)
    if (session === undefined) throw new Error(`${source} has no mapping`)
    const kind = kindOf(session, 'thing')
    const partition = kind.partitions.get('all')
    if (partition === undefined) throw new Error('there is no partition')
    return { session, kind, partition }
  }
}
