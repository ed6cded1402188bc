import { describe, expect, test } from 'vitest'
import { duration, judge, type PartitionFacts, worst } from './freshness.ts'

const now = Date.parse('2026-11-28T12:00:00Z')
const facts: PartitionFacts = {
  source: 'github',
  kind: 'repository',
  sourceState: 'active',
  state: 'known',
  reason: null,
  completeAt: now - 60_000,
  scan: { state: 'complete', reason: null },
  lagSeconds: 0,
}

describe('freshness', () => {
  test('fresh within the objective', () => {
    expect(judge(facts, 3600, now)).toEqual({ freshness: 'fresh' })
  })

  test.each<[string, Partial<PartitionFacts>, number | undefined]>([
    ['a frozen source', { sourceState: 'frozen' }, 3600],
    ['a source without an objective', {}, undefined],
    ['a scope that cannot be read, however fresh its last scan', { state: 'unknown', reason: '404' }, 3600],
    ['what was never listed', { completeAt: undefined, state: 'unseen', scan: undefined }, 3600],
  ])('%s is unknown and says what to do', (_name, change, objective) => {
    const judged = judge({ ...facts, ...change }, objective, now)
    expect(judged.freshness).toBe('unknown')
    expect(judged.reason).not.toBe('')
    expect(judged.advice).not.toBe('')
  })

  test('stale when the scan or the live events are older than the objective', () => {
    expect(judge({ ...facts, completeAt: now - 7_200_000 }, 3600, now)).toMatchObject({ freshness: 'stale' })
    expect(judge({ ...facts, lagSeconds: 4000 }, 3600, now)).toMatchObject({ freshness: 'stale' })
  })

  test('the worst counts, and nothing is unknown', () => {
    expect(worst(['fresh', 'unknown', 'stale'])).toBe('unknown')
    expect(worst(['fresh', 'stale'])).toBe('stale')
    expect(worst([])).toBe('unknown')
  })

  test('durations', () => {
    expect([5, 89, 600, 7200, 200_000].map(duration)).toEqual(['5 s', '89 s', '10 min', '2 h', '2 d'])
  })
})
