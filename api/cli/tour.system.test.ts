import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { recordTour } from './testing/record-tour.ts'

// Column widths follow the masked times.
const evenly = (text: string): string[] => text.split('\n').map((line) => line.replaceAll(/ {2,}/g, '  ').trimEnd())

it('the tour says what docs/tour.md shows (npm run -s tour:record writes it anew)', async () => {
  const written = readFileSync(new URL('../../docs/tour.md', import.meta.url), 'utf8')
  const said = await recordTour()
  expect(evenly(said)).toEqual(evenly(written))
  // It breaks what it says, and ends well.
  expect(said).toMatch(/\(exit 3\)/)
  expect(said).toMatch(/! unknown: acme-labs: /)
  expect(said.slice(said.indexOf('== 7.'))).not.toMatch(/unknown|held|exit/)
}, 500_000)
