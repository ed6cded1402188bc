import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ensureChangePartitions } from './feed.ts'
import { FenceLost } from './refusals.ts'
import { freshWorld, now, openWorld } from './store.fixture.ts'

let world: Awaited<ReturnType<typeof freshWorld>>
beforeAll(async () => {
  world = await freshWorld()
})
afterAll(() => world.database.drop())

describe('leases', () => {
  test('have one holder, and a token that grows with each', async () => {
    const { store } = world
    const first = await store.acquireLease('l', 'ann', 60)
    expect(await store.acquireLease('l', 'bob', 60)).toBeUndefined()
    const again = await store.acquireLease('l', 'ann', 60)
    expect(again?.token).toBe((first?.token ?? 0n) + 1n)
    if (first === undefined || again === undefined) throw new Error('no lease')
    expect([await store.renewLease(first, 60), await store.renewLease(again, -1)]).toEqual([false, true])
    const bob = await store.acquireLease('l', 'bob', 60)
    expect(bob?.token).toBe(again.token + 1n)
    await store.releaseLease(again)
    expect(await store.acquireLease('l', 'ann', 60)).toBeUndefined()
    if (bob === undefined) throw new Error('no lease')
    await store.releaseLease(bob)
    expect(await store.renewLease(bob, 60)).toBe(false)
    expect((await store.acquireLease('l', 'ann', 60))?.token).toBeGreaterThan(bob.token)
  })

  test('given back, nothing can be written under them', async () => {
    const fresh = await openWorld(world.db, { name: 'back' })
    await fresh.store.releaseLease(fresh.fence)
    await expect(fresh.say('k', [])).rejects.toThrow(FenceLost)
    await expect(fresh.store.setSchedule(fresh.fence, fresh.sourceId, 'repository', now, false)).rejects.toThrow(
      FenceLost,
    )
  })
})

describe('what is configured', () => {
  test('sources are kept, and frozen when they are no longer named', async () => {
    const { store } = world
    const a = await store.saveSource({ name: 'a', integration: 'x', precedence: 3 })
    expect(a).toMatchObject({ state: 'active', mappingId: undefined, fingerprint: undefined })
    await store.saveCheck(world.fence, a.id, { problem: { code: 'no' } })
    await store.saveCheck(world.fence, a.id, { identity: 'me', fingerprint: 'f' })
    expect(await store.freezeSourcesExcept(['github', 'back'])).toEqual(['a'])
    expect(await store.saveSource({ name: 'a', integration: 'x', precedence: 3 })).toEqual({ ...a, fingerprint: 'f' })
  })

  test('a mapping that is active again keeps its id, and records of another one are outdated', async () => {
    const fresh = await openWorld(world.db, { name: 'mapped' })
    const { store, sourceId } = fresh
    await fresh.say('1', [{ identifier: 'outdated' }])
    const next = await store.activateMapping(sourceId, { hash: 'other', content: { file: 'f' }, blueprints: [] })
    expect(await store.activeMapping(sourceId)).toEqual({ id: next, hash: 'other', content: { file: 'f' } })
    const [outdated] = await store.outdated(sourceId, next, 0n, 10)
    expect(outdated).toMatchObject({
      kindId: fresh.kindId,
      key: '1',
      mappingId: fresh.mappingId,
    })
    expect(JSON.parse(outdated?.body ?? '')).toEqual([{ identifier: 'outdated' }])
    expect(await store.outdated(sourceId, next, outdated?.id ?? 0n, 10)).toEqual([])
    expect(await store.activateMapping(sourceId, { hash: 'mapped 1', content: {}, blueprints: [] })).toBe(
      fresh.mappingId,
    )
  })

  test('partitions are unseen, then known or unknown with a reason', async () => {
    const fresh = await openWorld(world.db, { name: 'parts' })
    await fresh.store.setPartition(fresh.fence, fresh.partitionId, 'unknown', '403')
    const again = await fresh.store.savePartition(fresh.fence, fresh.kindId, 'acme')
    expect(again).toMatchObject({ id: fresh.partitionId, state: 'unknown', reason: '403', completeScan: undefined })
  })
})

describe('the inbox', () => {
  const delivery = { id: 'd1', event: 'repository.renamed', headers: { a: 'b' }, body: Buffer.from([0, 255, 1]) }

  test('takes a delivery once, and one that was set aside again', async () => {
    const { store, sourceId, fence } = world
    expect(await store.accept(sourceId, delivery)).toBe('accepted')
    expect(await store.accept(sourceId, delivery)).toBe('duplicate')
    expect(await store.backlog(sourceId)).toBe(1)
    const [row] = await store.accepted(sourceId, 10)
    expect(row).toMatchObject({
      delivery: 'd1',
      event: delivery.event,
      headers: delivery.headers,
      body: delivery.body,
      attempts: 0,
    })
    await store.setAside(fence, row?.id ?? 0n, { code: 'poison' })
    expect(await store.backlog(sourceId)).toBe(0)
    expect(await store.accept(sourceId, delivery)).toBe('accepted')
    const [again] = await store.accepted(sourceId, 10)
    await world.commit({ deliveries: [{ id: again?.id ?? 0n }] })
    expect(await store.accept(sourceId, delivery)).toBe('duplicate')
    expect(await store.backlog(sourceId)).toBe(0)
  })

  test('of a hundred copies at once one is accepted', async () => {
    const copies = Array.from({ length: 100 }, () => world.store.accept(world.sourceId, { ...delivery, id: 'd2' }))
    const outcomes = await Promise.all(copies)
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(1)
  })
})

