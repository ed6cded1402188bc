import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextRun } from './schedule.ts'

const at = (text: string): number => Date.parse(text)

describe('nextRun', () => {
  it.each([
    ['*/30 * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:30:00Z'],
    ['*/30 * * * *', '2026-01-01T00:29:59.999Z', '2026-01-01T00:30:00Z'],
    ['*/10 * * * * *', '2026-01-01T00:00:05Z', '2026-01-01T00:00:10Z'],
    ['0 3 * * *', '2026-01-01T03:00:00Z', '2026-01-02T03:00:00Z'],
    ['0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00Z'],
    ['0 12 L * *', '2026-02-01T00:00:00Z', '2026-02-28T12:00:00Z'],
    ['15 4 * * 1', '2026-01-01T00:00:00Z', '2026-01-05T04:15:00Z'],
  ])('%s after %s is %s', (expression, after, expected) => {
    expect(new Date(nextRun(expression, at(after))).toISOString()).toBe(new Date(at(expected)).toISOString())
  })

  it('is strictly later and misses nothing between', () => {
    const start = at('2026-01-01T00:00:00Z')
    fc.assert(
      fc.property(
        fc.nat(86_400_000 * 400),
        fc.constantFrom('*/7 * * * *', '5 */3 * * *', '*/20 * * * * *'),
        (offset, cron) => {
          const next = nextRun(cron, start + offset)
          expect(next).toBeGreaterThan(start + offset)
          expect(nextRun(cron, next - 1)).toBe(next)
          expect(nextRun(cron, Math.max(start + offset, next - 1000))).toBe(next)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('refuses what cannot be read and what never comes', () => {
    expect(() => nextRun('x', 0)).toThrow(/expected 5 or 6 fields/)
    expect(() => nextRun('0 0 31 2 *', 0)).toThrow('impossible')
  })
})
