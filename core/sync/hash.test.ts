import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Json } from '../sdk/index.ts'
import { contentOf, hashInto, hashSize } from './hash.ts'

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

// JSON is what fast-check gives here; its type says unknown.
const items = fc.array(fc.tuple(fc.jsonValue() as fc.Arbitrary<Json>, fc.option(fc.string(), { nil: undefined })))

it('is the same alone and among the items of a page', () => {
  fc.assert(
    fc.property(items, (page) => {
      const hashes = Buffer.alloc(page.length * hashSize)
      page.forEach(([canonical, version], index) => hashInto(hashes, index, canonical, version))
      expect(hashes.toString('hex')).toBe(
        page.map(([canonical, version]) => contentOf(canonical, version).hash).join(''),
      )
    }),
  )
})

it('is the same for a text too long to be encoded in place', () => {
  const hashes = Buffer.alloc(2 * hashSize)
  const long = 'é'.repeat(200_000)
  hashInto(hashes, 1, long, '7')
  expect(hashes.toString('hex', hashSize)).toBe(contentOf(long, '7').hash)
})
