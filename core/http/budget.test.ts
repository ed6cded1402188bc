import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RateLimited } from '../sdk/index.ts'
import { Budget, Budgets } from './budget.ts'

const now = 1_000_000_000_000
const reset = now + 600_000

const refusal = (budget: Budget, priority: 'live' | 'action' | 'confirm' | 'scan', at = now): number | undefined => {
  try {
    budget.enter(priority, 0.4, at)
    budget.leave()
    return undefined
  } catch (error) {
    if (error instanceof RateLimited) return error.retryAt
    throw error
  }
}

test('the less urgent stop first: scans at the reserve, then confirms, actions, live reads', () => {
  const budget = new Budget('x')
  const left = (remaining: number) => budget.observe({ limit: 1000, remaining, resetAt: reset }, now)
  const refused = () => (['scan', 'confirm', 'action', 'live'] as const).filter((p) => refusal(budget, p) !== undefined)
  left(401)
  expect(refused()).toEqual([])
  left(400)
  expect(refused()).toEqual(['scan'])
  left(200)
  expect(refused()).toEqual(['scan', 'confirm'])
  left(100)
  expect(refused()).toEqual(['scan', 'confirm', 'action'])
  left(0)
  expect(refused()).toEqual(['scan', 'confirm', 'action', 'live'])
  expect(refusal(budget, 'scan')).toBe(reset)
})

test('calls in flight count before their answers come', () => {
  const budget = new Budget('x')
  budget.observe({ limit: 10, remaining: 6, resetAt: reset }, now)
  budget.enter('scan', 0.4, now)
  budget.enter('scan', 0.4, now)
  expect(refusal(budget, 'scan')).toBe(reset)
  budget.leave()
  expect(refusal(budget, 'scan')).toBeUndefined()
})

test('a new window starts with nothing known', () => {
  const budget = new Budget('x')
  budget.observe({ limit: 10, remaining: 0, resetAt: reset }, now)
  expect(refusal(budget, 'live', reset - 1)).toBe(reset)
  expect(refusal(budget, 'scan', reset)).toBeUndefined()
})

test('an older answer of the same window does not give allowance back, and one of the window before is ignored', () => {
  const budget = new Budget('x')
  budget.observe({ limit: 10, remaining: 3, resetAt: reset }, now)
  budget.observe({ limit: 10, remaining: 8, resetAt: reset + 1000 }, now)
  expect(budget.state(now).remaining).toBe(3)
  budget.observe({ limit: 10, remaining: 9, resetAt: reset - 60_000 }, now)
  expect(budget.state(now).remaining).toBe(3)
  budget.observe({ limit: 10, remaining: 10, resetAt: reset + 3_600_000 }, now)
  expect(budget.state(now).remaining).toBe(10)
})

test('told to wait without a time: 60 s, doubled each time up to an hour, from the start after a success', () => {
  const budget = new Budget('x')
  const waits = Array.from({ length: 8 }, (_, i) => budget.refuse({}, now + i * 1e8) - (now + i * 1e8))
  expect(waits).toEqual([60, 120, 240, 480, 960, 1920, 3600, 3600].map((s) => s * 1000))
  budget.observe({}, now + 9e8)
  expect(budget.refuse({}, now + 9e8) - (now + 9e8)).toBe(60_000)
})

test('a secondary limit is not told by the reset of the primary one', () => {
  const budget = new Budget('x')
  expect(budget.refuse({ remaining: 4000, resetAt: reset }, now)).toBe(now + 60_000)
  const other = new Budget('y')
  expect(other.refuse({ remaining: 0, resetAt: reset, retryAt: now + 5000 }, now)).toBe(reset)
})

test('whatever it hears, no call is let through before the latest time it was told', () => {
  const step = fc.record({
    after: fc.integer({ min: 0, max: 100_000 }),
    refuse: fc.boolean(),
    remaining: fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined }),
    reset: fc.option(fc.integer({ min: -1000, max: 500_000 }), { nil: undefined }),
    retry: fc.option(fc.integer({ min: -1000, max: 500_000 }), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const budget = new Budget('x')
      let at = now
      let told = 0
      for (const s of steps) {
        at += s.after
        const allowed = refusal(budget, 'live', at) === undefined
        if (allowed) expect(at).toBeGreaterThanOrEqual(told)
        const note = {
          ...(s.remaining === undefined ? {} : { remaining: s.remaining }),
          ...(s.reset === undefined ? {} : { resetAt: at + s.reset }),
          ...(s.retry === undefined ? {} : { retryAt: at + s.retry }),
        }
        if (!s.refuse) budget.observe(note, at)
        else {
          const retryAt = budget.refuse(note, at)
          expect(retryAt).toBeGreaterThan(at)
          told = Math.max(told, retryAt, s.retry === undefined ? 0 : at + s.retry)
        }
      }
    }),
  )
})

test('sources with one credential share a budget', () => {
  const budgets = new Budgets()
  budgets.of('token').refuse({ retryAt: reset }, now)
  expect(refusal(budgets.of('token'), 'live')).toBe(reset)
  expect(refusal(budgets.of('other'), 'live')).toBeUndefined()
  expect(budgets.states(now).map((s) => [s.credential, s.blockedUntil])).toEqual([
    ['token', reset],
    ['other', undefined],
  ])
})
