import { afterEach, expect, it } from 'vitest'
import { runDueScans } from './due-scans.ts'
import { createRig, type Rig } from './testing/rig.ts'
import { TestSource } from './testing/source.ts'

const rigs: Rig[] = []
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.drop()
})

const minute = 60_000

async function rigOf(): Promise<Rig> {
  const rig = await createRig((clock) => new TestSource({}, clock))
  rig.source.fill(3)
  rigs.push(rig)
  return rig
}

async function count(rig: Rig): Promise<number> {
  return (await rig.scans()).length
}

it('runs at first sight, then by its schedule, and when somebody asks', async () => {
  const rig = await rigOf()
  const session = await rig.session()
  const start = rig.clock.time
  expect(await runDueScans(session, { resume: true })).toBe(start + 30 * minute)
  expect(await count(rig)).toBe(1)
  rig.clock.time = start + 29 * minute
  expect(await runDueScans(session, { resume: false })).toBe(start + 30 * minute)
  expect(await count(rig)).toBe(1)
  rig.clock.time = start + 30 * minute
  expect(await runDueScans(session, { resume: false })).toBe(start + 60 * minute)
  expect(await count(rig)).toBe(2)
  await rig.store.requestScan(session.source.id, 'thing')
  await runDueScans(session, { resume: false })
  await runDueScans(session, { resume: false })
  expect(await count(rig)).toBe(3)
})

it('keeps its rhythm when the clock steps back', async () => {
  const rig = await rigOf()
  const start = rig.clock.time
  rig.clock.time = start + 600 * minute
  const session = await rig.session()
  await runDueScans(session, { resume: false })
  rig.clock.time = start
  await runDueScans(session, { resume: false })
  expect(await count(rig)).toBe(1)
  rig.clock.time = start + 30 * minute
  await runDueScans(session, { resume: false })
  expect(await count(rig)).toBe(2)
  rig.clock.time = start + 59 * minute
  expect(await runDueScans(session, { resume: false })).toBe(start + 60 * minute)
  expect(await count(rig)).toBe(2)
})

it('tries a source that is down again soon, and says so', async () => {
  const rig = await rigOf()
  const session = await rig.session()
  rig.source.refused = true
  expect(await runDueScans(session, { resume: true })).toBe(rig.clock.time + minute)
  expect(rig.logs.some((line) => line.includes('source_credential_refused'))).toBe(true)
  rig.source.refused = false
  rig.clock.time += minute
  await runDueScans(session, { resume: false })
  expect(await rig.catalog()).toEqual(rig.truth())
})
