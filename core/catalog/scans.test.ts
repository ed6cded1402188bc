import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { freshDatabase } from '../testkit/database.ts'
import type { PageWrite } from './batch.ts'
import { FenceLost, StaleDecision } from './refusals.ts'
import { now, openWorld, type World } from './store.fixture.ts'

let world: World
let drop: () => Promise<void>
beforeEach(async () => {
  const database = await freshDatabase({ max: 1 })
  drop = () => database.drop()
  world = await openWorld(database.db)
})
afterEach(() => drop())

/** One page of a scan over what is stored, without any change. */
async function pageOf(
  scan: bigint,
  number: number,
  keys: readonly string[],
  more: { validator?: string; next?: string; bytesSeal?: Buffer } = {},
) {
  return world.page(scan, number, { ...(await world.seen(keys)), ...more })
}

async function begin() {
  return (await world.store.beginScan(world.fence, { partitionId: world.partitionId, fingerprint: 'f', now })).id
}

async function scanAll(keys: readonly string[]): Promise<bigint> {
  const scan = await begin()
  await world.commit({ page: await pageOf(scan, 0, keys, { validator: 'etag' }) })
  await world.store.completeScan(world.fence, scan, now)
  return scan
}

async function written(): Promise<Readonly<Record<string, number>>> {
  await world.db.query('SELECT pg_stat_force_next_flush()')
  const { rows } = await world.db.query<{ relname: string; rows: string }>(
    `SELECT relname, n_tup_ins + n_tup_upd + n_tup_del AS rows FROM pg_stat_user_tables
     WHERE relname IN ('records', 'presences', 'contributions', 'entities', 'refs', 'kinds', 'scan_pages') OR relname LIKE 'changes%'`,
  )
  return Object.fromEntries(rows.map((row) => [row.relname, Number(row.rows)]))
}

