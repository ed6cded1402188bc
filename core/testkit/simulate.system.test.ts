import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { byPeople, tables } from '../sync/states.ts'
import { mixes } from './mixes.ts'
import { plants } from './plants.ts'
import { type Report, type SimulationOptions, simulate } from './simulation.ts'
import { type SimulationServer, startSimulationServer } from './simulation-server.ts'

let server: SimulationServer

/** Taken by any run of this file. */
const taken = new Set<string>()

/** Rows that the few short runs of this file need not meet, and why. Those that only people take are tolerated beside them. */
const rare: readonly string[] = [
  // Needs the first listing of a partition ever to break behind its first page, and the very next run to leave it out.
  'partition unseen -forget-> unknown',
  // Need a limit in the middle of a listing, and a crash or another permission before it goes on.
  'scan running -abandon-> incomplete',
  'scan parked -abandon-> incomplete',
  'scan parked -resume-> running',
  // Need a hold that is overtaken by a source's word about just this object, in the state that it has then.
  'hold pending -see again-> dissolved',
  'hold approved -see again-> dissolved',
  'hold rejected -see again-> dissolved',
  'hold pending -sign-> released',
  'hold approved -sign-> released',
  'hold rejected -sign-> released',
  // Need a restored object, about which a late word arrives.
  'presence gone -observe-> live',
  'presence gone -doubt-> gone',
]

beforeAll(async () => {
  server = await startSimulationServer()
}, 120_000)

afterAll(() => server.stop())

async function run(options: Omit<SimulationOptions, 'url'>): Promise<Report> {
  const report = await server.fresh((url) => simulate({ ...options, url }))
  for (const row of report.rows) taken.add(row)
  return report
}

function told({ violations }: Report): readonly string[] {
  return violations.map(({ invariant, text, seed, step }) => `seed ${seed}, step ${step}: ${invariant} ${text}`)
}

describe('the shipped engine under every fault', () => {
  test.each([
    ['default', [1, 2]],
    ['partitions', [1, 2]],
    ['cascades', [1, 2]],
    ['limits', [1]],
    ['holds', [1]],
  ] as const)('nothing is violated under the mix "%s"', { timeout: 900_000 }, async (name, seeds) => {
    for (const seed of seeds) {
      const mix = mixes[name]
      const report = await run({ seed, steps: 4000, ...(mix === undefined ? {} : { mix }) })
      expect(told(report)).toEqual([])
      expect(report.rests).toBeGreaterThan(0)
    }
  })

  test('the same seed gives the same trace', { timeout: 600_000 }, async () => {
    const [first, second, other] = [
      await run({ seed: 3, steps: 1500 }),
      await run({ seed: 3, steps: 1500 }),
      await run({ seed: 5, steps: 1500 }),
    ]
    expect(second.trace).toBe(first.trace)
    expect(second.steps).toBe(first.steps)
    expect(other.trace).not.toBe(first.trace)
  })
})

describe('a planted defect', () => {
  test.each(Object.keys(plants))('%s is caught within 20 seeds', { timeout: 1_800_000 }, async (plant) => {
    for (let seed = 1; seed <= 20; seed++) {
      // Most are found in few steps; what is not gets a longer run.
      const steps = seed <= 4 ? 3000 : 8000
      const report = await run({ seed, steps, plant })
      if (report.violations.length === 0) continue
      expect(report.planted).toBeGreaterThan(0)
      // It is the defect that is seen: the same run without it is clean. Otherwise the seed proves nothing.
      const mix = plants[plant]?.mix
      const clean = told(await run({ seed, steps, ...(mix === undefined ? {} : { mix }) }))
      if (clean.length === 0) return
      console.log(`without the plant, too: ${clean.join('; ')}`)
    }
    expect.fail('not caught')
  })
})

function neverTaken(): readonly string[] {
  return Object.entries(tables).flatMap(([table, all]) =>
    all
      .filter(({ event }) => !byPeople.some((each) => each.table === table && each.event === event))
      .map(({ from, event, to }) => `${table} ${from} -${event}-> ${to}`)
      .filter((row) => !taken.has(row)),
  )
}

test('every row of the state tables was taken, but those that are named above', { timeout: 900_000 }, async () => {
  const missing = (): readonly string[] => neverTaken().filter((row) => !rare.includes(row))
  // Which seeds take a row changes with every statement of the engine: further ones are looked at only when one is missing.
  for (let seed = 3; seed <= 12; seed++) {
    for (const name of ['partitions', 'cascades'] as const) {
      const mix = mixes[name]
      if (missing().length === 0 || mix === undefined) continue
      expect(told(await run({ seed, steps: 4000, mix }))).toEqual([])
    }
  }
  console.log(`rows never taken: ${neverTaken().join('; ') || 'none'}`)
  expect(missing()).toEqual([])
})
