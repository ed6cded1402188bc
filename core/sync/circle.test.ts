import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Circle, nearby } from './circle.ts'

/** At which page of a way into a circle it is noticed: `lead` pages, then `size` of them round and round. */
function noticed(lead: number, size: number, limit: number): number | undefined {
  const circle = new Circle()
  for (let page = 0; page < limit; page++) {
    const cursor = page < lead ? `lead ${page}` : `round ${(page - lead) % size}`
    if (circle.met(cursor)) return page
    circle.add(cursor)
  }
  return undefined
}

it('notices a circle that it can see as soon as it closes', () => {
  fc.assert(
    fc.property(fc.nat(3000), fc.integer({ min: 1, max: nearby }), (lead, size) => {
      expect(noticed(lead, size, 10_000)).toBe(lead + size)
    }),
  )
})

it('notices any circle after a few rounds, and none where there is none', () => {
  fc.assert(
    fc.property(fc.nat(5000), fc.integer({ min: nearby + 1, max: 8000 }), (lead, size) => {
      const page = noticed(lead, size, 60_000) ?? Number.POSITIVE_INFINITY
      expect(page).toBeGreaterThanOrEqual(lead + size)
      expect(page).toBeLessThanOrEqual(4 * (lead + size))
    }),
    { numRuns: 30 },
  )
  expect(noticed(100_000, 1, 100_000)).toBeUndefined()
})

it('goes on after pages that were read before', () => {
  const circle = new Circle(['a', 'b'])
  expect([circle.met('a'), circle.met('c')]).toEqual([true, false])
})