describe('a scan', () => {
  test('that finds everything unchanged writes a row a page and nothing else', async () => {
    const keys = Array.from({ length: 50 }, (_, index) => `k${index}`)
    await world.commit({
      writes: await Promise.all(keys.map((key) => world.write(key, [{ identifier: key, relations: { owner: 'x' } }]))),
    })
    const before = await written()
    await scanAll(keys)
    const { scan_pages: pages, ...after } = await written()
    expect(after).toEqual({ ...before, scan_pages: undefined })
    expect(pages).toBe((before['scan_pages'] ?? 0) + 1)
    await world.say('k7', [{ identifier: 'k7', title: 'changed' }])
    expect((await written())['records']).toBeGreaterThan(before['records'] ?? 0)
  })

  test('moves the watermark of what it saw, and of nothing else', async () => {
    await world.say('a', [{ identifier: 'a' }])
    await world.say('b', [{ identifier: 'b' }])
    const before = await world.stored('b')
    const scan = await begin()
    const page = await pageOf(scan, 0, ['a'])
    await world.commit({ page })
    const { span, presences } = await world.stored('a')
    expect([span, presences[0]?.span]).toEqual([page.span, page.span])
    expect((await world.stored('b')).span).toEqual(before.span)
    await world.store.completeScan(world.fence, scan, now)
    expect((await world.stored('a')).span).toEqual(page.span)
    const [partition] = await world.store.partitions(world.kindId)
    expect(partition).toMatchObject({ completeScan: scan, state: 'known', fingerprint: 'f', completeAt: new Date(now) })
  })

  test('tells which presences it missed, what confirmed them, and whether the one before missed them, too', async () => {
    for (const key of ['seen', 'gone', 'held', 'late']) await world.say(key, [{ identifier: key }])
    await scanAll(['seen', 'held', 'late'])
    const { id: recordId, span } = await world.stored('held')
    const heldAt = span.end
    await world.commit({ holds: [{ recordId, partitionId: world.partitionId, what: 'presence', reason: 'r' }] })
    const scan = await begin()
    await world.commit({ page: await pageOf(scan, 0, ['seen']) })
    // The body of a delivery was made nobody knows when: it ends after the scan began, but says nothing about its begin.
    const late = await world.write('late', [{ identifier: 'late', title: 'x' }])
    await world.commit({ writes: [{ ...late, span: { begin: 0n, end: late.span.end } }] })
    await world.say('new', [{ identifier: 'new' }])
    const missing = await world.store.missing(scan, 0n, 9)
    expect(missing.map(({ key, held, missedBefore }) => [key, held, missedBefore])).toEqual([
      ['gone', false, true],
      ['held', true, false],
      ['late', false, false],
    ])
    const confirmed = new Map(missing.map((each) => [each.key, each.confirmed]))
    expect(confirmed.get('late')).toBe(late.span.end)
    expect(confirmed.get('held')).toBe(heldAt)
    const removals = await Promise.all(missing.map(({ key, confirmed: at }) => world.removal(key, { confirmed: at })))
    expect(await world.commit({ removals })).toMatchObject({ deleted: 3 })
    expect(await world.store.missing(scan, 0n, 9)).toEqual([])
  })

  test('finds holds on what it saw', async () => {
    await world.say('a', [{ identifier: 'a' }])
    const { id: recordId } = await world.stored('a')
    await world.commit({ holds: [{ recordId, partitionId: world.partitionId, what: 'presence', reason: 'r' }] })
    const scan = await begin()
    expect(await world.store.seenHolds(scan, 9)).toEqual([])
    await world.commit({ page: await pageOf(scan, 0, ['a']) })
    expect(await world.store.seenHolds(scan, 9)).toEqual([
      { recordId, what: 'presence', partitionId: world.partitionId, state: 'pending' },
    ])
  })

  test('goes on after a restart, parked or not, and is fenced', async () => {
    const scan = await begin()
    await world.store.setScan(world.fence, scan, { state: 'parked', reason: 'limit', parkedUntil: now + 1000 })
    expect(await world.store.openScan(world.partitionId)).toMatchObject({
      id: scan,
      state: 'parked',
      parkedUntil: new Date(now + 1000),
    })
    await world.store.setScan(world.fence, scan, { state: 'running' })
    expect(await world.store.openScan(world.partitionId)).toMatchObject({
      state: 'running',
      reason: 'limit',
      parkedUntil: undefined,
    })
    const stolen = { ...world.fence, token: world.fence.token - 1n }
    await expect(world.store.setScan(stolen, scan, { state: 'failed' })).rejects.toThrow(FenceLost)
    await expect(world.store.completeScan(stolen, scan, now)).rejects.toThrow(FenceLost)
    await world.store.setScan(world.fence, scan, { state: 'incomplete', ended: now })
    expect(await world.store.openScan(world.partitionId)).toBeUndefined()
  })
})

