import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { recordStory } from './testing/record-story.ts'

// Column widths follow the masked times.
const evenly = (text: string): string[] => text.split('\n').map((line) => line.replaceAll(/ {2,}/g, '  ').trimEnd())

it('the story goes as docs/story.md tells it (npm run -s story:record writes it anew)', async () => {
  const written = readFileSync(new URL('../../docs/story.md', import.meta.url), 'utf8')
  expect(evenly(await recordStory())).toEqual(evenly(written))
  // It tells what it says it does.
  expect(written).toContain('The guard would hold')
  expect(written).toContain('service:acme/checkout is back as it was, and pinned')
  expect(written).toMatch(
    /service:acme\/checkout was deleted at \(time\): the source was asked and answered that it is gone/,
  )
}, 300_000)
