import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Problem } from '../model/problem.ts'
import type { Document } from './document.ts'
import { merge, type Ranked } from './merge.ts'

const problem = (field: string, mapping: string): Problem => ({
  code: 'expression_failed',
  mapping,
  field,
  expression: '.x',
  message: `failed in ${mapping}`,
})

const value = fc.constantFrom<string | number | readonly string[]>('x', 'y', 1, [], ['z'])
const document = (mapping: string): fc.Arbitrary<Document> =>
  fc.record({
    title: fc.constantFrom(null, 'one', 'two'),
    team: fc.constantFrom([], ['red'], ['blue']),
    properties: fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), value, { maxKeys: 3 }),
    relations: fc.dictionary(fc.constantFrom('owner', 'uses'), fc.constantFrom('t1', 't2'), { maxKeys: 2 }),
    failed: fc
      .uniqueArray(fc.constantFrom('title', 'team', 'properties.a', 'properties.c', 'relations.owner'))
      .map((fields) => fields.map((field) => problem(field, mapping))),
  })

const contributions: fc.Arbitrary<Ranked[]> = fc
  .uniqueArray(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 5 })
  .chain((items) =>
    fc.tuple(
      ...items.map((item) =>
        fc.record({
          rank: fc.record({
            precedence: fc.integer({ min: 0, max: 2 }),
            version: fc.constantFrom(null, '1', '2'),
            key: fc.constantFrom('k1', 'k2'),
            source: fc.constant('s'),
            kind: fc.constant('k'),
            mapping: fc.constant('m'),
            item: fc.constant(String(item)),
          }),
          document: document(String(item)),
        }),
      ),
    ),
  )

describe('merge', () => {
  test('does not depend on the order of arrival', () => {
    fc.assert(
      fc.property(
        contributions.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
        ),
        ([list, shuffled]) => {
          expect(merge(shuffled)).toEqual(merge(list))
        },
      ),
    )
  })

  test('each field is the one of the first contribution that has it, with its mark', () => {
    const ranked = (precedence: number, version: string | null, key: string, said: Partial<Document>): Ranked => ({
      rank: { precedence, version, key, source: 's', kind: 'k', mapping: 'm', item: '0' },
      document: { title: null, team: [], properties: {}, relations: {}, failed: [], ...said },
    })
    const merged = merge([
      ranked(1, '9', 'a', { title: 'later source', team: ['red'], properties: { a: 'low', d: 1 } }),
      ranked(0, '1', 'b', {
        title: 'older',
        properties: { a: 'older', b: 'older' },
        failed: [problem('properties.b', 'kept')],
      }),
      ranked(0, '2', 'c', {
        properties: { a: 'newest' },
        failed: [problem('properties.b', 'lost'), problem('properties.d', 'lost'), problem('properties.e', 'first')],
      }),
      ranked(0, null, 'd', { properties: { c: 'none' }, failed: [problem('properties.e', 'second')] }),
    ])
    expect(merged).toEqual({
      title: 'older',
      team: ['red'],
      properties: { a: 'newest', b: 'older', c: 'none', d: 1 },
      relations: {},
      // b keeps the mark of the value it shows; d shows an unmarked value; e has no value, so the first mark says why.
      failed: [problem('properties.b', 'kept'), problem('properties.e', 'first')],
    })
  })

  test('a property may be called __proto__', () => {
    const properties = JSON.parse('{"__proto__": "own"}')
    const said = { title: null, team: [], properties, relations: {}, failed: [] }
    const rank = { precedence: 0, version: null, key: 'k', source: 's', kind: 'k', mapping: 'm' }
    const merged = merge([
      { rank: { ...rank, item: '0' }, document: said },
      { rank: { ...rank, item: '1' }, document: said },
    ])
    expect(Object.hasOwn(merged.properties, '__proto__')).toBe(true)
  })
})