describe('a remembered page', () => {
  test('is valid while its records are there with the content they had', async () => {
    await world.say('a', [{ identifier: 'a' }])
    await world.say('b', [{ identifier: 'b' }])
    await scanAll(['a', 'b'])
    const [page] = await world.store.validPages(world.partitionId, 0, 9)
    expect(page).toEqual({ page: 0, cursor: '0', next: undefined, validator: 'etag', items: 2 })
    await world.say('a', [{ identifier: 'a', title: 'changed' }])
    expect(await world.store.validPages(world.partitionId, 0, 9)).toEqual([])
    await world.say('a', [{ identifier: 'a' }])
    expect(await world.store.validPages(world.partitionId, 0, 9)).toHaveLength(1)
    await world.remove('b')
    expect(await world.store.validPages(world.partitionId, 0, 9)).toEqual([])
  })

  test('is taken over when the source calls it unmodified, unless a record changed meanwhile', async () => {
    await world.say('a', [{ identifier: 'a' }])
    await scanAll(['a'])
    const scan = await begin()
    const unmodified = async () =>
      world.page(scan, 0, { cursor: '0', validator: 'etag', remembered: { page: 0, unmodified: true } })
    const page = await unmodified()
    await world.commit({ page })
    expect((await world.stored('a')).span).toEqual(page.span)
    await world.store.completeScan(world.fence, scan, now)
    expect(await world.store.validPages(world.partitionId, 0, 9)).toHaveLength(1)
    await world.say('a', [{ identifier: 'a', title: 'changed' }])
    await expect(world.commit({ page: { ...(await unmodified()), scan: await begin() } })).rejects.toThrow(
      StaleDecision,
    )
  })

  test('with the same seal is known again while its records are what they were, whoever wrote meanwhile', async () => {
    for (const key of ['a', 'b', 'c']) await world.say(key, [{ identifier: key }])
    await scanAll(['a', 'b'])
    const { seal = Buffer.alloc(0) } = await world.seen(['a', 'b'])
    const place = { number: 0, cursor: '0', seal, bytesSeal: undefined }
    const ask = async (page: Partial<typeof place> = {}, mapping = world.mappingId) =>
      (await world.store.unchangedPage(world.kindId, world.partitionId, mapping, { ...place, ...page }))?.items
    expect(await ask()).toBe(2)
    expect(await ask({ number: 1 })).toBeUndefined()
    expect(await ask({ cursor: '1' })).toBeUndefined()
    expect(await ask({ seal: Buffer.alloc(16) })).toBeUndefined()
    // Now the count of writes has grown, so the records themselves are looked at.
    await world.say('c', [{ identifier: 'c', title: 'changed' }])
    expect(await ask()).toBe(2)
    expect(await ask({}, world.mappingId + 1)).toBeUndefined()
    await world.say('a', [{ identifier: 'a', title: 'changed' }])
    expect(await ask()).toBeUndefined()
    await world.say('a', [{ identifier: 'a' }])
    expect(await ask()).toBe(2)
    await world.remove('b')
    expect(await ask()).toBeUndefined()
  })

  test('with the same seal is taken over, unless a record of it changed between comparison and commit', async () => {
    for (const key of ['a', 'b', 'c', 'd']) await world.say(key, [{ identifier: key }])
    await scanAll(['a', 'b'])
    const scan = await begin()
    const { seal = Buffer.alloc(0) } = await world.seen(['a', 'b'])
    const place = { number: 0, cursor: '0', seal, bytesSeal: undefined }
    const recognised = async () => {
      const found = await world.store.unchangedPage(world.kindId, world.partitionId, world.mappingId, place)
      if (found === undefined) throw new Error('it is not known')
      return world.page(scan, 0, { remembered: { page: 0, unmodified: false }, asOf: found.asOf })
    }
    const before = await recognised()
    await world.say('c', [{ identifier: 'c', title: 'somebody else' }])
    await world.commit({ page: before })
    expect((await world.stored('a')).span).toEqual(before.span)
    expect((await world.store.missing(scan, 0n, 9)).map(({ key }) => key)).toEqual(['d'])
    const late = await recognised()
    await world.say('b', [{ identifier: 'b', title: 'changed' }])
    await expect(world.commit({ page: late })).rejects.toThrow(StaleDecision)
  })

  test('is known by the seal of its bytes as long as by its own, and learns new bytes when it is taken over', async () => {
    for (const key of ['a', 'b', 'c']) await world.say(key, [{ identifier: key }])
    const bytes = (text: string): Buffer => Buffer.from(text.padEnd(16))
    const ask = (bytesSeal: Buffer | undefined, seal?: Buffer) =>
      world.store.unchangedPage(world.kindId, world.partitionId, world.mappingId, {
        number: 0,
        cursor: '0',
        seal,
        bytesSeal,
      })
    const scanOnce = async (page: (scan: bigint) => Promise<PageWrite>) => {
      const scan = await begin()
      await world.commit({ page: await page(scan) })
      await world.store.completeScan(world.fence, scan, now)
    }
    await scanOnce((scan) => pageOf(scan, 0, ['a', 'b'], { bytesSeal: bytes('one') }))
    const { seal } = await world.seen(['a', 'b'])
    expect(await ask(bytes('one'))).toMatchObject({ items: 2, sameBytes: true })
    expect(await ask(bytes('two'))).toBeUndefined()
    expect(await ask(undefined)).toBeUndefined()
    expect(await ask(bytes('two'), seal)).toMatchObject({ items: 2, sameBytes: false })

    const remembered = { page: 0, unmodified: false }
    await scanOnce((scan) => world.page(scan, 0, { remembered, bytesSeal: bytes('two') }))
    expect(await ask(bytes('one'))).toBeUndefined()
    expect(await ask(bytes('two'))).toMatchObject({ sameBytes: true })
    await scanOnce((scan) => world.page(scan, 0, { remembered: { page: 0, unmodified: true } }))
    expect(await ask(bytes('two'))).toMatchObject({ sameBytes: true })

    await world.say('a', [{ identifier: 'a', title: 'changed' }])
    expect(await ask(bytes('two'))).toBeUndefined()
    await scanOnce((scan) => pageOf(scan, 0, ['a', 'b'], { bytesSeal: bytes('two') }))
    expect(await ask(bytes('two'))).toMatchObject({ sameBytes: true })
    await world.store.readAgain(world.fence, world.kindId)
    expect(await ask(bytes('two'))).toBeUndefined()
    // Without a seal of its own the bytes say nothing.
    const { seal: _, ...seen } = await world.seen(['a', 'b'])
    await scanOnce((scan) => world.page(scan, 0, { ...seen, bytesSeal: bytes('two') }))
    expect(await ask(bytes('two'))).toBeUndefined()
  })

  test('gets no seal while one of its items is not stored as it was shown', async () => {
    await world.say('a', [{ identifier: 'a' }])
    await world.say('b', [{ identifier: 'b' }])
    const seen = await world.seen(['a', 'b'])
    const scan = await begin()
    // The second was asked about: it is neither known nor written.
    const known = new Map([...seen.known].slice(0, 1))
    await world.commit({ page: await world.page(scan, 0, { ...seen, known }) })
    await world.store.completeScan(world.fence, scan, now)
    const page = { number: 0, cursor: '0', seal: seen.seal, bytesSeal: undefined }
    expect(await world.store.unchangedPage(world.kindId, world.partitionId, world.mappingId, page)).toBeUndefined()
  })

  test('with a refused item counts it as seen, and is not valid later', async () => {
    await world.say('a', [{ identifier: 'a' }])
    await world.say('b', [{ identifier: 'b' }])
    const scan = await begin()
    const page = await pageOf(scan, 0, ['a'], { validator: 'etag' })
    const { seal: _, ...rest } = page
    const hashes = Buffer.concat([page.hashes, Buffer.alloc(3 * 16)])
    await world.commit({ page: { ...rest, keys: ['a', '', 'b', 'unknown'], hashes } })
    expect(await world.store.missing(scan, 0n, 9)).toEqual([])
    await world.store.completeScan(world.fence, scan, now)
    expect(await world.store.validPages(world.partitionId, 0, 9)).toEqual([])
  })

  test('of old scans that never ended well does not stay for ever', async () => {
    await world.say('a', [{ identifier: 'a' }])
    for (let round = 0; round < 5; round++) {
      const scan = await begin()
      await world.commit({ page: await pageOf(scan, 0, ['a']) })
      await world.store.setScan(world.fence, scan, { state: 'incomplete', ended: now })
    }
    const { rows } = await world.db.query('SELECT FROM scan_pages')
    expect(rows.length).toBeLessThanOrEqual(3)
  })
})
