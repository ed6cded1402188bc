import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Db } from '../catalog/db.ts'
import { createStore } from '../catalog/postgres-store.ts'
import { listEntities } from '../catalog/query/entities.ts'
import type { Store } from '../catalog/store.ts'
import { wrapped } from '../catalog/wrapped.fixture.ts'
import { isQuery } from '../model/entity.ts'
import { type FreshDatabase, freshDatabase } from './database.ts'
import { Reference } from './reference.ts'
import { mappingsOf, ReferenceRig } from './reference-rig.ts'
import { blueprints, type Op, operations, targets, versions } from './reference-world.fixture.ts'
import { Replay, replayFeed } from './replay.ts'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())

const sources = ['alpha', 'beta'] as const
const compiled = versions.map((text) => mappingsOf(blueprints, text))
const counts: Record<Op['type'], number> = { observe: 0, rename: 0, withdraw: 0, map: 0, order: 0 }

/** One world after the other in one database; the mapping versions of the first stay. */
const empty = `TRUNCATE bodies, records, presences, contributions, wanted, entities, refs, searches, dangling, aliases, former_aliases, changes, change_batches;
  UPDATE kinds SET live = 0; DELETE FROM guard_hours; UPDATE feed SET next = 1, moment = NULL; UPDATE settling SET seq = 0`

type Planting = (db: Db) => { readonly db: Db; readonly store?: (store: Store) => Store }
const nothing: Planting = (db) => ({ db })

async function play(ops: readonly Op[], planting: Planting = nothing): Promise<void> {
  await database.db.query(empty)
  const { db, store = (inner: Store) => inner } = planting(database.db)
  const last = store(createStore(db))
  const rig = new ReferenceRig(db, last)
  const reference = new Reference(['tags', 'uses'], targets)
  const objects = new Map<string, Record<string, unknown>>()
  let version = 100
  const map = async (source: string, index: number): Promise<void> => {
    const chosen = compiled[index] ?? compiled[0]
    if (chosen === undefined) return
    await rig.map(source, chosen)
    reference.map(source, chosen.mappings, chosen.missing)
  }
  await rig.order(sources)
  reference.order(sources)
  for (const source of sources) await map(source, 0)
  for (const op of ops) {
    // Now and then, so that searches are answered early and again.
    if (counts.observe % 3 === 0) await last.sequence().then(() => last.settleRelations())
    if (op.type === 'map') await map(op.source, op.version)
    else if (op.type === 'order') {
      await rig.order(op.sources)
      reference.order(op.sources)
    } else {
      const at = op.type === 'observe' ? [op.source, op.key] : [...objects.keys()][op.pick % objects.size]?.split(' ')
      const [source, key] = at ?? []
      if (source === undefined || key === undefined) continue
      if (op.type === 'withdraw') {
        objects.delete(`${source} ${key}`)
        await rig.withdraw(source, key)
        reference.withdraw({ source, kind: 'thing', key })
      } else {
        const body = { ...(op.type === 'rename' ? objects.get(`${source} ${key}`) : {}), ...op.body, id: key }
        objects.set(`${source} ${key}`, body)
        version += 1
        const own = key < 'k3' ? String(version) : undefined
        const said = JSON.parse(JSON.stringify({ ...body, version: own }))
        const observed = { source, kind: 'thing', key, version: own, body: said }
        await rig.observe(observed)
        reference.observe(observed)
      }
    }
    counts[op.type] += 1
  }
  await last.sequence()
  while ((await last.settleRelations()) > 0);
  await compare(reference)
}

async function compare(reference: Reference): Promise<void> {
  const { items } = await listEntities(database.db, { limit: 1000 })
  const led = (target: string, said: string) => reference.targetOf(`${target}:${said}`) ?? `${target}:${said}`
  const expected = [...reference.entities].map(([name, { stub, title, team, properties, relations }]) => {
    const shown = Object.entries({ ...targets.service, ...targets.team }).flatMap(([relation, target]) => {
      const said = relations[relation]
      if (typeof said === 'string') return [[relation, led(target, said)]]
      if (Array.isArray(said)) return [[relation, said.map((each: string) => led(target, each))]]
      if (said === undefined || !isQuery(said)) return []
      const found = reference.found(target, said)
      return [[relation, relation === 'peers' ? found : found.length === 1 ? found[0] : null]]
    })
    return [name, { stub, title, team, properties, relations: Object.fromEntries(shown) }]
  })
  const found = items.map(({ reference: name, stub, title, team, properties, relations }) => [
    name,
    { stub, title, team, properties, relations },
  ])
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected))
  const replay = new Replay()
  await replayFeed(database.db, replay)
  const replayed = [...replay.entities].map(([name, { stub = false, title, team, properties, relations }]) => [
    name,
    { stub, title, team, properties, relations },
  ])
  const said = [...reference.entities].map(([name, { stub = false, title, team, properties, relations }]) => [
    name,
    { stub, title, team, properties, relations },
  ])
  expect(Object.fromEntries(replayed)).toEqual(Object.fromEntries(said))
}

const runs = { numRuns: 16, seed: 20261129, endOnFailure: true }
const property = (planting?: Planting) => fc.asyncProperty(operations, (ops) => play(ops, planting))

describe('any sequence of observations, renames, withdrawals, mapping and precedence changes', () => {
  test('ends in the catalog that the reference makes, and so does the feed read from its start', async () => {
    await fc.assert(property(), runs)
    for (const [type, count] of Object.entries(counts)) expect(count, type).toBeGreaterThan(100)
  }, 300_000)

  const plants: Record<string, Planting> = {
    'a withdrawn contribution is kept': (db) => ({
      db,
      store: (inner) => ({
        ...inner,
        commit: async (batch) =>
          inner.commit({
            ...batch,
            writes: await Promise.all(
              (batch.writes ?? []).map(async (write) => {
                const stored = await inner.record(batch.kindId, write.key)
                const now = new Set(write.drafts.map(({ mapping, item }) => `${mapping} ${item}`))
                const kept = stored?.state === 'live' ? stored.drafts : []
                return {
                  ...write,
                  drafts: [...write.drafts, ...kept.filter(({ mapping, item }) => !now.has(`${mapping} ${item}`))],
                }
              }),
            ),
          }),
      }),
    }),
    'a reference is not resolved again': (db) => ({
      db: wrapped(db, {
        rewrite: (text) =>
          text.includes('INSERT INTO aliases') ? 'SELECT $1::text[], $2::text[], $3::int8[], $4::int8[]' : text,
      }),
    }),
    'a search is not answered again': (db) => ({
      db: wrapped(db, {
        rewrite: (text) =>
          text.includes('UPDATE searches SET due = true') ? 'SELECT $1::bigint[], $2::bigint[]' : text,
      }),
    }),
    'a stub is kept when nothing refers to it any more': (db) => ({
      db: wrapped(db, {
        rewrite: (text) => text.replace('w.record_id <> ALL ($4::int8[])', '$4::int8[] IS NOT NULL'),
      }),
    }),
    'precedence goes by arrival': (db) => ({
      db: wrapped(db, {
        rewrite: (text) =>
          text.includes('lock:kind')
            ? text.replace('s.precedence', '(-(SELECT last_value FROM tick))::int AS precedence')
            : text.replaceAll(/s\.precedence, (true|false)/g, '(-r.end_tick)::int AS precedence, $1'),
      }),
    }),
  }
  for (const [name, planting] of Object.entries(plants)) {
    test(`would show that ${name}`, async () => {
      const { failed } = await fc.check(property(planting), runs)
      expect(failed).toBe(true)
    }, 300_000)
  }
})
