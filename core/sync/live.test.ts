import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { Signal } from '../sdk/index.ts'
import { forgetDeliveries } from './forget.ts'
import { settleInbox } from './inbox.ts'
import { runScan } from './scan.ts'
import { createRig, type Rig } from './testing/rig.ts'
import { type SourceShape, TestSource } from './testing/source.ts'

const rigs: Rig[] = []
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.drop()
})

async function rigOf(shape: SourceShape = {}, engine = {}): Promise<Rig> {
  const rig = await createRig((clock) => new TestSource({ pageSize: 5, ...shape }, clock), { engine })
  rig.source.fill(8)
  rigs.push(rig)
  await runScan(await rig.session(), 'thing')
  return rig
}

function gets(rig: Rig): string[] {
  return rig.source.calls.filter((call) => call.startsWith('get'))
}

describe('deliveries', () => {
  it('are applied from their body where it is newer, without a call', async () => {
    const rig = await rigOf()
    const session = await rig.session()
    await rig.deliver(rig.source.changed(rig.source.put('n001', { color: 'blue' })))
    await rig.deliver(rig.source.changed(rig.source.put('n002', { name: 'renamed' })))
    const thing = rig.source.things.get('n003')
    const version = rig.source.remove('n003')
    if (thing !== undefined) await rig.deliver(rig.source.gone(thing, version))
    rig.source.calls.length = 0
    await rig.settle(session)
    expect(rig.source.calls).toEqual([])
    expect(await rig.catalog()).toEqual(rig.truth())
    const causes = await rig.query<{ cause: unknown }>('SELECT cause FROM change_batches ORDER BY id DESC LIMIT 1')
    expect(causes).toEqual([{ cause: { type: 'delivery', delivery: 'd3', event: 'thing.changed' } }])
    expect(await rig.query('SELECT DISTINCT state FROM inbox')).toEqual([{ state: 'applied' }])
  })

  it('a hundred times the same have one effect, in any number of copies', async () => {
    const rig = await rigOf()
    const signal = rig.source.changed(rig.source.put('n001', { color: 'blue' }))
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => rig.deliverAs('same', [signal])))
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(1)
    for (let copy = 0; copy < 20; copy++) await rig.deliver(signal)
    await rig.settle(await rig.session())
    expect(await rig.catalog()).toEqual(rig.truth())
    expect(await rig.query(`SELECT 1 FROM changes WHERE operation = 'updated'`)).toHaveLength(1)
  })

  it('in any order, lost or repeated, with bodies or without, end in the truth', async () => {
    const rig = await rigOf()
    const session = await rig.session()
    const step = fc.record({
      id: fc.constantFrom('n001', 'n002', 'new1', 'new2'),
      to: fc.constantFrom('put', 'rename', 'remove'),
      told: fc.constantFrom('body', 'bare', 'lost', 'twice'),
    })
    let names = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 8 }),
        fc.infiniteStream(fc.nat(1000)),
        async (steps, order) => {
          const told: Signal[] = []
          for (const { id, to, told: how } of steps) {
            const before = rig.source.things.get(id)
            let signal: Signal
            if (to === 'remove') {
              if (before === undefined) continue
              const version = rig.source.remove(id)
              signal = how === 'bare' ? rig.source.gone(before) : rig.source.gone(before, version)
            } else {
              names += 1
              const change = to === 'rename' ? { name: `renamed-${names}` } : { color: `c${names}` }
              const thing = rig.source.put(id, change)
              signal = rig.source.changed(thing)
              if (how === 'bare') signal = { type: 'stale', kind: 'thing', key: id, partition: 'north' }
            }
            if (how !== 'lost') told.push(signal)
            if (how === 'twice') told.push(signal)
          }
          const shuffled = told
            .map((signal) => ({ signal, at: order.next().value }))
            .toSorted((left, right) => left.at - right.at)
          for (const { signal, at } of shuffled) {
            await rig.deliver(signal)
            if (at % 2 === 0) await settleInbox(session)
            if (at % 7 === 0) await rig.settle(session)
          }
          await rig.settle(session)
          const lost = steps.some(({ told: how }) => how === 'lost')
          if (lost) {
            rig.clock.time += 26 * 3_600_000
            await runScan(session, 'thing')
            await rig.settle(session)
          }
          expect(await rig.catalog()).toEqual(rig.truth())
        },
      ),
      { numRuns: 25 },
    )
  }, 180_000)

  it('that are late do not bring back what is gone, nor remove what came back', async () => {
    const rig = await rigOf()
    const session = await rig.session()
    const old = rig.source.put('n001', { color: 'blue' })
    const version = rig.source.remove('n001')
    await rig.deliver(rig.source.gone(old, version))
    await rig.settle(session)
    await rig.deliver(rig.source.changed(old))
    await rig.settle(session)
    expect(await rig.catalog()).toEqual(rig.truth())
    await rig.deliver(rig.source.changed(rig.source.put('n001', { color: 'back' })))
    await rig.settle(session)
    expect(await rig.catalog()).toEqual(rig.truth())
    await rig.deliver(rig.source.gone(old, version))
    await rig.deliver(rig.source.gone(old))
    await rig.settle(session)
    expect(await rig.catalog()).toEqual(rig.truth())
    expect(Object.keys(await rig.catalog())).toContain('name-n001')
  })

  it('about a new id under an old name are about a new object', async () => {
    const rig = await rigOf()
    const session = await rig.session()
    const before = await rig.query<{ id: string }>(
      `SELECT id FROM entities WHERE identifier = 'name-n001' AND deleted IS NULL`,
    )
    const old = rig.source.things.get('n001')
    const version = rig.source.remove('n001')
    await rig.deliver(rig.source.changed(rig.source.put('n900', { name: 'name-n001', color: 'new' })))
    if (old !== undefined) await rig.deliver(rig.source.gone(old, version))
    await rig.settle(session)
    expect(await rig.catalog()).toEqual(rig.truth())
    const after = await rig.query<{ id: string }>(
      `SELECT id FROM entities WHERE identifier = 'name-n001' AND deleted IS NULL`,
    )
    expect(after).toHaveLength(1)
    expect(before).toHaveLength(1)
  })

  it('that cannot be read are set aside, their neighbours go on, and a new copy is taken again', async () => {
    const rig = await rigOf()
    const session = await rig.session()
    const good = rig.source.changed(rig.source.put('n001', { color: 'blue' }))
    const poison = rig.source.changed({ ...rig.source.put('n002'), name: 'poison' })
    await rig.deliverAs('broken', 'the payload is not ours')
    await rig.deliverAs('poison', [poison])
    await rig.deliver(good)
    await rig.settle(session)
    const expected = { ...rig.truth(), 'name-n002': 'red' }
    expect(await rig.catalog()).toEqual(expected)
    const dead = await rig.query(
      `SELECT delivery, error ->> 'message' AS message FROM inbox WHERE state = 'dead' ORDER BY id`,
    )
    expect(dead).toEqual([
      { delivery: 'broken', message: 'the payload is not ours' },
      { delivery: 'poison', message: 'it has no canonical form' },
    ])
    expect(await rig.deliverAs('poison', [rig.source.changed(rig.source.put('n002', { color: 'fine' }))])).toBe(
      'accepted',
    )
    expect(await rig.deliverAs('d1', [good])).toBe('duplicate')
    await rig.settle(session)
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('of other kinds and partitions are settled without an effect; a resync asks for a scan', async () => {
    const rig = await rigOf()
    const thing = rig.source.put('x1', { partitions: ['elsewhere'] })
    await rig.deliver(rig.source.changed(thing), { type: 'stale', kind: 'other', key: '1', partition: 'north' })
    await rig.deliver({ type: 'resync', kind: 'thing' }, { type: 'resync', kind: 'other' })
    await rig.settle(await rig.session())
    expect(await rig.query('SELECT DISTINCT state FROM inbox')).toEqual([{ state: 'applied' }])
    expect(Object.keys(await rig.catalog())).toHaveLength(8)
    expect(await rig.query('SELECT kind, requested FROM schedules')).toEqual([{ kind: 'thing', requested: true }])
  })

  it('beyond the limit are refused with the time to wait, and the gap is scanned', async () => {
    const rig = await rigOf({}, { backlogLimit: 3 })
    const signal = rig.source.changed(rig.source.put('n001', { color: 'blue' }))
    for (let sent = 0; sent < 3; sent++) await rig.deliver(signal)
    await expect(rig.deliver(signal)).rejects.toMatchObject({ status: 503, retryAfterSeconds: 60 })
    expect(await rig.query(`SELECT requested FROM schedules WHERE kind = 'thing'`)).toEqual([{ requested: true }])
    await rig.settle(await rig.session())
    expect(await rig.deliver(signal)).toBe('accepted')
  })

  it('that were applied are forgotten after a week, those that were set aside never', async () => {
    const rig = await rigOf()
    const session = await rig.session()
    const left = (): Promise<unknown[]> => rig.query('SELECT delivery, state FROM inbox ORDER BY id')
    await rig.deliver(rig.source.changed(rig.source.put('n001', { color: 'blue' })))
    await rig.deliverAs('dead', 'it cannot be read')
    await rig.settle(session)
    const both = [
      { delivery: 'd1', state: 'applied' },
      { delivery: 'dead', state: 'dead' },
    ]
    rig.clock.time += 6.9 * 24 * 3_600_000
    expect(await forgetDeliveries(session)).toBe(0)
    expect(await left()).toEqual(both)
    rig.clock.time += 0.2 * 24 * 3_600_000
    // Not by one that has lost its lease.
    const other = await rig.session()
    expect(await forgetDeliveries(session)).toBe(0)
    expect(await left()).toEqual(both)
    await rig.deliver(rig.source.changed(rig.source.put('n001', { color: 'green' })))
    expect(await forgetDeliveries(other)).toBe(1)
    expect(await left()).toEqual([
      { delivery: 'dead', state: 'dead' },
      { delivery: 'd2', state: 'accepted' },
    ])
    // Taken for a new one by then, and without an effect.
    await rig.settle(other)
    const late = { ...rig.source.changed(rig.source.put('n002', { color: 'blue' })) }
    rig.source.put('n002', { color: 'green' })
    await runScan(other, 'thing')
    expect(await rig.deliverAs('d1', [late])).toBe('accepted')
    await rig.settle(other)
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('are kept as they were sent, to the byte', async () => {
    const rig = await rigOf()
    const body = Buffer.concat([Buffer.from('{"id":"d", "id":"d"}\r\n'), Buffer.from([0, 0xff, 0xfe])])
    await rig.store.accept((await rig.session()).source.id, { id: 'd', event: 'e', headers: { a: 'b\0' }, body })
    expect(await rig.query('SELECT body, headers FROM inbox')).toEqual([{ body, headers: { a: 'b\uFFFD' } }])
  })

  it('that are not signed leave no trace', async () => {
    const rig = await rigOf()
    await expect(
      rig.source.connection.webhook?.verify({ headers: { signature: 'x' }, body: Buffer.from('{"id":"1"}') }, 'secret'),
    ).rejects.toThrow('The signature is wrong.')
    expect(await rig.query('SELECT 1 FROM inbox')).toEqual([])
  })
})

describe('deliveries during a scan', () => {
  it.each(['onPage', 'beforeArrival'] as const)('are neither overwritten nor swept away (%s)', async (moment) => {
    for (const at of [1, 2]) {
      const rig = await rigOf()
      const session = await rig.session()
      const doomed = rig.source.things.get('n006')
      rig.source[moment] = async ({ page }) => {
        if (page !== at) return undefined
        await rig.deliver(rig.source.changed(rig.source.put('n000', { color: 'later' })))
        await rig.deliver(rig.source.changed(rig.source.put('a000', { color: 'before the cursor' })))
        const version = rig.source.remove('n006')
        if (doomed !== undefined) await rig.deliver(rig.source.gone(doomed, version))
        await rig.settle(session)
        return undefined
      }
      await runScan(session, 'thing')
      await rig.settle(session)
      expect(await rig.catalog()).toEqual(rig.truth())
    }
  })

  it('an old body that is applied during it, about something that the scan misses, is asked about', async () => {
    const rig = await rigOf()
    const session = await rig.session()
    const old = rig.source.put('n001', { color: 'blue' })
    rig.source.remove('n001')
    await rig.deliver(rig.source.changed(old))
    rig.source.onPage = async ({ page }) => {
      if (page === 2) await settleInbox(session)
      return undefined
    }
    await runScan(session, 'thing')
    await rig.settle(session)
    expect(gets(rig)).toEqual(['get n001'])
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('about what was removed before its page and re-created behind the cursor are not swept away', async () => {
    const rig = await rigOf()
    const session = await rig.session()
    rig.source.onPage = async ({ page }) => {
      if (page === 1) rig.source.remove('n001')
      if (page !== 2) return undefined
      await rig.deliver(rig.source.changed(rig.source.put('n001', { color: 'again' })))
      await rig.settle(session)
      return undefined
    }
    await runScan(session, 'thing')
    await rig.settle(session)
    expect(gets(rig)).toEqual(['get n001'])
    expect(await rig.catalog()).toEqual(rig.truth())
  })
})

describe('doubts', () => {
  it('wait when the source asks for a pause, a restart included, and are asked about afterwards', async () => {
    const rig = await rigOf()
    rig.source.limitedUntil = rig.clock.time + 60_000
    rig.source.put('n001', { color: 'blue' })
    await rig.deliver({ type: 'stale', kind: 'thing', key: 'n001', partition: 'north' })
    rig.source.calls.length = 0
    await rig.settle(await rig.session())
    expect(rig.source.calls).toEqual(['get n001'])
    rig.clock.time += 59_999
    await rig.deliver({ type: 'stale', kind: 'thing', key: 'n002', partition: 'north' })
    const restarted = await rig.session()
    await rig.settle(restarted)
    expect(await runScan(restarted, 'thing')).toEqual({ parkedUntil: rig.clock.time + 1 })
    expect(rig.source.calls).toEqual(['get n001'])
    rig.clock.time += 1
    await rig.settle(restarted)
    expect(rig.source.calls.slice(1).toSorted()).toEqual(['get n001', 'get n002'])
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('keep the record and are asked again, later each time, while the answer is unknown', async () => {
    const rig = await rigOf()
    const session = await rig.session()
    rig.source.put('n001', { color: 'blue' })
    rig.source.onGet = () => ({ state: 'unknown', reason: 'Internal Server Error' })
    await rig.deliver({ type: 'gone', kind: 'thing', key: 'n001', partition: 'north' })
    const waits: number[] = []
    for (let attempt = 0; attempt < 4; attempt++) {
      await rig.settle(session)
      const [row] = await rig.query<{ not_before: Date; reason: string }>('SELECT not_before, reason FROM doubts')
      expect(row?.reason).toBe('Internal Server Error')
      waits.push((row?.not_before.getTime() ?? 0) - rig.clock.time)
      rig.clock.time = row?.not_before.getTime() ?? 0
    }
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000])
    rig.source.onGet = undefined
    await rig.settle(session)
    expect(await rig.query('SELECT FROM doubts')).toEqual([])
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('do not believe an answer about another object', async () => {
    const rig = await rigOf()
    rig.source.onGet = () => ({ state: 'present', body: rig.source.body(rig.source.put('other')) })
    await rig.deliver({ type: 'stale', kind: 'thing', key: 'n001', partition: 'north' })
    await rig.settle(await rig.session())
    const [row] = await rig.query<{ reason: string }>('SELECT reason FROM doubts')
    expect(row?.reason).toBe('the answer could not be used: asked about n001, the answer is other')
  })
})
