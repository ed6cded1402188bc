import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Fence } from './batch.ts'
import { FenceLost } from './refusals.ts'
import { freshWorld, now, openWorld, type World } from './store.fixture.ts'
import type { Store } from './store.ts'

let world: Awaited<ReturnType<typeof freshWorld>>
beforeAll(async () => {
  world = await freshWorld()
})
afterAll(() => world.database.drop())

type Write = (at: World, fence: Fence) => Promise<unknown>

/** Every write that is made under a lease, and how. */
const fenced: Partial<Record<keyof Store, Write>> = {
  commit: async (at, fence) => at.commit({ fence, requestedScans: ['repository'] }),
  saveHooks: ({ store, sourceId }, fence) => store.saveHooks(fence, sourceId, { acme: '1' }, { managed: true }),
  saveCheck: ({ store, sourceId }, fence) => store.saveCheck(fence, sourceId, { identity: 'me', fingerprint: 'stale' }),
  activateMapping: ({ store, sourceId }, fence) =>
    store.activateMapping(
      sourceId,
      { hash: 'stale', content: {}, blueprints: [] },
      { who: 'start', how: 'engine', fence },
    ),
  savePartition: ({ store, kindId }, fence) => store.savePartition(fence, kindId, 'stale'),
  setPartition: ({ store, partitionId }, fence) => store.setPartition(fence, partitionId, 'unknown', 'stale'),
  renamePartition: ({ store, partitionId }, fence) => store.renamePartition(fence, partitionId, 'stale'),
  dropPartition: async ({ store, kindId }, fence) =>
    store.dropPartition(fence, (await store.savePartition(undefined, kindId, 'empty')).id),
  beginScan: ({ store, partitionId }, fence) => store.beginScan(fence, { partitionId, now }),
  setScan: async (at, fence) => at.store.setScan(fence, await scanOf(at), { state: 'incomplete', ended: now }),
  countCalls: async (at, fence) => at.store.countCalls(fence, await scanOf(at), { calls: 1, quota: 1 }),
  completeScan: async (at, fence) => at.store.completeScan(fence, await scanOf(at), now),
  setAside: async (at, fence) => at.store.setAside(fence, await deliveryOf(at), { code: 'stale' }),
  forgetSetAside: async (at, fence) => at.store.forgetSetAside(fence, await scanOf(at)),
  forgetDeliveries: async (at, fence) => {
    await at.commit({ deliveries: [{ id: await deliveryOf(at) }] })
    const count = await at.store.forgetDeliveries(fence, at.sourceId, Date.now() + 60_000, 10)
    if (count === 0) throw new FenceLost('nothing was forgotten')
  },
  postponeDoubt: async ({ store, sourceId, ...at }, fence) => {
    const { kindId, partitionId } = at
    const doubt = { kindId, key: 'k', partitionId, locator: {}, reason: 'first', serial: 1n, signed: false }
    await at.commit({ doubts: [doubt] })
    const [due] = await store.dueDoubts(sourceId, now + 5000, 1)
    if (due !== undefined) await store.postponeDoubt(fence, due, now + 1000, 'stale')
  },
  setSchedule: ({ store, sourceId }, fence) => store.setSchedule(fence, sourceId, 'repository', now, false),
  endPlan: ({ store }, fence) => store.endPlan(fence, 1n),
  rewriteBodies: ({ store }, fence) => store.rewriteBodies(fence, []),
  forgetBodies: ({ store, kindId }, fence) => store.forgetBodies(fence, kindId),
  reduceDeliveries: ({ store, sourceId }, fence) => store.reduceDeliveries(fence, sourceId),
  readAgain: ({ store, kindId }, fence) => store.readAgain(fence, kindId),
  forgetVersions: ({ store, kindId }, fence) => store.forgetVersions(fence, kindId),
  keepingIs: ({ store, kindId }, fence) => store.keepingIs(fence, kindId, 'stale'),
}

async function scanOf({ store, fence, partitionId }: World): Promise<bigint> {
  return (await store.openScan(partitionId))?.id ?? (await store.beginScan(fence, { partitionId, now })).id
}

async function deliveryOf({ store, sourceId }: World): Promise<bigint> {
  await store.accept(sourceId, { id: 'd', event: 'e', headers: {}, body: Buffer.from('') })
  return (await store.accepted(sourceId, 1))[0]?.id ?? 0n
}

/** What only reads, and the lease itself. */
const harmless: readonly (keyof Store)[] = [
  'tick',
  'acquireLease',
  'renewLease',
  'releaseLease',
  'hooks',
  'activeMapping',
  'activeVersion',
  'applyingPlan',
  'plannedWithdrawals',
  'partitions',
  'orphans',
  'children',
  'compare',
  'unchangedPage',
  'record',
  'recordById',
  'outdated',
  'openScan',
  'seesSince',
  'lastPages',
  'validPages',
  'missing',
  'countMissing',
  'seenHolds',
  'guardWindow',
  'approvedHolds',
  'dependents',
  'dependentHolds',
  'returning',
  'backlog',
  'accepted',
  'dueDoubts',
  'schedule',
  'keeping',
  'bodies',
  'unmapped',
]

/** Rows of everything that a lease covers. */
async function everything({ db }: World): Promise<string> {
  const tables = [
    'partitions',
    'scans',
    'inbox',
    'doubts',
    'schedules',
    'kinds',
    'records',
    'plans',
    'sources',
    'mappings',
  ]
  const rows = await Promise.all(
    tables.map(
      async (table) => (await db.query<{ row: string }>(`SELECT t::text AS row FROM ${table} t ORDER BY 1`)).rows,
    ),
  )
  return JSON.stringify(rows)
}

describe('a write of somebody whose lease another has now', () => {
  test.each(Object.entries(fenced))('%s is refused and leaves nothing', async (name, write) => {
    const at = await openWorld(world.db, { name })
    await write(at, at.fence)
    await at.store.releaseLease(at.fence)
    const fresh = await at.store.acquireLease(at.fence.lease, 'another', 3600)
    if (fresh === undefined) throw new Error('the lease is taken')
    const current: World = { ...at, fence: fresh, commit: (batch) => at.commit({ fence: fresh, ...batch }) }
    const before = await prepared(current, write)
    await expect(write(current, at.fence)).rejects.toThrow(FenceLost)
    expect(await everything(at)).toBe(before)
  })

  test('every write of the store is named here, or in the docs with the reason why it needs no lease', async () => {
    const text = await readFile(new URL('../../docs/sync-spec.md', import.meta.url), 'utf8')
    const table = text.split('| written without a lease | why |')[1]?.split('\n\n')[0] ?? ''
    const free = [...table.matchAll(/^\| `(\w+)`/gmu)].map((match) => match[1] ?? '')
    expect([...Object.keys(fenced), ...harmless, ...free].toSorted()).toEqual(Object.keys(world.store).toSorted())
  })
})

/** What a write prepares for itself is no part of what must not change. */
async function prepared(at: World, write: Write): Promise<string> {
  await write(at, { lease: 'nobody', token: 1n }).catch(() => undefined)
  return everything(at)
}
