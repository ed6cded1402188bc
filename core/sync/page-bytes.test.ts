import { afterEach, describe, expect, it } from 'vitest'
import { type Json, lazyPage, type Page } from '../sdk/index.ts'
import { runScan } from './scan.ts'
import type { Session } from './session.ts'
import { createRig, type Rig, testMappings } from './testing/rig.ts'
import { TestSource } from './testing/source.ts'

const rigs: Rig[] = []
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.drop()
})

async function open(count = 12): Promise<Rig> {
  const rig = await createRig((clock) => new TestSource({ pageSize: 4, pages: 'bytes' }, clock))
  rigs.push(rig)
  rig.source.fill(count)
  return rig
}

/** Scans; answers the cursors of the pages that were parsed. */
async function scan(rig: Rig, session: Session): Promise<readonly string[]> {
  rig.source.parsed.length = 0
  await runScan(session, 'thing')
  return [...rig.source.parsed]
}

async function equal(rig: Rig, session: Session): Promise<void> {
  await rig.settle(session)
  expect(await rig.catalog()).toEqual(rig.truth())
}

describe('a page that says byte for byte what it said', () => {
  it('is not parsed; one that changed is, and the one read ahead behind it', async () => {
    const rig = await open(20)
    const session = await rig.session()
    expect(await scan(rig, session)).toHaveLength(5)
    expect(await scan(rig, session)).toEqual([])
    const [before] = await rig.query<{ items: string }>('SELECT items FROM scans ORDER BY id DESC LIMIT 1')
    expect(before).toEqual({ items: '20' })
    rig.source.put('n005', { color: 'blue' })
    const parsed = await scan(rig, session)
    expect(parsed).toContain('n003')
    expect(parsed.length).toBeLessThan(5)
    await equal(rig, session)
    expect(await scan(rig, session)).toEqual([])
  })

  it('is parsed when what it says beside its items changed, and writes nothing', async () => {
    const rig = await open()
    const session = await rig.session()
    await scan(rig, session)
    rig.source.noise = 'another'
    const before = await rig.query('SELECT xmin, * FROM records ORDER BY id')
    expect(await scan(rig, session)).toHaveLength(3)
    expect(await rig.query('SELECT xmin, * FROM records ORDER BY id')).toEqual(before)
    expect(await scan(rig, session)).toEqual([])
  })

  it('is parsed by another reader of the kind, and under another mapping version', async () => {
    const rig = await open()
    const first = await rig.session()
    await scan(rig, first)
    // The same session's successor has the same kinds.
    expect(await scan(rig, await rig.session())).toEqual([])

    const { connection } = rig.source
    const loud = (item: Json): Json => ({ ...read(connection.kinds[0]?.canonical(item)), color: 'loud' })
    const kinds = connection.kinds.map((kind) => ({ ...kind, canonical: loud }))
    const upgraded = await rig.session({ runtime: { connection: { ...connection, kinds } } })
    // What is stored has an equal version and other content, so the source is asked; what it says is read by the new reader.
    expect(await scan(rig, upgraded)).toHaveLength(3)
    await rig.settle(upgraded)
    expect(new Set(Object.values(await rig.catalog()))).toEqual(new Set(['loud']))

    const remapped = await rig.session({
      runtime: { connection: { ...connection, kinds }, mappings: testMappings('2') },
      engine: { applyPending: true },
    })
    expect(await scan(rig, remapped)).toHaveLength(3)
    expect(await scan(rig, remapped)).toEqual([])
  })

  it('is parsed while one of its items cannot be read, has no key, or is asked about', async () => {
    const rig = await open()
    const session = await rig.session()
    await scan(rig, session)
    rig.source.put('n001', { name: 'poison' })
    for (const _ of [1, 2, 3]) expect(await scan(rig, session)).toContain('0')
    rig.source.put('n001', { name: 'sound' })
    await scan(rig, session)
    expect(await scan(rig, session)).toEqual([])

    // Without a key nobody knows what the page contains, however often it says so.
    rig.source.onPage = ({ cursor }) => (cursor === '0' ? keyless(rig.source.page('north', '0')) : undefined)
    for (const _ of [1, 2, 3]) await scan(rig, session)
    const states = (await rig.scans()).slice(-3)
    for (const state of states) expect(state).toMatch(/incomplete: 1 items of page 0 have no key/)
    rig.source.onPage = undefined
    await scan(rig, session)
    await equal(rig, session)
  })

  it('revives what was found gone meanwhile', async () => {
    const rig = await open()
    const session = await rig.session()
    await scan(rig, session)
    const thing = rig.source.things.get('n005')
    if (thing === undefined) throw new Error('it is there')
    await rig.deliver(rig.source.gone(thing, thing.version + 1))
    await rig.settle(session)
    expect(Object.keys(await rig.catalog())).not.toContain('name-n005')
    expect(await scan(rig, session)).toContain('n003')
    await equal(rig, session)
  })

  it('is read after all when a record of it moves between the comparison and the commit', async () => {
    const rig = await open()
    await scan(rig, await rig.session())
    let moved = false
    const session: Session = await rig.session({
      store: {
        async commit(batch) {
          if (!moved && batch.page?.cursor === 'n003') {
            moved = true
            await rig.query(`UPDATE records SET hash = '\\x00' WHERE key = 'n005'`)
            await rig.query('UPDATE kinds SET writes = writes + 1')
          }
          return rig.store.commit(batch)
        },
      },
    })
    const parsed = await scan(rig, session)
    expect(moved).toBe(true)
    expect(parsed).toContain('n003')
    await equal(rig, session)
  })

  it('breaks the listing when it cannot be parsed', async () => {
    const rig = await open()
    const session = await rig.session()
    await scan(rig, session)
    rig.source.onPage = ({ cursor }) =>
      cursor === 'n003'
        ? lazyPage({ cursor, bytes: Buffer.from('<html>') }, () => JSON.parse('<html>') as readonly Json[])
        : undefined
    await scan(rig, session)
    expect((await rig.scans()).at(-1)).toMatch(/^north incomplete: .*not valid JSON/)
    expect(await rig.catalog()).toEqual(rig.truth())
  })
})

function read(value: Json | undefined): Record<string, Json> {
  // The test source makes objects.
  return value as Record<string, Json>
}

function keyless(page: Page): Page {
  const items = page.items.map((item, index) => (index === 1 ? { ...read(item), id: 7 } : item))
  const bytes = Buffer.from(JSON.stringify(items))
  return lazyPage({ ...page, bytes }, () => items)
}
