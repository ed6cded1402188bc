import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Connection, Kind, Partition } from '../sdk/index.ts'
import { letOrphansGo } from './orphans.ts'
import { runScan } from './scan.ts'
import type { Session } from './session.ts'
import { createRig, type Rig, testMappings } from './testing/rig.ts'
import { TestSource } from './testing/source.ts'

/** Things, and the parts of each: every thing is a partition of the kind `part`, called by the thing's name. */
function household(clock: () => number, get = true) {
  const things = new TestSource({ get, partitions: ['north', 'south'] }, clock)
  const parts = new TestSource({ versions: true }, clock)
  const left = new Set<string>()
  const thing = things.connection.kinds[0] as Kind
  const part: Kind = {
    ...(parts.connection.kinds[0] as Kind),
    name: 'part',
    partitions: () =>
      Promise.resolve(
        [...things.things.values()]
          .filter(({ id }) => !left.has(id))
          .map(({ id, name }): Partition => ({ name, parent: { kind: 'thing', key: id } })),
      ),
  }
  const connection: Connection = { ...things.connection, kinds: [thing, part] }
  return { things, parts, connection, left }
}

let rig: Rig
let home: ReturnType<typeof household>
let session: Session

async function open(get = true, guard = { share: 0.25, minimum: 5 }): Promise<void> {
  const mappings = testMappings()
  rig = await createRig(
    (clock) => {
      home = household(clock, get)
      return home.things
    },
    {
      runtime: {
        kinds: ['thing', 'part'],
        guard,
        mappings: { ...mappings, kinds: ['thing', 'part'], apply: (_, ...rest) => mappings.apply('thing', ...rest) },
      },
    },
  )
  for (const id of ['a', 'b']) {
    home.things.put(id, { name: `thing-${id}`, partitions: ['north'] })
    for (let count = 1; count <= 3; count++) {
      home.parts.put(`${id}${count}`, { name: `${id}${count}`, partitions: [`thing-${id}`] })
    }
  }
  session = await rig.session({ runtime: { connection: home.connection } })
  await scan()
}

async function scan(): Promise<void> {
  for (const kind of ['thing', 'part']) await runScan(session, kind)
}

async function state(): Promise<Record<string, string>> {
  const rows = await rig.query<{ name: string; state: string }>(
    `SELECT p.name, p.state FROM partitions p JOIN kinds k ON k.id = p.kind_id WHERE k.name = 'part' ORDER BY p.name`,
  )
  return Object.fromEntries(rows.map((row) => [row.name, row.state]))
}

/** Keys of the parts that live. */
async function parts(): Promise<string[]> {
  const rows = await rig.query<{ key: string }>(
    `SELECT r.key FROM records r JOIN kinds k ON k.id = r.kind_id WHERE k.name = 'part' AND r.state = 'live' ORDER BY r.key`,
  )
  return rows.map(({ key }) => key)
}

/** It goes with everything that hangs on it, and says so. */
async function removeThing(id: string): Promise<void> {
  const thing = home.things.things.get(id)
  const version = home.things.remove(id)
  if (thing !== undefined) await rig.deliver(home.things.gone(thing, version))
  for (const [key, part] of home.parts.things) {
    if (thing !== undefined && part.partitions.includes(thing.name)) home.parts.remove(key)
  }
}

afterEach(() => rig.drop())

