import { afterEach, describe, expect, it } from 'vitest'
import { listDeliveries, replayDelivery } from '../catalog/query/deliveries.ts'
import { explain } from '../catalog/query/explain.ts'
import { listQuarantine } from '../catalog/query/quarantine.ts'
import { listSources } from '../catalog/query/sources.ts'
import { mostSetAside } from '../catalog/set-aside.ts'
import { type Json, type JsonObject, parseJson } from '../sdk/index.ts'
import { runScan } from './scan.ts'
import type { Session } from './session.ts'
import { createRig, type Rig } from './testing/rig.ts'
import { TestSource } from './testing/source.ts'

const rigs: Rig[] = []
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.drop()
})

async function rigOf(): Promise<Rig> {
  const rig = await createRig((clock) => new TestSource({ pageSize: 500 }, clock))
  rig.source.fill(3)
  rigs.push(rig)
  await scan(rig)
  return rig
}

async function scan(rig: Rig): Promise<Session> {
  const session = await rig.session()
  await runScan(session, 'thing')
  return session
}

/** Shows these, as JSON, beside what is there. */
function show(rig: Rig, items: readonly string[]): void {
  rig.source.onPage = ({ cursor }) => {
    const odd = items.map((item) => parseJson(item))
    const names = new Set(odd.map(idOf))
    const others = [...rig.source.things.values()].filter(({ id }) => !names.has(id))
    return { cursor, items: [...odd, ...others.map((thing) => rig.source.body(thing))] }
  }
}

const idOf = (item: Json): Json => (item as JsonObject)['id'] ?? null
const item = (id: string, more = ''): string =>
  `{"id":"${id}","name":"name-${id}","color":"red","version":900000${more}}`
const deep = `,"color":${'['.repeat(100_000)}${']'.repeat(100_000)}`
const long = 'k'.repeat(4000)

async function listed(rig: Rig, limit = 1000): Promise<string[]> {
  const { items } = await listQuarantine(rig.db, { source: 'test', kind: 'thing', limit })
  return items.map(({ partition, key, problem }) => {
    expect(problem.code).toBe('item_refused')
    return `${partition} ${key.slice(0, 5)} ${problem.field}: ${problem.message.slice(0, 30)}`
  })
}

async function counted(rig: Rig): Promise<number | undefined> {
  const [source] = await listSources(rig.db, {}, rig.clock.time)
  return source?.kinds[0]?.quarantined
}

async function asked(rig: Rig, text: string): Promise<string> {
  const { state, cause, summary, notes } = await explain(rig.db, text, () => undefined)
  return [state, cause, summary, ...notes].join(' | ')
}

describe('an object that cannot be read or kept', () => {
  it('is seen where people look for it, and gone again once it can be read', async () => {
    const rig = await rigOf()
    show(rig, [item('new', deep), item(long), item('n001', deep), '{"name":"nobody"}'])
    await scan(rig)
    expect((await listed(rig)).toSorted((left, right) => left.localeCompare(right))).toEqual([
      'north  key: an item has no id',
      'north kkkkk key: the key has 4000 bytes; at mos',
      'north n001 body: it is nested too deeply to be ',
      'north new body: it is nested too deeply to be ',
    ])
    expect(await counted(rig)).toBe(4)
    const missing =
      'quarantined | item_refused | The thing new of test is there (north), but it could not be read or kept: it is nested too deeply to be read.'
    expect(await asked(rig, 'service:name-new')).toBe(missing)
    expect(await asked(rig, 'record:test/thing/new')).toBe(missing)
    // It was read before: what it said then is what is shown.
    expect(await asked(rig, 'service:name-n001')).toMatch(/^present .*What is shown is older\.$/)
    expect(await asked(rig, 'record:test/thing/n001')).toMatch(/^record .*What is shown is older\.$/)
    // A listing that breaks off proves nothing about what it did not show.
    rig.source.onPage = () => Promise.reject(new Error('down'))
    await scan(rig)
    expect(await counted(rig)).toBe(4)
    rig.source.put('new')
    rig.source.onPage = undefined
    await scan(rig)
    expect(await listed(rig)).toEqual([])
    expect(await counted(rig)).toBe(0)
    expect(await asked(rig, 'service:name-n001')).not.toContain('older')
  })

  it('keeps the moment when it was first refused, and is no longer there with its partition', async () => {
    const rig = await rigOf()
    show(rig, [item('new', deep)])
    await scan(rig)
    const since = async () => (await listQuarantine(rig.db, { limit: 9 })).items[0]?.since
    const first = await since()
    rig.clock.time += 60_000
    await scan(rig)
    expect(await since()).toBe(first)
    rig.source.things.clear()
    rig.source.onPage = undefined
    await rig.query(`UPDATE presences SET ended = true`)
    rig.source.forgotten.add('north')
    await scan(rig)
    expect(await listed(rig)).toEqual([])
  })

  it('is one of a few that are kept, however many there are; all of them are counted', async () => {
    const rig = await rigOf()
    show(
      rig,
      Array.from({ length: 150 }, (_, index) => `{"id":"new${index}","name":"poison","version":9}`),
    )
    for (let round = 0; round < 2; round++) {
      await scan(rig)
      expect(await listed(rig)).toHaveLength(mostSetAside)
      expect(await counted(rig)).toBe(150)
    }
    const first = await listQuarantine(rig.db, { limit: 60 })
    const second = await listQuarantine(rig.db, { limit: 60, cursor: first.next ?? '' })
    expect([first.items.length, second.items.length, second.next]).toEqual([60, 40, undefined])
    expect(new Set([...first.items, ...second.items].map(({ key }) => key)).size).toBe(mostSetAside)
  })

  it('is seen when a delivery had it, until it is replayed or a scan reads it', async () => {
    const rig = await rigOf()
    const session = await rig.session()
    const say = (id: string, body: string) =>
      rig.store.accept(session.source.id, { id, event: 'thing', headers: {}, body: Buffer.from(body) })
    const signal = (key: string, body: string) =>
      `{"signals":[{"type":"stale","kind":"thing","key":"${key}","partition":"north","whole":true,"version":"900000","body":${body}}]}`
    await say('1', signal('new', item('new', deep)))
    await say('2', signal(long, item(long)))
    await say('3', signal('odd', '{"id":"odd","name":"poison","version":900000}'))
    await rig.settle(session)
    expect((await listed(rig)).toSorted((left, right) => left.localeCompare(right))).toEqual([
      'north kkkkk key: the key has 4000 bytes; at mos',
      'north new body: it is nested too deeply to be ',
      'north odd body: it has no canonical form',
    ])
    const { items } = await listDeliveries(rig.db, { state: 'dead', limit: 9 })
    await replayDelivery(rig.db, items.find(({ delivery }) => delivery === '3')?.id ?? '')
    expect(await listed(rig)).toHaveLength(2)
    await scan(rig)
    expect(await listed(rig)).toEqual([])
  })

  it('is said where the source was asked about it and the answer could not be read', async () => {
    const rig = await rigOf()
    rig.source.onGet = () => ({ state: 'present', body: parseJson(item('new', deep)) })
    await rig.deliver({ type: 'stale', kind: 'thing', key: 'new', partition: 'north', locator: { name: 'name-new' } })
    await rig.settle(await rig.session())
    expect(await asked(rig, 'service:name-new')).toContain(
      'test is asked about the thing new, 1 time in vain so far: the answer could not be used: it is nested too deeply to be read.',
    )
  })
})
