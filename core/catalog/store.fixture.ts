import { hash } from 'node:crypto'
import type { EntityDraft } from '../model/entity.ts'
import type { Json } from '../model/json.ts'
import type { FreshDatabase } from '../testkit/database.ts'
import { freshDatabase } from '../testkit/database.ts'
import type { Batch, Fence, PageWrite, RecordWrite, Removal } from './batch.ts'
import type { Db } from './db.ts'
import { createStore } from './postgres-store.ts'
import type { Store } from './store.ts'
import type { StoredRecord } from './stored.ts'

export const now = Date.UTC(2026, 10, 28, 12)

const blueprints: readonly Json[] = [
  {
    identifier: 'service',
    schema: { properties: { language: {}, note: {} } },
    relations: { owner: { target: 'team' }, uses: { target: 'service', many: true } },
    searchable: ['note'],
  },
  { identifier: 'team', schema: { properties: {} }, relations: {} },
]

export type Said = Partial<EntityDraft> & {
  readonly identifier: string
  readonly owning?: boolean
  readonly item?: string
  readonly mapping?: string
}

/** One source, one kind, one partition, one lease: enough to commit. */
export interface World {
  readonly db: Db
  readonly store: Store
  readonly sourceId: number
  readonly kindId: number
  readonly partitionId: number
  readonly mappingId: number
  readonly fence: Fence
  commit(batch: Partial<Batch>): ReturnType<Store['commit']>
  /** What the record says now; drafts as given. Takes a new span, and `expected` from the store. */
  write(
    key: string,
    drafts: readonly Said[],
    more?: Partial<RecordWrite> & { readonly hash?: string },
  ): Promise<RecordWrite>
  /** Decides and commits at once. */
  say(key: string, drafts: readonly Said[], more?: Partial<RecordWrite>): ReturnType<Store['commit']>
  removal(key: string, more?: Partial<Removal>): Promise<Removal>
  remove(key: string, more?: Partial<Removal>): ReturnType<Store['commit']>
  stored(key: string): Promise<StoredRecord>
  page(scan: bigint, number: number, more: Partial<PageWrite>): Promise<PageWrite>
  /** Of a page that shows these records as they are stored. */
  seen(keys: readonly string[]): Promise<Pick<PageWrite, 'keys' | 'hashes' | 'known' | 'asOf' | 'seal'>>
  span(): Promise<{ begin: bigint; end: bigint }>
}

export function draft(said: Said): EntityDraft {
  return { blueprint: 'service', title: null, team: [], properties: {}, relations: {}, failed: [], ...said }
}

export async function openWorld(
  db: Db,
  { name = 'github', precedence = 0 }: { name?: string; precedence?: number } = {},
): Promise<World> {
  const store = createStore(db)
  const source = await store.saveSource({ name, integration: 'test', precedence })
  const mappingId = await store.activateMapping(source.id, { hash: `${name} 1`, content: {}, blueprints })
  const { id: kindId } = await store.kind(source.id, 'repository')
  const { id: partitionId } = await store.savePartition(undefined, kindId, 'acme')
  const fence = await store.acquireLease(`source:${name}`, 'test', 3600)
  if (fence === undefined) throw new Error('the lease is taken')

  const span = async () => ({ begin: await store.tick(), end: await store.tick() })
  const stored = async (key: string) => {
    const record = await store.record(kindId, key)
    if (record === undefined) throw new Error(`${key} is not stored`)
    return record
  }
  const world: World = {
    db,
    store,
    sourceId: source.id,
    kindId,
    partitionId,
    mappingId,
    fence,
    span,
    stored,
    commit: (batch) =>
      store.commit({
        sourceId: source.id,
        kindId,
        fence,
        mappingId,
        cause: { type: 'get', reason: 'test' },
        now,
        ...batch,
      }),
    async write(key, drafts, more = {}) {
      const record = await store.record(kindId, key)
      const body = JSON.stringify(drafts)
      return {
        key,
        ...(record && { expected: { id: record.id, hash: record.hash, end: record.span.end, state: record.state } }),
        version: undefined,
        hash: hash('md5', body, 'hex'),
        body,
        locator: { name: key },
        span: await span(),
        presences: [partitionId],
        drafts: drafts.map((said, index) => ({
          mapping: said.mapping ?? 'repository',
          item: said.item ?? String(index),
          owning: said.owning ?? true,
          draft: draft(said),
        })),
        quarantined: [],
        ...more,
      }
    },
    say: async (key, drafts, more) => world.commit({ writes: [await world.write(key, drafts, more)] }),
    async removal(key, more = {}) {
      const record = await stored(key)
      const confirmed = record.presences.find((each) => each.partitionId === (more.partitionId ?? partitionId))?.span
        .end
      return {
        recordId: record.id,
        partitionId,
        confirmed: confirmed ?? 0n,
        span: await span(),
        reason: 'absent',
        ...more,
      }
    },
    remove: async (key, more) => world.commit({ removals: [await world.removal(key, more)] }),
    async seen(keys) {
      const hashes = (await Promise.all(keys.map(stored))).map((record) => record.hash)
      const items = { keys, hashes: Buffer.from(hashes.join(''), 'hex') }
      const { same, asOf } = await store.compare(kindId, partitionId, mappingId, items, true)
      const seal = hash('md5', keys.join() + hashes.join(), 'buffer')
      return { ...items, known: same, asOf, seal }
    },
    page: async (scan, number, more) => ({
      scan,
      page: number,
      cursor: String(number),
      span: await span(),
      keys: [],
      hashes: Buffer.alloc(0),
      known: new Map(),
      counts: { items: more.keys?.length ?? 0, changed: 0, failed: 0 },
      ...more,
    }),
  }
  return world
}

export async function freshWorld(): Promise<World & { readonly database: FreshDatabase }> {
  const database = await freshDatabase()
  return { ...(await openWorld(database.db)), database }
}

export interface LiveEntity {
  readonly id: string
  readonly name: string
  readonly title: string | null
  readonly properties: Json
  readonly relations: Json
  readonly revision: string
}

/** Those that readers see, by name. */
export async function liveEntities(db: Db): Promise<readonly LiveEntity[]> {
  const { rows } = await db.query<LiveEntity>(
    `SELECT id, blueprint || ':' || identifier AS name, title, properties, relations, revision
     FROM entities WHERE deleted IS NULL AND NOT stub ORDER BY blueprint, identifier`,
  )
  return rows
}
