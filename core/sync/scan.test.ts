import { afterEach, describe, expect, it } from 'vitest'
import type { Page } from '../sdk/index.ts'
import { BadAnswer } from '../sdk/index.ts'
import { runScan } from './scan.ts'
import { createRig, type Rig } from './testing/rig.ts'
import { type SourceShape, TestSource } from './testing/source.ts'

const rigs: Rig[] = []
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.drop()
})

async function rigOf(shape: SourceShape = {}, count = 10): Promise<Rig> {
  const rig = await createRig((clock) => new TestSource(shape, clock))
  for (const partition of rig.source.shape.partitions) rig.source.fill(count, partition)
  rigs.push(rig)
  return rig
}

async function scan(rig: Rig) {
  const session = await rig.session()
  const report = await runScan(session, 'thing')
  await rig.settle(session)
  return report
}

describe('a scan', () => {
  it('mirrors the source: what is new, changed, renamed, re-created under an old name, and gone', async () => {
    const rig = await rigOf()
    await scan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
    const { source } = rig
    source.put('n000', { color: 'blue' })
    source.put('n001', { name: 'renamed' })
    source.remove('n002')
    source.put('n999', { name: 'name-n002', color: 'new' })
    source.put('n500')
    await scan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
    const renamed = await rig.query(`SELECT 1 FROM changes WHERE operation = 'renamed' AND identifier = 'renamed'`)
    expect(renamed).toHaveLength(1)
  })

  it('of what has not changed writes only its pages, and is answered from validators', async () => {
    const rig = await rigOf()
    await scan(rig)
    const count = `SELECT (SELECT count(*) FROM changes)::int AS changes, (SELECT max(xmin::text::bigint) FROM records)::text AS records`
    const before = await rig.query(count)
    await scan(rig)
    expect(await rig.query(count)).toEqual(before)
    expect(await rig.query('SELECT not_modified FROM scans ORDER BY id')).toEqual([
      { not_modified: 0 },
      { not_modified: 4 },
    ])
    expect(await rig.scans()).toEqual(['north complete', 'north complete'])
  })

  it('compares only the pages that say something else than at the last complete scan', async () => {
    const rig = await rigOf()
    rig.source.onPage = ({ partition, cursor }) => {
      const { validator: _, ...page } = rig.source.page(partition, cursor)
      return page
    }
    await scan(rig)
    const compared: (readonly string[])[] = []
    const watched = async () => {
      const compare: typeof rig.store.compare = (...asked) => {
        compared.push(asked[3].keys)
        return rig.store.compare(...asked)
      }
      const session = await rig.session({ store: { compare } })
      await runScan(session, 'thing')
      return session
    }
    await watched()
    expect(compared).toEqual([])
    rig.source.put('n004', { color: 'blue' })
    await rig.settle(await watched())
    expect(compared).toEqual([['n003', 'n004', 'n005']])
    expect(await rig.catalog()).toEqual(rig.truth())
    expect(await rig.scans()).toEqual(['north complete', 'north complete', 'north complete'])
  })

  it('says which scope cannot be read, deletes nothing of it and goes on with the others', async () => {
    const rig = await rigOf({ partitions: ['north', 'south', 'west'] }, 4)
    await scan(rig)
    rig.source.unreadable.add('south')
    rig.source.forgotten.add('west')
    rig.source.put('n000', { color: 'blue' })
    await scan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
    const partitions = await rig.query('SELECT name, state, reason FROM partitions ORDER BY name')
    expect(partitions).toEqual([
      { name: 'north', state: 'known', reason: null },
      { name: 'south', state: 'unknown', reason: 'Not Found' },
      { name: 'west', state: 'unknown', reason: 'the source no longer names it' },
    ])
    rig.source.unreadable.clear()
    rig.source.forgotten.clear()
    await scan(rig)
    expect(await rig.query(`SELECT 1 FROM partitions WHERE state <> 'known'`)).toEqual([])
  })

  it('that loses its scope in the middle keeps what it saw', async () => {
    const rig = await rigOf({ partitions: ['north', 'south'] })
    await scan(rig)
    rig.source.remove('s001')
    rig.source.onPage = ({ partition, page }) => {
      if (partition === 'north' && page === 2) rig.source.unreadable.add('north')
      return undefined
    }
    rig.source.put('n000', { color: 'blue' })
    await scan(rig)
    rig.source.unreadable.clear()
    expect(await rig.catalog()).toEqual(rig.truth())
    expect((await rig.scans()).slice(2)).toEqual(['north incomplete: Not Found', 'south complete'])
  })

  it('makes every partition unknown when the credential is refused', async () => {
    const rig = await rigOf({ partitions: ['north', 'south'] }, 3)
    await scan(rig)
    rig.source.refused = true
    await expect(scan(rig)).rejects.toThrow('The token is not valid.')
    expect(await rig.query(`SELECT 1 FROM partitions WHERE state = 'unknown'`)).toHaveLength(2)
    expect(await rig.catalog()).toEqual(rig.truth())
  })
})

