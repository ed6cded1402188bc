import { afterEach, describe, expect, it } from 'vitest'
import { Unstorable } from '../catalog/refusals.ts'
import type { Store } from '../catalog/store.ts'
import { compileMappings } from '../mapping/index.ts'
import { parseJson } from '../sdk/index.ts'
import { carryOutHolds } from './holds.ts'
import { remap } from './remap.ts'
import { runScan } from './scan.ts'
import { createRig, type Rig, testMappings } from './testing/rig.ts'
import { TestSource } from './testing/source.ts'

const rigs: Rig[] = []
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.drop()
})

async function rigOf(count = 20): Promise<Rig> {
  const rig = await createRig((clock) => new TestSource({ pageSize: 5 }, clock))
  rig.source.fill(count)
  rigs.push(rig)
  await runScan(await rig.session(), 'thing')
  return rig
}

async function rescan(rig: Rig): Promise<void> {
  const session = await rig.session()
  await runScan(session, 'thing')
  await rig.settle(session)
}

const content = (mapping: string) => ({ file: 'test.yaml', mapping, blueprints: [], variables: {} })
const versions = `SELECT properties ->> 'version' AS version, count(*)::int AS count FROM entities WHERE deleted IS NULL GROUP BY 1 ORDER BY 1`

describe('a changed mapping', () => {
  it('waits until it is applied, and is then run over stored records without a call', async () => {
    const rig = await rigOf()
    const runtime = { mappings: testMappings('2'), mappingContent: content('changed') }
    await expect(rig.session({ runtime })).rejects.toMatchObject({ code: 'mapping_pending', exitCode: 3 })
    const session = await rig.session({ runtime, engine: { applyPending: true } })
    rig.source.calls.length = 0
    expect(await remap(session)).toBe(20)
    expect(rig.source.calls).toEqual([])
    expect(await rig.query(versions)).toEqual([{ version: '2', count: 20 }])
    expect(await remap(session)).toBe(0)
    const [{ cause } = { cause: undefined }] = await rig.query<{ cause: unknown }>(
      'SELECT cause FROM change_batches ORDER BY id DESC LIMIT 1',
    )
    expect(cause).toEqual({ type: 'remap', mapping: session.mappingId })
  })

  it('of the same file under another engine version is applied by itself', async () => {
    const rig = await rigOf()
    const session = await rig.session({ runtime: { mappings: testMappings('2') } })
    await remap(session)
    expect(await rig.query(versions)).toEqual([{ version: '2', count: 20 }])
  })

  it('that deselects more than the guard allows is held beyond it, and carried out when approved', async () => {
    const rig = await rigOf()
    const runtime = { mappings: testMappings('2', () => false), mappingContent: content('changed') }
    const session = await rig.session({ runtime, engine: { applyPending: true } })
    await remap(session)
    expect(Object.keys(await rig.catalog())).toHaveLength(15)
    expect(await rig.holds()).toHaveLength(15)
    await rig.query(`UPDATE held SET state = 'approved', decided_by = 'ann'`)
    await rig.settle(session)
    expect(await rig.catalog()).toEqual({})
    expect(new Set((await rig.holds()).map((hold) => hold.split(' ').at(-1)))).toEqual(new Set(['released']))
  })

  it('makes a process that has the old one write nothing any more', async () => {
    const rig = await rigOf()
    const old = await rig.session()
    await rig.store.activateMapping(old.source.id, { hash: 'other', content: {}, blueprints: [] })
    rig.source.put('n001', { color: 'blue' })
    await expect(runScan(old, 'thing')).rejects.toThrow('no longer the active one')
    expect((await rig.catalog())['name-n001']).toBe('red')
  })
})

