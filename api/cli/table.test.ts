import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { table, wrap } from './table.ts'

const word = fc.string({ unit: fc.constantFrom('a', 'b', ':', '/', '-'), minLength: 1, maxLength: 12 })
const cell = fc.array(word, { maxLength: 12 }).map((words) => words.join(' '))
const shape = fc.integer({ min: 1, max: 5 }).chain((columns) =>
  fc.record({
    columns: fc.array(fc.constantFrom('id', 'source', 'reason'), { minLength: columns, maxLength: columns }),
    rows: fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 6 }),
  }),
)
const words = (text: string): string[] => text.split(/\s+/).filter((one) => one !== '')

describe('table', () => {
  const columns = ['id', 'kind', 'reason', 'where']
  const rows = [
    ['1', 'repository', 'what the credential may see has changed since it was last seen', 'service:acme/checkout'],
    ['22', 'repository', 'gone', 'service:acme/a'],
  ]

  test('where it fits, and for programs, a row is a line', () => {
    const expected = [
      'ID  KIND        REASON                                                          WHERE',
      '1   repository  what the credential may see has changed since it was last seen  service:acme/checkout',
      '22  repository  gone                                                            service:acme/a',
    ].join('\n')
    expect(table(columns, rows, '', undefined)).toBe(expected)
    expect(table(columns, rows, '', 101)).toBe(expected)
  })

  test('where it does not, what all share is said once, and words go over several lines', () => {
    expect(table(columns, rows, '', 60)).toBe(
      [
        'All: kind repository',
        'ID  REASON                             WHERE',
        '1   what the credential may see has    service:acme/checkout',
        '    changed since it was last seen',
        '22  gone                               service:acme/a',
      ].join('\n'),
    )
  })

  test('of nothing, its own words', () => {
    expect(table(columns, [], 'Nothing.', 10)).toBe('Nothing.')
  })

  test('no word is lost or cut at any width, and the first column names each row', () => {
    fc.assert(
      fc.property(shape, fc.integer({ min: 1, max: 120 }), (given, width) => {
        const text = table(given.columns, given.rows, '', width)
        const written = new Set(words(text))
        for (const one of words(given.rows.flat().join(' ')))
          expect(written.has(one) || written.has(`${one},`), one).toBe(true)
        const wide = table(given.columns, given.rows, '', undefined)
        if (wide.split('\n').every((line) => line.length <= width)) expect(text).toBe(wide)
      }),
    )
  })

  test('is no wider than the terminal, as long as its narrowest columns are not', () => {
    fc.assert(
      fc.property(shape, fc.integer({ min: 16 * 5 + 8, max: 200 }), (given, width) => {
        for (const line of table(given.columns, given.rows, '', width).split('\n'))
          expect(line.length).toBeLessThanOrEqual(width)
      }),
    )
  })
})

test('wrapped text is the same text', () => {
  fc.assert(
    fc.property(cell, fc.integer({ min: 14, max: 60 }), (text, width) => {
      const wrapped = wrap(text, width, '  ')
      expect(words(wrapped)).toEqual(words(text))
      for (const line of wrapped.split('\n')) expect(line.length).toBeLessThanOrEqual(width)
    }),
  )
})