describe('an incomplete listing proves nothing', () => {
  const html = (): Page => {
    throw new BadAnswer('200 with HTML')
  }
  const page = (rig: Rig, cursor: string): Page => rig.source.page('north', cursor)
  it.each<[string, (rig: Rig, call: { page: number; cursor: string }) => Page | undefined, RegExp]>([
    ['HTML on page 3', (_, call) => (call.page === 3 ? html() : undefined), /200 with HTML/],
    [
      'a vendor flag',
      (rig, call) => (call.page === 2 ? { ...page(rig, call.cursor), incomplete: 'results incomplete' } : undefined),
      /results incomplete/,
    ],
    [
      'an item without a key',
      (rig, call) => (call.page === 2 ? { ...page(rig, call.cursor), items: [{ name: 'nobody' }] } : undefined),
      /1 items of page n003 have no key/,
    ],
    [
      'a missing page',
      (rig, call) => (call.page === 2 ? page(rig, 'n005') : undefined),
      /Page n003 was to come, n005 came/,
    ],
    ['a repeated page', (rig, call) => (call.page === 2 ? page(rig, '0') : undefined), /was to come, 0 came/],
    [
      'a cursor loop',
      (rig, call) => (call.page === 3 ? { ...page(rig, call.cursor), next: 'n003' } : undefined),
      /go in a circle/,
    ],
  ])('%s', async (_name, fault, reason) => {
    const rig = await rigOf()
    await scan(rig)
    rig.source.remove('n001')
    rig.source.remove('n008')
    rig.source.put('n000', { color: 'blue' })
    rig.source.onPage = (call) => fault(rig, call)
    await scan(rig)
    const [first, second] = await rig.scans()
    expect(first).toBe('north complete')
    expect(second).toMatch(/^north incomplete/)
    expect(second).toMatch(reason)
    expect(await rig.catalog()).toEqual({ ...rig.truth(), 'name-n001': 'red', 'name-n008': 'red' })
    rig.source.onPage = undefined
    await scan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('a flag is not forgotten by a restart', async () => {
    const rig = await rigOf()
    await scan(rig)
    rig.source.remove('n001')
    const stop = new AbortController()
    rig.source.onPage = (call) => {
      if (call.page === 3) stop.abort()
      return call.page === 1 ? { ...page(rig, call.cursor), incomplete: 'results incomplete' } : undefined
    }
    await expect(runScan(await rig.session({ signal: stop.signal }), 'thing')).rejects.toThrow('stopped')
    rig.source.onPage = undefined
    await scan(rig)
    expect((await rig.scans())[1]).toBe('north incomplete: results incomplete')
    expect(await rig.catalog()).toEqual({ ...rig.truth(), 'name-n001': 'red' })
  })
})

describe('a scan that was interrupted', () => {
  it('goes on at its cursor after a crash and asks for no page again', async () => {
    const rig = await rigOf({ pageSize: 2 }, 20)
    await scan(rig)
    rig.source.remove('n011')
    rig.source.put('n012', { color: 'blue' })
    const stop = new AbortController()
    rig.source.onPage = ({ page }) => {
      if (page === 6) stop.abort()
      return undefined
    }
    await expect(runScan(await rig.session({ signal: stop.signal }), 'thing')).rejects.toThrow('stopped')
    rig.source.onPage = undefined
    rig.source.put('n015', { color: 'green' })
    rig.source.remove('n001')
    rig.source.calls.length = 0
    await scan(rig)
    const pages = rig.source.calls.filter((call) => call.startsWith('list')).map((call) => call.split(' ')[2])
    expect(pages).toEqual(['n009', 'n012', 'n014', 'n016', 'n018'])
    expect(await rig.scans()).toEqual(['north complete', 'north complete'])
    // n001 was seen before it went; the next scan finds it gone.
    expect(await rig.catalog()).toEqual({ ...rig.truth(), 'name-n001': 'red' })
    await scan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('begins anew when the credential may see something else now', async () => {
    const rig = await rigOf()
    const stop = new AbortController()
    rig.source.onPage = ({ page }) => {
      if (page === 3) stop.abort()
      return undefined
    }
    await expect(runScan(await rig.session({ signal: stop.signal }), 'thing')).rejects.toThrow('stopped')
    rig.source.onPage = undefined
    rig.source.fingerprint = 'may see more'
    await scan(rig)
    expect(await rig.scans()).toEqual([
      'north incomplete: what the credential may see has changed meanwhile',
      'north complete',
    ])
  })

  it('by a rate limit is parked, makes no call before its end, and goes on at its cursor', async () => {
    const rig = await rigOf()
    const limited = await rigLimit(rig)
    expect(limited).toEqual({ parkedUntil: rig.clock.time + 60_000 })
    expect(await rig.scans()).toEqual(['north parked'])
    rig.source.calls.length = 0
    rig.clock.time += 59_999
    expect(await scan(rig)).toEqual({ parkedUntil: rig.clock.time + 1 })
    expect(rig.source.calls).toEqual([])
    rig.clock.time += 1
    expect(await scan(rig)).toEqual({})
    expect(rig.source.calls).toEqual(['check', 'partitions', 'list north n005', 'list north n008'])
    expect(await rig.catalog()).toEqual(rig.truth())
  })
})

async function rigLimit(rig: Rig) {
  rig.source.onPage = ({ page }) => {
    if (page !== 2) return undefined
    // From the next call on.
    rig.source.limitedUntil = rig.clock.time + 60_000
    rig.source.onPage = undefined
    return undefined
  }
  return scan(rig)
}

it('notes what its listing has called', async () => {
  const rig = await rigOf()
  let calls = 100
  const usage = () => {
    calls += 7
    return { calls, quota: 3 }
  }
  await runScan(await rig.session({ runtime: { usage } }), 'thing')
  expect(await rig.query('SELECT calls, quota FROM scans ORDER BY id LIMIT 1')).toEqual([{ calls: 7, quota: 0 }])
})
