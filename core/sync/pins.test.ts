import { afterEach, describe, expect, it } from 'vitest'
import { listPinned } from '../catalog/query/pinned.ts'
import { createUndo } from '../catalog/undo.ts'
import { remap } from './remap.ts'
import { runScan } from './scan.ts'
import { createRig, type Rig, testMappings } from './testing/rig.ts'
import { TestSource } from './testing/source.ts'

const rigs: Rig[] = []
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.drop()
})

async function rigOf(): Promise<Rig> {
  const rig = await createRig((clock) => new TestSource({ pageSize: 5 }, clock))
  rig.source.fill(20)
  rigs.push(rig)
  await rescan(rig)
  return rig
}

async function rescan(rig: Rig): Promise<void> {
  const session = await rig.session()
  await runScan(session, 'thing')
  await rig.settle(session)
}

function first(rig: Rig) {
  const [thing] = rig.source.things.values()
  if (thing === undefined) throw new Error('the source is empty')
  return { thing, name: { blueprint: 'service', identifier: thing.name } }
}

const undoOf = (rig: Rig) => createUndo({ db: rig.db, now: () => rig.clock.time })
const entityOf = (rig: Rig, name: string) =>
  rig.query<{ id: string; live: boolean }>(
    'SELECT id, deleted IS NULL AS live FROM entities WHERE identifier = $1 ORDER BY id',
    [name],
  )

describe('a deletion that was undone', () => {
  it('stays through scans and through answers that it is gone, and ends when the source shows it again', async () => {
    const rig = await rigOf()
    const { thing, name } = first(rig)
    const [before] = await entityOf(rig, thing.name)
    rig.source.remove(thing.id)
    await rescan(rig)
    expect(await rig.catalog()).not.toHaveProperty(thing.name)
    rig.clock.time += 5 * 86_400_000
    await undoOf(rig).undo(name, { who: 'ada', reason: 'it comes back' })
    expect(await rig.catalog()).toMatchObject({ [thing.name]: thing.color })
    await rescan(rig)
    await rig.deliver(rig.source.gone(thing, 999))
    await rig.settle(await rig.session())
    await rig.deliver(rig.source.gone(thing))
    await rig.settle(await rig.session())
    await rescan(rig)
    expect(await rig.catalog()).toMatchObject({ [thing.name]: thing.color })
    expect((await listPinned(rig.db, { limit: 10 })).items).toMatchObject([
      { reference: `service:${thing.name}`, who: 'ada', reason: 'it comes back', kind: 'thing', key: thing.id },
    ])
    rig.source.put(thing.id, { color: 'gold', hidden: false })
    await rescan(rig)
    expect(await rig.catalog()).toMatchObject({ [thing.name]: 'gold' })
    expect((await listPinned(rig.db, { limit: 10 })).items).toEqual([])
    expect(await entityOf(rig, thing.name)).toEqual([{ id: before?.id, live: true }])
    rig.source.remove(thing.id)
    await rescan(rig)
    expect(await rig.catalog()).not.toHaveProperty(thing.name)
  })

  it('by a mapping stays through remaps and scans that do not select it, and ends when one does', async () => {
    const rig = await rigOf()
    const { thing, name } = first(rig)
    rig.source.put(thing.id, { hidden: true })
    await rescan(rig)
    expect(await rig.catalog()).not.toHaveProperty(thing.name)
    await undoOf(rig).undo(name, { who: 'ada' })
    rig.source.put(thing.id, { color: 'gold' })
    await rescan(rig)
    const runtime = {
      mappings: testMappings('2'),
      mappingContent: { file: 'test.yaml', mapping: 'changed', blueprints: [], variables: {} },
    }
    await remap(await rig.session({ runtime, engine: { applyPending: true } }))
    expect(await rig.catalog()).toMatchObject({ [thing.name]: thing.color })
    expect((await listPinned(rig.db, { limit: 10 })).items).toHaveLength(1)
    // Gone altogether, it is kept all the same.
    rig.source.remove(thing.id)
    const session = await rig.session({ runtime })
    await runScan(session, 'thing')
    await rig.settle(session)
    expect(await rig.catalog()).toMatchObject({ [thing.name]: thing.color })
    rig.source.put(thing.id, { color: 'gold', hidden: false })
    await runScan(await rig.session({ runtime }), 'thing')
    expect(await rig.catalog()).toMatchObject({ [thing.name]: 'gold' })
    expect((await listPinned(rig.db, { limit: 10 })).items).toEqual([])
    expect(await rig.query(`SELECT FROM held WHERE state = 'rejected'`)).toEqual([])
  })

  it('makes way for a new object under its name; ended by a person it is deleted again', async () => {
    const rig = await rigOf()
    const { thing, name } = first(rig)
    rig.source.remove(thing.id)
    await rescan(rig)
    await undoOf(rig).undo(name, { who: 'ada' })
    rig.source.put('new', { name: thing.name, color: 'gold' })
    await rescan(rig)
    expect(await rig.catalog()).toMatchObject({ [thing.name]: 'gold' })
    expect((await entityOf(rig, thing.name)).map(({ live }) => live)).toEqual([false, true])
    await expect(undoOf(rig).undo(name, { who: 'ada' })).rejects.toMatchObject({ code: 'not_deleted' })
    rig.source.remove('new')
    await rescan(rig)
    await undoOf(rig).undo(name, { who: 'ada' })
    expect(await rig.catalog()).toMatchObject({ [thing.name]: 'gold' })
    await expect(undoOf(rig).undo(name, { who: 'ada' })).rejects.toMatchObject({ code: 'not_deleted' })
    expect(await undoOf(rig).unpin(name, { who: 'ada' })).toEqual({ reference: `service:${thing.name}`, exists: false })
    expect(await rig.catalog()).not.toHaveProperty(thing.name)
    await expect(undoOf(rig).unpin(name, { who: 'ada' })).rejects.toMatchObject({ code: 'entity_unknown' })
    const never = { blueprint: 'service', identifier: 'never' }
    await expect(undoOf(rig).undo(never, { who: 'ada' })).rejects.toMatchObject({ code: 'entity_unknown' })
  })
})