describe('what a record says', () => {
  it('keeps the last good value of a failed property, marked, and takes the next good one', async () => {
    const rig = await rigOf()
    rig.source.put('n001', { color: 'bad' })
    rig.source.put('n900', { color: 'bad' })
    await rescan(rig)
    const marked = `SELECT identifier, properties ->> 'color' AS color FROM entities WHERE failed IS NOT NULL ORDER BY 1`
    expect(await rig.query(marked)).toEqual([
      { identifier: 'name-n001', color: 'red' },
      { identifier: 'name-n900', color: null },
    ])
    rig.source.put('n001', { color: 'blue' })
    rig.source.put('n900', { color: 'blue' })
    await rescan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
    expect(await rig.query(marked)).toEqual([])
  })

  it('turning null across the kind is held beyond the guard, dissolves when the values are back', async () => {
    const rig = await rigOf()
    for (const id of rig.source.things.keys()) rig.source.put(id, { color: null })
    await rescan(rig)
    expect(Object.values(await rig.catalog()).filter((color) => color === 'red')).toHaveLength(15)
    expect((await rig.holds()).filter((hold) => hold.includes('property m/0/color pending'))).toHaveLength(15)
    for (const id of rig.source.things.keys()) rig.source.put(id, { color: 'back' })
    await rescan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
    expect((await rig.holds()).filter((hold) => !hold.endsWith('dissolved'))).toEqual([])
  })

  it('held and then approved is not put back by a page that was compared before', async () => {
    const rig = await rigOf(5)
    const mine = await rig.session({ runtime: { guard: { share: 0, minimum: 0 } } })
    for (const id of rig.source.things.keys()) rig.source.put(id, { color: null })
    await runScan(mine, 'thing')
    expect((await rig.holds()).filter((hold) => hold.includes('color pending'))).toHaveLength(5)
    for (const id of rig.source.things.keys()) rig.source.put(id)
    const session = await rig.session({
      store: {
        async compare(...asked) {
          const answer = await rig.store.compare(...asked)
          await rig.query(`UPDATE held SET state = 'approved', decided_by = 'ann' WHERE state = 'pending'`)
          await carryOutHolds(session)
          return answer
        },
      },
    })
    await runScan(session, 'thing')
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('that is deselected is withdrawn', async () => {
    const rig = await rigOf()
    rig.source.put('n001', { hidden: true })
    await rescan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('of a poison item stays as it was; its neighbours go on, and the next scan looks again', async () => {
    const rig = await rigOf()
    rig.source.put('n001', { name: 'poison' })
    rig.source.put('n002', { color: 'blue' })
    await rescan(rig)
    expect(await rig.catalog()).toMatchObject({ 'name-n001': 'red', 'name-n002': 'blue' })
    expect(await rig.query('SELECT failed::int, state FROM scans ORDER BY id DESC LIMIT 1')).toEqual([
      { failed: 1, state: 'complete' },
    ])
    expect(rig.logs.filter((line) => line.includes('item set aside'))).toHaveLength(1)
    rig.source.put('n001', { name: 'healed' })
    await rescan(rig)
    expect(await rig.catalog()).toEqual(rig.truth())
  })

  it('that the database refuses stays as it was; its neighbours go on', async () => {
    const rig = await rigOf()
    const store: Partial<Store> = {
      commit(batch) {
        const refused = batch.writes?.some(({ key }) => key === 'n001' || key === 'n003') === true
        return refused ? Promise.reject(new Unstorable('it is refused')) : rig.store.commit(batch)
      },
    }
    rig.source.put('n001', { color: 'green' })
    rig.source.put('n002', { color: 'blue' })
    const session = await rig.session({ store })
    await runScan(session, 'thing')
    await rig.settle(session)
    expect(await rig.catalog()).toMatchObject({ 'name-n001': 'red', 'name-n002': 'blue' })
    expect(await rig.query('SELECT failed::int, state FROM scans ORDER BY id DESC LIMIT 1')).toEqual([
      { failed: 1, state: 'complete' },
    ])
    await rig.deliver(rig.source.changed(rig.source.put('n003', { color: 'green' })))
    await rig.deliver(rig.source.changed(rig.source.put('n004', { color: 'blue' })))
    await rig.settle(session)
    expect(await rig.catalog()).toMatchObject({ 'name-n003': 'red', 'name-n004': 'blue' })
    expect(await rig.query(`SELECT delivery FROM inbox WHERE state = 'dead'`)).toEqual([{ delivery: 'd1' }])
  })
})

describe('an id above 2^53', () => {
  const id = '12345678901234567890'
  const compiled = (entity: string) =>
    compileMappings({
      file: 'm.yaml',
      text: `resources: [{ kind: thing, entity: { blueprint: '"service"', ${entity} } }]`,
    }).mappings

  it('keeps its digits from the answer of the source to the entity, and when stored records are mapped again', async () => {
    const rig = await createRig((clock) => new TestSource({ pageSize: 5 }, clock))
    rigs.push(rig)
    rig.source.put('n1', { name: 'checkout' })
    rig.source.onPage = () => ({ items: [parseJson(`{"id":"n1","name":${id},"version":1}`)], cursor: '' })
    const first = { mappings: compiled('identifier: .name'), mappingContent: content('first') }
    const scan = await rig.session({ runtime: first })
    await runScan(scan, 'thing')
    const identifiers = 'SELECT identifier FROM entities WHERE deleted IS NULL ORDER BY 1'
    expect(await rig.query(identifiers)).toEqual([{ identifier: id }])
    const second = { mappings: compiled(`identifier: '"id-" + (.name | tostring)'`), mappingContent: content('second') }
    const session = await rig.session({ runtime: second, engine: { applyPending: true } })
    await remap(session)
    expect(await rig.query(identifiers)).toEqual([{ identifier: `id-${id}` }])
  })
})
