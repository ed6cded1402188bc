import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { byPeople, tables } from '../sync/states.ts'
import { plants } from './plants.ts'
import { type Report, simulate } from './simulation.ts'
import { type SimulationServer, startSimulationServer } from './simulation-server.ts'

let server: SimulationServer

beforeAll(async () => {
  server = await startSimulationServer()
})

afterAll(() => server.stop())

function run(seed: number, steps: number, plant?: string): Promise<Report> {
  return server.fresh((url) => simulate({ seed, steps, url, ...(plant === undefined ? {} : { plant }) }))
}

function told({ violations }: Report): readonly string[] {
  return violations.map(({ invariant, text, seed, step }) => `seed ${seed}, step ${step}: ${invariant} ${text}`)
}

describe('the shipped engine under every fault', () => {
  test('nothing is violated, and every row of the state tables is taken', { timeout: 900_000 }, async () => {
    const rows = new Set<string>()
    const faults = new Map<string, number>()
    for (let seed = 1; seed <= 12; seed++) {
      const report = await run(seed, 5000)
      expect(told(report)).toEqual([])
      for (const row of report.rows) rows.add(row)
      for (const [name, count] of Object.entries(report.faults)) faults.set(name, (faults.get(name) ?? 0) + count)
    }
    const never = Object.entries(tables).flatMap(([table, all]) =>
      all
        .filter(({ event }) => !byPeople.some((each) => each.table === table && each.event === event))
        .map(({ from, event, to }) => `${table} ${from} -${event}-> ${to}`)
        .filter((row) => !rows.has(row)),
    )
    // Rows that take a rare meeting of faults are reported, not asserted: which seeds meet them changes with the code.
    if (never.length > 0) console.log(`rows never taken: ${never.join('; ')}`)
    expect(never.length).toBeLessThan(8)
    expect([...faults].filter(([, count]) => count === 0).map(([name]) => name)).toEqual([])
  })

  test('the same seed gives the same trace', { timeout: 300_000 }, async () => {
    const [first, second, other] = [await run(3, 2500), await run(3, 2500), await run(5, 2500)]
    expect(second.trace).toBe(first.trace)
    expect(second.steps).toBe(first.steps)
    expect(other.trace).not.toBe(first.trace)
  })

  test.each(Object.keys(plants))('%s is caught within 20 seeds', { timeout: 1_800_000 }, async (plant) => {
    const tried: number[] = []
    for (let seed = 1; seed <= 20; seed++) {
      tried.push(seed)
      if ((await run(seed, 6000, plant)).violations.length > 0) return
    }
    expect.fail(`not caught by the seeds ${tried.join()}`)
  })
})
