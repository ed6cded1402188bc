import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { getPlan, planProgress } from '../catalog/plans.ts'
import type { Json } from '../sdk/index.ts'
import type { Engine, MappingContent, SourceRuntime, Version } from '../sync/engine.ts'
import { remap } from '../sync/remap.ts'
import { runScan } from '../sync/scan.ts'
import { createRig, type Rig, testMappings } from '../sync/testing/rig.ts'
import { TestSource } from '../sync/testing/source.ts'
import { createPlans, type Plans } from './plans.ts'

const content = (mapping: string): MappingContent => ({ file: 'test.yaml', mapping, blueprints: [], variables: {} })

/** "2" is a version; "2 without n001 n002" selects those things no more. */
function compile({ mapping }: MappingContent): Version {
  const [version = '', without = ''] = mapping.split(' without ')
  const names = new Set(without.split(' '))
  const select = (body: Record<string, Json>): boolean => !names.has(JSON.stringify(body['id']).slice(1, -1))
  return {
    mappings: { ...testMappings(version, select), hash: `hash-${mapping}` },
    usable: true,
    problems: [],
    fetches: mapping.includes('files') ? { thing: [{ files: true }] } : {},
  }
}

let rig: Rig
let plans: Plans
let files = content('1')
const runtime = (): Partial<SourceRuntime> => ({
  mappings: compile(content('1')).mappings,
  mappingContent: content('1'),
  versions: { compile, files: () => files },
})

beforeEach(async () => {
  files = content('1')
  rig = await createRig((clock) => new TestSource({ pageSize: 5 }, clock), { runtime: runtime() })
  rig.source.fill(20)
  await runScan(await rig.session(), 'thing')
  const engine: Pick<Engine, 'sources' | 'wake'> = { sources: [rig.runtime()], wake: () => undefined }
  // Nothing else of it is used.
  plans = createPlans({ db: rig.db, engine: engine as Engine, ports: rig.ports() })
})
afterEach(async () => {
  await plans.close()
  await rig.drop()
})

async function planned(request: Partial<Parameters<Plans['create']>[0]> = {}) {
  const { id, done } = await plans.create({ source: 'test', ...request }, 'ann')
  await done
  return getPlan(rig.db, id)
}

async function apply(id: bigint) {
  const { done } = await plans.apply(id.toString(), 'ann')
  await done
  return getPlan(rig.db, id.toString())
}

async function everything(): Promise<Json> {
  const tables = [
    'records',
    'entities',
    'contributions',
    'held',
    'changes',
    'change_batches',
    'mappings',
    'guard_hours',
  ]
  const rows = await Promise.all(tables.map((table) => rig.query<Json>(`SELECT * FROM ${table} t ORDER BY 1, 2`)))
  return JSON.parse(JSON.stringify(rows)) as Json
}

