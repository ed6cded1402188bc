import { createHash } from 'node:crypto'
import type { Blueprint } from '../../model/blueprint.ts'
import type { EntityDraft, Relation } from '../../model/entity.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import type { Cause, Fence, RecordWrite } from '../batch.ts'
import type { Db } from '../db.ts'
import { createStore } from '../postgres-store.ts'
import type { Store } from '../store.ts'

/** An observed raw object and what a mapping made of it. Several with one key: the last one counts. */
export interface Seen {
  readonly key: string
  readonly locator?: JsonObject
  readonly body?: Json
  readonly version?: string
  readonly partition?: string
  readonly entities?: readonly {
    readonly blueprint: string
    readonly identifier: string
    readonly title?: string
    readonly team?: readonly string[]
    readonly properties?: JsonObject
    readonly relations?: Readonly<Record<string, Relation>>
    readonly failed?: readonly Problem[]
    readonly owning?: boolean
  }[]
  readonly quarantined?: readonly Problem[]
}

export const blueprints: readonly (Blueprint & JsonObject)[] = [
  {
    identifier: 'service',
    title: 'Service',
    schema: { properties: { language: { type: 'string' }, stars: { type: 'number' }, topics: { type: 'array' } } },
    relations: { owner: { target: 'team' }, uses: { target: 'service', many: true } },
    searchable: ['language'],
  },
  { identifier: 'team', title: 'Team', schema: { properties: {} }, relations: {} },
]

/** A catalog made through the real store, with the few things that reading needs: no engine, no mapping language. */
export class World {
  readonly store: Store
  readonly db: Db
  now = Date.parse('2026-11-28T12:00:00Z')
  readonly #sources = new Map<string, { id: number; mapping: number; fence: Fence }>()

  readonly #blueprints: readonly (Blueprint & JsonObject)[]

  constructor(db: Db, shapes: readonly (Blueprint & JsonObject)[] = blueprints) {
    this.db = db
    this.#blueprints = shapes
    this.store = createStore(db)
  }

  async source(name: string, integration = 'github'): Promise<{ id: number; mapping: number; fence: Fence }> {
    const known = this.#sources.get(name)
    if (known !== undefined) return known
    const { id } = await this.store.saveSource({ name, integration, precedence: this.#sources.size })
    const shapes = this.#blueprints
    const content = { file: 'mapping.yaml', mapping: '', blueprints: shapes, variables: {} }
    const mapping = await this.store.activateMapping(id, { hash: `hash of ${name}`, content, blueprints: shapes })
    const fence = await this.store.acquireLease(`source:${name}`, 'world', 3600)
    if (fence === undefined) throw new Error(`the lease of ${name} is taken`)
    const made = { id, mapping, fence }
    this.#sources.set(name, made)
    return made
  }

  /** Commits observations and gives them their place in the feed. */
  async see(source: string, kind: string, seen: readonly Seen[], cause?: Cause): Promise<void> {
    const { id, mapping, fence } = await this.source(source)
    const { id: kindId } = await this.store.kind(id, kind)
    const begin = await this.store.tick()
    const writes: RecordWrite[] = []
    for (const one of seen) {
      const { id: partition } = await this.store.savePartition(undefined, kindId, one.partition ?? 'acme')
      const stored = await this.store.record(kindId, one.key)
      const body = JSON.stringify(one.body ?? { ...one.locator, entities: one.entities ?? [] })
      writes.push({
        key: one.key,
        ...(stored === undefined
          ? {}
          : { expected: { id: stored.id, hash: stored.hash, end: stored.span.end, state: stored.state } }),
        version: one.version,
        hash: createHash('md5').update(body).digest('hex'),
        body,
        locator: one.locator ?? {},
        span: { begin, end: await this.store.tick() },
        presences: [partition],
        drafts: (one.entities ?? []).map((entity, index) => ({
          mapping: `${kind}[0]`,
          item: String(index),
          owning: entity.owning ?? true,
          draft: draft(entity),
        })),
        quarantined: (one.quarantined ?? []).map((problem, index) => ({
          mapping: problem.mapping,
          item: String(index),
          problem,
        })),
      })
    }
    const by = cause ?? { type: 'get', reason: 'test' }
    await this.store.commit({ sourceId: id, kindId, fence, mappingId: mapping, cause: by, now: this.now, writes })
    await this.store.sequence()
  }

  async remove(source: string, kind: string, key: string, reason: 'absent' | 'gone' | 'get' = 'gone'): Promise<void> {
    const { id, mapping, fence } = await this.source(source)
    const { id: kindId } = await this.store.kind(id, kind)
    const stored = await this.stored(kindId, key)
    const removals = stored.presences.map((presence) => ({
      recordId: stored.id,
      partitionId: presence.partitionId,
      confirmed: presence.span.end,
      span: { begin: presence.span.end, end: presence.span.end + 1n },
      reason,
    }))
    const cause: Cause = { type: 'delivery', delivery: 'd-1', event: `${kind}.deleted` }
    await this.store.commit({ sourceId: id, kindId, fence, mappingId: mapping, cause, now: this.now, removals })
    await this.store.sequence()
  }

  async hold(source: string, kind: string, keys: readonly string[]): Promise<void> {
    const { id, mapping, fence } = await this.source(source)
    const { id: kindId } = await this.store.kind(id, kind)
    const holds = []
    for (const key of keys) {
      const stored = await this.stored(kindId, key)
      const [presence] = stored.presences
      if (presence === undefined) throw new Error(`${key} is nowhere`)
      holds.push({
        recordId: stored.id,
        partitionId: presence.partitionId,
        what: 'presence',
        reason: 'A scan listed 2 of 40.',
      })
    }
    const cause: Cause = { type: 'get', reason: 'test' }
    await this.store.commit({ sourceId: id, kindId, fence, mappingId: mapping, cause, now: this.now, holds })
  }

  /** A scan of one partition that ends as told, without changing any record. */
  async scan(
    source: string,
    kind: string,
    partition: string,
    end: 'complete' | 'incomplete' | 'running' | 'parked',
    at = this.now,
  ): Promise<bigint> {
    const { id, fence } = await this.source(source)
    const { id: kindId } = await this.store.kind(id, kind)
    const { id: partitionId } = await this.store.savePartition(undefined, kindId, partition)
    const scan = await this.store.beginScan(fence, { partitionId, fingerprint: 'f', now: at })
    if (end === 'complete') await this.store.completeScan(fence, scan.id, at)
    if (end === 'incomplete') {
      await this.store.setScan(fence, scan.id, { state: 'incomplete', reason: 'page 3 was HTML', ended: at })
    }
    if (end === 'parked') await this.store.setScan(fence, scan.id, { state: 'parked', parkedUntil: at + 600_000 })
    return scan.id
  }

  private async stored(kindId: number, key: string): Promise<NonNullable<Awaited<ReturnType<Store['record']>>>> {
    const stored = await this.store.record(kindId, key)
    if (stored === undefined) throw new Error(`there is no record ${key}`)
    return stored
  }
}

function draft(entity: NonNullable<Seen['entities']>[number]): EntityDraft {
  return {
    blueprint: entity.blueprint,
    identifier: entity.identifier,
    title: entity.title ?? null,
    team: entity.team ?? [],
    properties: entity.properties ?? {},
    relations: entity.relations ?? {},
    failed: entity.failed ?? [],
  }
}
