import { expect, test } from 'vitest'
import { compileMappings } from '../mapping/index.ts'
import { carryOutHolds } from './holds.ts'
import { runScan } from './scan.ts'
import { createRig, type Rig } from './testing/rig.ts'
import { TestSource } from './testing/source.ts'

/** Twenty things under the mapping file; then so many of them vanish, and a scan sees it. */
async function lose(lost: number, threshold: string): Promise<Rig> {
  const text = `${threshold}\nresources:\n  - kind: thing\n    entity: { identifier: .name, blueprint: '"service"' }\n`
  const { mappings } = compileMappings({ file: 'mapping.yaml', text })
  const content = { file: 'mapping.yaml', mapping: text, blueprints: [], variables: {} }
  const rig = await createRig(new TestSource(), { runtime: { mappings, mappingContent: content } })
  rig.source.fill(20)
  await runScan(await rig.session(), 'thing')
  for (const { id } of [...rig.source.things.values()].slice(0, lost)) rig.source.remove(id)
  await runScan(await rig.session(), 'thing')
  return rig
}
const left = async (rig: Rig): Promise<number> => Object.keys(await rig.catalog()).length
const held = (rig: Rig): Promise<{ reason: string; count: number }[]> =>
  rig.query<{ reason: string; count: number }>(
    `SELECT reason, count(*)::int AS count FROM held WHERE state = 'pending' GROUP BY reason`,
  )

test('of entityDeletionThreshold no more is deleted, and a person may let it go', async () => {
  const rig = await lose(3, 'entityDeletionThreshold: 0.1')
  expect(await left(rig)).toBe(20)
  const reason =
    "3 to take away, 0 in the last 24 hours already, limit 2 (10 % of 20 by the mapping file's entityDeletionThreshold)"
  expect(await held(rig)).toEqual([{ reason, count: 3 }])
  await rig.query(`UPDATE held SET state = 'approved'`)
  await carryOutHolds(await rig.session())
  expect(await left(rig)).toBe(17)
  await rig.drop()
})

test.each([
  ['as many as it says', 2, 'entityDeletionThreshold: 0.1'],
  ['what the guard lets go without one', 3, ''],
  ['no more than the guard lets go, however much it says', 5, 'entityDeletionThreshold: 0.9'],
])('%s', async (_, lost, threshold) => {
  const rig = await lose(lost, threshold)
  expect([await left(rig), await held(rig)]).toEqual([20 - lost, []])
  await rig.drop()
})

test('beyond the guard is held, however much it says', async () => {
  const rig = await lose(6, 'entityDeletionThreshold: 0.9')
  expect(await left(rig)).toBe(20)
  await rig.drop()
})