describe('a plan', () => {
  it('shows what another version would do, writes nothing and calls no source', async () => {
    files = content('2 without n001 n002')
    rig.source.calls.length = 0
    const before = await everything()
    const plan = await planned()
    expect(plan).toMatchObject({ state: 'planned', how: 'apply', madeBy: 'ann' })
    expect(plan.summary).toMatchObject({
      differs: ['mapping'],
      records: 20,
      counts: { creates: 0, changes: 18, renames: 0, withdrawals: 2, feed: 20 },
      held: { count: 0 },
      quarantines: { added: 0 },
    })
    const [service] = plan.summary?.blueprints ?? []
    expect(service).toMatchObject({ blueprint: 'service', fields: [{ field: 'properties.version', count: 18 }] })
    expect(
      service?.samples.filter(({ operation }) => operation === 'withdrawal').map(({ reference }) => reference),
    ).toEqual(['service:name-n001', 'service:name-n002'])
    expect(service?.samples.find(({ operation }) => operation === 'change')?.diff).toEqual({
      'properties.version': ['1', '2'],
    })
    expect(await everything()).toEqual(before)
    expect(rig.source.calls).toEqual([])
  })

  it('says that nothing is pending', async () => {
    expect((await planned()).summary).toMatchObject({ differs: [], records: 0, counts: { feed: 0 } })
  })

  it('is carried out by the session that follows the version, and ends', async () => {
    files = content('2 without n001 n002')
    const { id, summary } = await planned()
    expect(await apply(id)).toMatchObject({ state: 'applying', appliedBy: 'ann' })
    const session = await rig.session()
    expect(await remap(session)).toBe(20)
    const after = await getPlan(rig.db, id.toString())
    expect(after.state).toBe('applied')
    expect((await planProgress(rig.db, after))?.done).toEqual({ updated: 18, deleted: 2 })
    expect(summary?.counts).toMatchObject({ changes: 18, withdrawals: 2 })
    expect(await rig.query('SELECT who, how FROM activations ORDER BY id')).toEqual([
      { who: 'start', how: 'start' },
      { who: 'ann', how: 'apply' },
    ])
  })

  it('is still good after what has nothing to do with it, and takes nothing away that it does not have', async () => {
    files = content('2 without n001')
    const { id } = await planned()
    rig.source.put('n003', { color: 'blue' })
    await runScan(await rig.session(), 'thing')
    expect((await apply(id)).state).toBe('applying')
    await remap(await rig.session())
    expect(Object.keys(await rig.catalog())).toHaveLength(19)

    files = content('3 without n001 n900')
    const second = await planned()
    rig.source.put('n900', { name: 'late' })
    await runScan(await rig.session(), 'thing')
    const refused = await apply(second.id)
    expect(refused).toMatchObject({ state: 'stale', problem: { code: 'plan_stale', outside: { count: 1 } } })
  })

  it('is refused once another version was activated that it would undo, and not when that says the same', async () => {
    files = content('2')
    const first = await planned()
    files = content('3')
    const second = await planned()
    const same = await planned()
    expect((await apply(second.id)).state).toBe('applying')
    await remap(await rig.session())
    const refused = await apply(first.id)
    expect(refused).toMatchObject({ state: 'stale', problem: { code: 'plan_stale' } })
    expect(refused.problem?.['message']).toMatch(/^Version \d+ \(test\.yaml, apply by ann\) became the active one/)
    expect(new Set(Object.values(await rig.catalog())).size).toBeGreaterThan(0)
    expect((await rig.query(`SELECT DISTINCT properties -> 'version' AS version FROM entities`))[0]).toEqual({
      version: '3',
    })
    expect((await apply(same.id)).state).toBe('applying')
  })

  it('that meets something new only while it is carried out holds it', async () => {
    files = content('2 without n001 n002')
    const { id } = await planned()
    await rig.query(`DELETE FROM plan_withdrawals WHERE blueprint || ':' || identifier = 'service:name-n002'`)
    expect((await apply(id)).state).toBe('applying')
    await remap(await rig.session())
    expect(Object.keys(await rig.catalog())).toHaveLength(19)
    expect(await rig.holds()).toEqual(['n002 contribution m/0 pending'])
  })

  it('has what the guard would hold, and its apply holds that', async () => {
    files = content(`2 without ${[...rig.source.things.keys()].join(' ')}`)
    const { id, summary } = await planned()
    expect(summary).toMatchObject({ counts: { withdrawals: 5 }, held: { count: 15 } })
    await apply(id)
    await remap(await rig.session())
    expect(await rig.holds()).toHaveLength(15)
  })

  it('is superseded by a rollback, which is a plan, too', async () => {
    files = content('2')
    const first = await planned()
    await apply(first.id)
    const back = await planned({ back: true })
    expect(back).toMatchObject({ how: 'rollback', content: content('1') })
    await apply(back.id)
    expect((await getPlan(rig.db, first.id.toString())).state).toBe('superseded')
    const session = await rig.session()
    await remap(session)
    expect((await getPlan(rig.db, back.id.toString())).state).toBe('applied')
    const [active] = await rig.query<{ content: Json }>(
      'SELECT content FROM mappings m JOIN sources s ON s.mapping_id = m.id',
    )
    expect(active?.content).toEqual(content('1'))
  })

  it('that was applied is what explain goes by', async () => {
    const versionOf = async (body: Json) => {
      const active = await plans.active()
      const [output] = active('test')?.apply('thing', body, { now: 0, text: JSON.stringify(body) }) ?? []
      return output?.state === 'selected' ? output.drafts[0]?.draft.properties['version'] : output?.state
    }
    files = content('2 without n001')
    expect(await versionOf({ id: 'n001', name: 'x' })).toBe('1')
    await apply((await planned()).id)
    expect([await versionOf({ id: 'n001' }), await versionOf({ id: 'n002', name: 'x' })]).toEqual(['deselected', '2'])
    await apply((await planned({ back: true })).id)
    expect(await versionOf({ id: 'n001', name: 'x' })).toBe('1')
    expect((await plans.active())('nobody')).toBeUndefined()
  })

  it('says what needs a scan, and its apply asks for it', async () => {
    files = content('2 files')
    const { id, summary } = await planned()
    expect(summary?.scans).toEqual([
      { kind: 'thing', reason: 'its selectors fetch [{"files":true}] now, and nothing else before' },
    ])
    await apply(id)
    expect(await rig.query(`SELECT kind FROM schedules WHERE requested`)).toEqual([{ kind: 'thing' }])
  })

  it('refuses a source, a version and a plan that there is not', async () => {
    await expect(plans.create({ source: 'x' }, 'ann')).rejects.toMatchObject({ code: 'source_unknown' })
    await expect(plans.create({ source: 'test', version: '99' }, 'ann')).rejects.toMatchObject({
      code: 'version_unknown',
    })
    await expect(plans.create({ source: 'test', back: true }, 'ann')).rejects.toMatchObject({ code: 'version_unknown' })
    await expect(plans.apply('99', 'ann')).rejects.toMatchObject({ code: 'plan_unknown' })
  })
})
