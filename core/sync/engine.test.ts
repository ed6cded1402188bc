import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { createEngine } from './create-engine.ts'
import type { Engine } from './engine.ts'
import { runScan } from './scan.ts'
import { createRig, type Rig } from './testing/rig.ts'
import { TestSource } from './testing/source.ts'

const rigs: Rig[] = []
const engines: Engine[] = []
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop()))
  for (const rig of rigs.splice(0)) await rig.drop()
})

async function rigOf(): Promise<Rig> {
  const rig = await createRig((clock) => new TestSource({ pageSize: 5 }, clock))
  rig.source.fill(8)
  rigs.push(rig)
  return rig
}

async function engineOf(rig: Rig, holder: string, leaseSeconds = 30): Promise<Engine> {
  const ports = {
    ...rig.ports(),
    clock: {
      now: () => rig.clock.time,
      sleep: (milliseconds: number, signal?: AbortSignal) =>
        pause(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
    },
  }
  const engine = createEngine(ports, [rig.runtime()], { holder, leaseSeconds, pollMilliseconds: 20, db: rig.db })
  engines.push(engine)
  await engine.start()
  return engine
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('it did not come about')
    await pause(20)
  }
}

async function equal(rig: Rig): Promise<void> {
  const text = (value: object): string => JSON.stringify(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  await until(async () => text(await rig.catalog()) === text(rig.truth()))
}

function payload(id: string, signals: readonly unknown[]) {
  return { headers: { signature: 'secret' }, body: Buffer.from(JSON.stringify({ id, signals })) }
}

describe('the engine', () => {
  it('scans at its first start, applies deliveries, sequences the feed, scans again when asked, and stops', async () => {
    const rig = await rigOf()
    const engine = await engineOf(rig, 'one')
    await equal(rig)
    const thing = rig.source.put('n001', { color: 'blue' })
    expect(await engine.deliver('test', payload('1', [rig.source.changed(thing)]))).toMatchObject({
      outcome: 'accepted',
    })
    await equal(rig)
    expect(await engine.deliver('test', payload('1', [rig.source.changed(thing)]))).toMatchObject({
      outcome: 'duplicate',
    })
    rig.source.remove('n002')
    await engine.requestScan('test', '')
    await equal(rig)
    await until(async () => (await rig.query('SELECT 1 FROM change_batches WHERE base IS NULL')).length === 0)
    await engine.stop()
    expect(await rig.query('SELECT holder FROM leases')).toEqual([{ holder: '' }])
    const calls = rig.source.calls.length
    await pause(100)
    expect(rig.source.calls).toHaveLength(calls)
  })

  it('refuses deliveries of sources that it does not know and of senders that cannot sign', async () => {
    const rig = await rigOf()
    const engine = await engineOf(rig, 'one')
    await expect(engine.deliver('other', payload('1', []))).rejects.toMatchObject({
      status: 404,
      code: 'source_unknown',
    })
    const forged = { ...payload('1', []), headers: { signature: 'forged' } }
    await expect(engine.deliver('test', forged)).rejects.toMatchObject({ status: 401 })
    expect(await rig.query('SELECT 1 FROM inbox')).toEqual([])
  })

  it('serves a source in one process at a time; another takes over when the lease is given back', async () => {
    const rig = await rigOf()
    const first = await engineOf(rig, 'one')
    await equal(rig)
    const second = await engineOf(rig, 'two')
    const thing = rig.source.put('n001', { color: 'blue' })
    // Any process takes deliveries; the one with the lease applies them.
    await second.deliver('test', payload('1', [rig.source.changed(thing)]))
    await equal(rig)
    expect(await rig.query('SELECT holder FROM leases')).toEqual([{ holder: 'one' }])
    await first.stop()
    await second.deliver('test', payload('2', [rig.source.changed(rig.source.put('n002', { color: 'blue' }))]))
    await equal(rig)
  })

  it('waits out a rate limit by itself and goes on', async () => {
    const rig = await rigOf()
    rig.source.onPage = ({ page }) => {
      if (page === 1) rig.source.limitedUntil = rig.clock.time + 60_000
      return undefined
    }
    await engineOf(rig, 'one')
    await until(async () => (await rig.scans()).includes('north parked'))
    rig.source.onPage = undefined
    const calls = rig.source.calls.length
    await pause(200)
    expect(rig.source.calls).toHaveLength(calls)
    rig.clock.time += 60_000
    await until(async () => (await rig.scans()).join(' ') === 'north complete')
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('goes on after the database failed, and after the source could not be asked', async () => {
    const rig = await rigOf()
    let broken = 3
    const before = { ...rig.store }
    rig.store.commit = (batch) => (broken-- > 0 ? Promise.reject(new Error('connection lost')) : before.commit(batch))
    await engineOf(rig, 'one')
    await equal(rig)
    expect(rig.logs.some((line) => line.includes('connection lost'))).toBe(true)
  })
})

describe('a worker that lost its lease', () => {
  it('writes nothing', async () => {
    const rig = await rigOf()
    const paused = await rig.session()
    rig.source.onPage = async ({ page }) => {
      if (page !== 2) return undefined
      rig.source.onPage = undefined
      const other = await rig.session()
      await runScan(other, 'thing')
      rig.source.put('n001', { color: 'blue' })
      return undefined
    }
    await expect(runScan(paused, 'thing')).rejects.toThrow('is held by somebody else')
    rig.source.put('n000', { color: 'blue' })
    await expect(runScan(paused, 'thing')).rejects.toThrow('is held by somebody else')
    expect(new Set(Object.values(await rig.catalog()))).toEqual(new Set(['red']))
    expect((await rig.scans())[0]).toBe('north complete')
  })
})
