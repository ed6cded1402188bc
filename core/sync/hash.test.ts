import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Json } from '../sdk/index.ts'
import { contentOf, hashInto, hashSize, sealOf } from './hash.ts'

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

it('a page with other keys, other hashes, another order or another mapping version has another seal', () => {
  const hashes = Buffer.from('0'.repeat(32) + '1'.repeat(32), 'hex')
  const other = Buffer.from('0'.repeat(32) + '2'.repeat(32), 'hex')
  const seals = [
    sealOf(1, ['a', 'b'], hashes),
    sealOf(2, ['a', 'b'], hashes),
    sealOf(1, ['b', 'a'], hashes),
    sealOf(1, ['a', 'b'], other),
    sealOf(1, ['a","b'], hashes),
    sealOf(1, [], Buffer.alloc(0)),
  ]
  expect(new Set(seals.map((seal) => seal.toString('hex'))).size).toBe(6)
  expect(sealOf(1, ['a', 'b'], hashes)).toEqual(seals[0])
})