describe('doubts', () => {
  test('are one a key; a later signal raises them, and what answered an earlier one does not settle them', async () => {
    const { store, sourceId, kindId, partitionId, fence } = world
    const doubt = { kindId, key: 'k', partitionId, locator: { name: 'k' }, reason: 'first', serial: 10n, signed: true }
    await world.commit({ doubts: [doubt] })
    const [due] = await store.dueDoubts(sourceId, now, 10)
    expect(due).toEqual({ ...doubt, attempts: 0, kind: 'repository', partition: 'acme' })
    if (due === undefined) throw new Error('no doubt')
    await store.postponeDoubt(fence, due, now + 1000, 'later')
    expect(await store.dueDoubts(sourceId, now, 10)).toEqual([])
    expect(await store.dueDoubts(sourceId, now + 1000, 10)).toMatchObject([{ attempts: 1, reason: 'later' }])
    await world.commit({ doubts: [{ ...doubt, serial: 20n, signed: false, reason: 'second' }] })
    const settle = (serial: bigint) => world.commit({ settledDoubts: [{ key: 'k', partitionId, serial }] })
    await settle(10n)
    expect(await store.dueDoubts(sourceId, now, 10)).toMatchObject([
      { serial: 20n, signed: true, attempts: 0, reason: 'second' },
    ])
    await store.postponeDoubt(fence, due, now + 1000, 'of an answer to the first')
    expect(await store.dueDoubts(sourceId, now, 10)).toHaveLength(1)
    await settle(20n)
    expect(await store.dueDoubts(sourceId, now, 10)).toEqual([])
  })
})

describe('schedules', () => {
  test('a request for every kind reaches each, and is taken back by the next run alone', async () => {
    const { store, sourceId, fence } = world
    expect(await store.schedule(sourceId, 'repository')).toBeUndefined()
    await store.setSchedule(fence, sourceId, 'repository', now, false)
    await store.requestScan(sourceId, '')
    expect(await store.schedule(sourceId, 'repository')).toEqual({ next: now, requested: true })
    expect((await store.schedule(sourceId, ''))?.requested).toBe(true)
    await store.setSchedule(fence, sourceId, 'repository', now + 1, false)
    await world.commit({ requestedScans: ['repository'] })
    expect(await store.schedule(sourceId, 'repository')).toEqual({ next: now + 1, requested: true })
  })
})

describe('the feed', () => {
  test('gives committed batches dense places in order, and wakes its readers', async () => {
    const fresh = await openWorld(world.db, { name: 'feed' })
    await fresh.store.sequence()
    const heard: (string | undefined)[] = []
    const woken = Promise.withResolvers<void>()
    const stop = await world.db.listen('catchment_changes', (payload) => {
      heard.push(payload)
      woken.resolve()
    })
    await fresh.commit({
      writes: [await fresh.write('1', [{ identifier: 'f1' }]), await fresh.write('2', [{ identifier: 'f2' }])],
    })
    await fresh.say('1', [{ identifier: 'f1', title: 'x' }])
    expect(await fresh.store.sequence()).toBe(3)
    expect(await fresh.store.sequence()).toBe(0)
    await woken.promise
    await stop()
    const { rows } = await world.db.query<{ seq: string; identifier: string }>(
      `SELECT b.base + c.position AS seq, c.identifier FROM change_batches b JOIN changes c ON c.batch = b.id ORDER BY seq DESC LIMIT 3`,
    )
    const last = Number(rows[0]?.seq)
    expect(heard).toEqual([String(last)])
    expect(rows.map(({ seq, identifier }) => [Number(seq), identifier])).toEqual([
      [last, 'f1'],
      [last - 1, 'f2'],
      [last - 2, 'f1'],
    ])
  })

  test('has a partition for each month, made ahead and once', async () => {
    const december = new Date(Date.UTC(2031, 11, 31, 23))
    await ensureChangePartitions(world.db, december)
    await ensureChangePartitions(world.db, december)
    await world.commit({ now: december.getTime(), writes: [await world.write('p', [{ identifier: 'p' }])] })
    const { rows } = await world.db.query<{ name: string }>(
      'SELECT tableoid::regclass AS name FROM changes WHERE at > $1',
      [new Date(Date.UTC(2031, 0))],
    )
    expect(rows).toEqual([{ name: 'changes_2031_12' }])
    await ensureChangePartitions(world.db, new Date(now))
    expect((await world.db.query(`SELECT FROM changes_rest`)).rows.length).toBeGreaterThan(0)
  })
})