describe('with a parent that can be asked about', () => {
  beforeEach(() => open())

  test('what hangs on it goes with it, and the empty partition is dropped', async () => {
    expect(await parts()).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'b3'])
    await removeThing('a')
    await rig.settle(session)
    expect(await parts()).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'b3'])
    expect(await letOrphansGo(session)).toBe(1)
    expect(await parts()).toEqual(['b1', 'b2', 'b3'])
    // Counted by the guard like any other removal.
    const [hours] = await rig.query<{ removed: string }>(
      `SELECT sum(removed) AS removed FROM guard_hours g JOIN kinds k ON k.id = g.kind_id WHERE k.name = 'part'`,
    )
    expect(hours?.removed).toBe('3')
    expect(await state()).toEqual({ 'thing-a': 'known', 'thing-b': 'known' })
    await scan()
    expect(await state()).toEqual({ 'thing-a': 'dropped', 'thing-b': 'known' })
    expect(await letOrphansGo(session)).toBe(0)
  })

  test('a partition that is only left out keeps what it holds and is unknown', async () => {
    home.left.add('a')
    await scan()
    expect(await letOrphansGo(session)).toBe(0)
    expect(await parts()).toHaveLength(6)
    expect(await state()).toEqual({ 'thing-a': 'unknown', 'thing-b': 'known' })
  })

  test('a parent that moved where the catalog has not seen it takes nothing with it', async () => {
    const thing = home.things.put('a', { partitions: ['south'] })
    await rig.deliver(home.things.gone({ ...thing, partitions: ['north'] }, thing.version))
    await rig.settle(session)
    await letOrphansGo(session)
    expect(await parts()).toHaveLength(6)
    // The question about it brings it back.
    await rig.settle(session)
    expect(Object.keys(await rig.catalog())).toContain('thing-a')
    expect(await letOrphansGo(session)).toBe(0)
  })

  test('a source that does not answer is asked again, and nothing goes before', async () => {
    await removeThing('a')
    await rig.settle(session)
    home.things.onGet = () => ({ state: 'unknown', reason: '503' })
    expect(await letOrphansGo(session)).toBe(0)
    expect(await parts()).toHaveLength(6)
    home.things.onGet = undefined
    // Not before the pause is over.
    expect(await letOrphansGo(session)).toBe(0)
    expect(await parts()).toHaveLength(6)
    rig.clock.time += 60_000
    expect(await letOrphansGo(session)).toBe(1)
    expect(await parts()).toHaveLength(3)
  })

  test('after a changed permission a person decides', async () => {
    await removeThing('a')
    await rig.settle(session)
    home.things.fingerprint = 'sees less'
    await runScan(session, 'thing')
    expect(await letOrphansGo(session)).toBe(1)
    expect(await parts()).toHaveLength(6)
    expect((await rig.holds()).toSorted()).toEqual([
      'a1 presence pending',
      'a2 presence pending',
      'a3 presence pending',
    ])
    // Once is enough.
    await scan()
    await letOrphansGo(session)
    expect(await rig.holds()).toHaveLength(3)
  })

  test('what was seen after the proof is left for the next look', async () => {
    await removeThing('a')
    await rig.settle(session)
    home.parts.put('a9', { name: 'a9', partitions: ['thing-a'] })
    let asked = false
    let seen = false
    home.things.onGet = () => {
      asked = true
      return { state: 'gone' }
    }
    // A listing of the partition that ends while the parent is asked about.
    const { store } = rig
    session = await rig.session({
      runtime: { connection: home.connection },
      store: {
        async guardWindow(...args) {
          if (asked && !seen) {
            seen = true
            await rig.query(
              `UPDATE presences SET end_tick = nextval('tick') FROM records r WHERE r.id = record_id AND r.key = 'a1'`,
            )
          }
          return store.guardWindow(...args)
        },
      },
    })
    await letOrphansGo(session)
    expect(seen).toBe(true)
    expect(await parts()).toContain('a1')
    rig.clock.time += 60_000
    await letOrphansGo(session)
    expect(await parts()).toEqual(['b1', 'b2', 'b3'])
  })
})

test('above the limit of the guard all of it is held', async () => {
  await open(true, { share: 0.25, minimum: 2 })
  await removeThing('a')
  await rig.settle(session)
  await letOrphansGo(session)
  expect(await parts()).toHaveLength(6)
  expect((await rig.holds()).toSorted()).toEqual(['a1 presence pending', 'a2 presence pending', 'a3 presence pending'])
})

test('a parent that cannot be asked about is believed gone once every partition was listed without it', async () => {
  await open(false)
  await removeThing('a')
  await runScan(session, 'thing')
  await letOrphansGo(session)
  const first = await parts()
  rig.clock.time += 60_000
  await runScan(session, 'thing')
  session.orphans.lookAt = 0
  await letOrphansGo(session)
  expect(first).toHaveLength(6)
  expect(await parts()).toEqual(['b1', 'b2', 'b3'])
})

test('a partition that is called by its parent is renamed with it', async () => {
  await open()
  const [before] = await rig.query<{ id: number }>(`SELECT id FROM partitions WHERE name = 'thing-a'`)
  home.things.put('a', { name: 'thing-z' })
  for (const part of home.parts.things.values()) {
    if (part.partitions.includes('thing-a')) home.parts.put(part.id, { partitions: ['thing-z'] })
  }
  await scan()
  const [after] = await rig.query<{ id: number }>(`SELECT id FROM partitions WHERE name = 'thing-z'`)
  expect(after?.id).toBe(before?.id)
  expect(await state()).toEqual({ 'thing-b': 'known', 'thing-z': 'known' })
  expect(await parts()).toHaveLength(6)
})

test('a partition that was dropped is unseen when it is named again', async () => {
  await open()
  await removeThing('a')
  await rig.settle(session)
  await letOrphansGo(session)
  await scan()
  home.things.put('a', { name: 'thing-a', partitions: ['north'] })
  home.parts.put('a1', { name: 'a1', partitions: ['thing-a'] })
  await scan()
  expect(await state()).toEqual({ 'thing-a': 'known', 'thing-b': 'known' })
  expect(await parts()).toEqual(['a1', 'b1', 'b2', 'b3'])
})
