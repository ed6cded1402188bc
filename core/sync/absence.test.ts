import { afterEach, describe, expect, it } from 'vitest'
import { runScan } from './scan.ts'
import { createRig, type Rig } from './testing/rig.ts'
import { type SourceShape, TestSource } from './testing/source.ts'

const rigs: Rig[] = []
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.drop()
})

async function rigOf(shape: SourceShape = {}, count = 20): Promise<Rig> {
  const rig = await createRig((clock) => new TestSource({ pageSize: 5, ...shape }, clock))
  for (const partition of rig.source.shape.partitions) rig.source.fill(count, partition)
  rigs.push(rig)
  await scan(rig)
  return rig
}

async function scan(rig: Rig) {
  const session = await rig.session()
  await runScan(session, 'thing')
  await rig.settle(session)
}

async function decide(rig: Rig, state: 'approved' | 'rejected', what = 'presence'): Promise<void> {
  await rig.query(`UPDATE held SET state = $1, decided_by = 'ann' WHERE state = 'pending' AND what = $2`, [state, what])
}

const names = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `n${String(from + index).padStart(3, '0')}`)

describe('the guard', () => {
  it('holds all of a sweep above the limit and deletes nothing; what is seen again is no longer held', async () => {
    const rig = await rigOf()
    for (const id of names(0, 10)) rig.source.invisible.add(id)
    await scan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
    expect(await rig.scans()).toEqual(['north complete', 'north held'])
    expect(await rig.holds()).toEqual(names(0, 10).map((id) => `${id} presence pending`))
    expect(rig.events.filter(({ type }) => type === 'held')).toMatchObject([{ count: 10, kind: 'thing' }])
    await scan(rig)
    expect(await rig.holds()).toHaveLength(10)
    rig.source.invisible.clear()
    await scan(rig)
    expect(await rig.holds()).toEqual(names(0, 10).map((id) => `${id} presence dissolved`))
  })

  it('lets a person approve: what is held goes, and does not count against the next', async () => {
    const rig = await rigOf()
    for (const id of names(0, 10)) rig.source.remove(id)
    await scan(rig)
    await decide(rig, 'approved')
    await rig.settle(await rig.session())
    expect(await rig.catalog()).toEqual(rig.truth())
    expect(await rig.holds()).toEqual(names(0, 10).map((id) => `${id} presence released`))
    rig.source.remove('n011')
    await scan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('lets a person reject: it stays, and nobody is asked again until it was seen', async () => {
    const rig = await rigOf()
    for (const id of names(0, 10)) rig.source.invisible.add(id)
    await scan(rig)
    await decide(rig, 'rejected')
    await scan(rig)
    await scan(rig)
    expect(await rig.holds()).toEqual(names(0, 10).map((id) => `${id} presence rejected`))
    expect(await rig.catalog()).toEqual(rig.truth())
    rig.source.invisible.clear()
    await scan(rig)
    for (const id of names(0, 10)) rig.source.invisible.add(id)
    await scan(rig)
    expect((await rig.holds()).filter((hold) => hold.endsWith('pending'))).toHaveLength(10)
  })

  it('counts a slow bleed over the day, and forgets it afterwards', async () => {
    const rig = await rigOf()
    for (const id of names(0, 5)) {
      rig.source.remove(id)
      await scan(rig)
      rig.clock.time += 3_600_000
    }
    expect(await rig.catalog()).toEqual(rig.truth())
    rig.source.invisible.add('n005')
    await scan(rig)
    expect(await rig.holds()).toEqual(['n005 presence pending'])
    rig.source.invisible.clear()
    rig.clock.time += 26 * 3_600_000
    rig.source.remove('n006')
    await scan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('holds an empty listing, however few were there', async () => {
    const rig = await rigOf({}, 3)
    rig.source.fill(3)
    for (const id of names(0, 3)) rig.source.invisible.add(id)
    await scan(rig)
    expect(await rig.holds()).toHaveLength(3)
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('counts what get says is gone, too, and more 404s do not open a hold', async () => {
    const rig = await rigOf({ paging: 'shifting' })
    for (const id of names(0, 12)) rig.source.invisible.add(id)
    const session = await rig.session()
    for (const id of names(0, 12)) {
      await rig.deliver({ type: 'stale', kind: 'thing', key: id, partition: 'north' })
      await rig.settle(session)
    }
    expect((await rig.holds()).length).toBe(7)
    await rig.deliver({ type: 'stale', kind: 'thing', key: 'n011', partition: 'north' })
    await rig.settle(session)
    expect(await rig.holds()).toHaveLength(7)
    // The source's own word for this key does.
    const thing = rig.source.things.get('n011')
    if (thing !== undefined) await rig.deliver(rig.source.gone(thing))
    await rig.settle(session)
    expect((await rig.holds()).at(-1)).toBe('n011 presence released')
    expect(Object.keys(await rig.catalog())).toHaveLength(14)
  })
})

describe('what an absence proves', () => {
  it('nothing in a window', async () => {
    const rig = await rigOf({ coverage: 'window' })
    rig.source.invisible.add('n001')
    await scan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
    expect(await rig.holds()).toEqual([])
  })

  it('on pages that shift only what get confirms', async () => {
    const rig = await rigOf({ paging: 'shifting' })
    rig.source.remove('n019')
    // An item vanishes behind the cursor: the first of the next page moves to the page that was read already.
    rig.source.onPage = ({ page }) => {
      if (page === 2) rig.source.remove('n000')
      return undefined
    }
    rig.source.calls.length = 0
    await scan(rig)
    expect(rig.source.calls.filter((call) => call.startsWith('get'))).toEqual(['get n005', 'get n019'])
    expect(await rig.catalog()).toEqual({ ...rig.truth(), 'name-n000': 'red' })
    rig.source.onPage = undefined
    await scan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('on pages that shift, where nobody can be asked, only after two scans', async () => {
    const rig = await rigOf({ paging: 'shifting', get: false })
    rig.source.remove('n019')
    await scan(rig)
    expect(await rig.catalog()).toEqual({ ...rig.truth(), 'name-n019': 'red' })
    expect(await rig.query(`SELECT requested FROM schedules WHERE kind = 'thing'`)).toEqual([{ requested: true }])
    await scan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('is held when the credential may see something else than at the last complete scan', async () => {
    const rig = await rigOf()
    rig.source.fingerprint = 'may see less'
    rig.source.invisible.add('n001')
    await scan(rig)
    await scan(rig)
    expect(await rig.holds()).toEqual(['n001 presence pending'])
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('is held when the permission is lost in the middle of the listing', async () => {
    const rig = await rigOf()
    rig.source.onPage = ({ page }) => {
      if (page === 2) {
        rig.source.fingerprint = 'may see less'
        rig.source.invisible.add('n019')
      }
      return undefined
    }
    await scan(rig)
    expect(await rig.holds()).toEqual(['n019 presence pending'])
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('is held when it was only seen by an incomplete scan that could see more', async () => {
    const rig = await rigOf()
    rig.source.onPage = ({ page }) => {
      if (page === 3) throw new Error('the connection broke')
      return undefined
    }
    rig.source.fingerprint = 'may see more'
    rig.source.put('a000')
    await scan(rig)
    rig.source.onPage = undefined
    rig.source.fingerprint = 'may see all'
    rig.source.invisible.add('a000')
    await scan(rig)
    expect(await rig.holds()).toEqual(['a000 presence pending'])
    rig.source.remove('n019')
    rig.source.invisible.clear()
    await scan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('404 of a get is not gone while the permission differs or the scope cannot be read', async () => {
    const rig = await rigOf({ paging: 'shifting', partitions: ['north', 'south'] })
    const session = await rig.session()
    rig.source.invisible.add('n001')
    rig.source.fingerprint = 'may see less'
    await rig.deliver({ type: 'stale', kind: 'thing', key: 'n001', partition: 'north' })
    await rig.settle(session)
    expect(await rig.catalog()).toEqual(rig.truth())
    const [doubt] = await rig.query<{ reason: string }>('SELECT reason FROM doubts')
    expect(doubt?.reason).toBe('said to be gone, but what the credential may see has changed')
    rig.source.fingerprint = 'may see all'
    rig.source.unreadable.add('south')
    await scan(rig)
    await rig.deliver({ type: 'stale', kind: 'thing', key: 's001', partition: 'south' })
    await rig.settle(await rig.session())
    expect(Object.keys(await rig.catalog())).toContain('name-s001')
  })

  it('is not forgotten when incomplete scans lie between the last sight and the complete one', async () => {
    const rig = await rigOf()
    rig.source.onPage = ({ page }) => {
      if (page === 4) throw new Error('the connection broke')
      return undefined
    }
    await scan(rig)
    rig.source.onPage = undefined
    rig.source.remove('n001')
    await scan(rig)
    expect(await rig.scans()).toEqual(['north complete', 'north incomplete: the connection broke', 'north complete'])
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('in one of two partitions ends only that presence', async () => {
    const rig = await rigOf({ partitions: ['north', 'south'] }, 4)
    rig.source.put('both', { partitions: ['north', 'south'] })
    await scan(rig)
    rig.source.put('both', { partitions: ['south'] })
    await scan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
    const ended = await rig.query(
      `SELECT p.ended FROM presences p JOIN records r ON r.id = p.record_id WHERE r.key = 'both' ORDER BY partition_id`,
    )
    expect(ended).toEqual([{ ended: true }, { ended: false }])
    rig.source.remove('both')
    await scan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
  })
})
