import { expect, test } from 'vitest'
import { fuzz } from './fuzz.ts'
import { ourAnswer } from './fuzz-compare.ts'

test('programs from the grammar give what jq 1.8.2 gives, messages included', async () => {
  const report = await fuzz({ seed: 20_261, runs: 400, seconds: 90 })
  expect(report.differences).toEqual([])
  // The rest of the report is about the fuzzing itself: whether it reaches what it is meant to reach.
  expect(report.runs).toBeGreaterThan(100)
  expect(report.skipped).toBeLessThanOrEqual(report.runs * 0.02)
  expect(report.withoutError).toBeGreaterThan(0.6)
}, 180_000)

test('a wrong order of strings is found', async () => {
  const report = await fuzz({
    seed: 7,
    runs: 5000,
    seconds: 100,
    stopAtFirst: true,
    answer: (test) => ourAnswer({ ...test, program: test.program.replace(/\bsort\b/g, 'sort | reverse') }),
  })
  expect(report.differences).toHaveLength(1)
}, 180_000)
