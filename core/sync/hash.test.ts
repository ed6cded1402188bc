import { expect, it } from 'vitest'
import { contentOf } from './hash.ts'

it('tells content and version apart, in 16 bytes', () => {
  const hashes = [
    contentOf({ a: 1 }, undefined),
    contentOf({ a: 2 }, undefined),
    contentOf({ a: 1 }, '1'),
    contentOf({ a: 1 }, ''),
    contentOf('\ud800', undefined),
  ].map((content) => content.hash)
  expect(new Set(hashes).size).toBe(5)
  for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{32}$/)
  expect(contentOf({ a: 1 }, '1')).toEqual(contentOf({ a: 1 }, '1'))
})
