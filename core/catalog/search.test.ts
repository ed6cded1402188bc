import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../testkit/database.ts'
import { array, columnArrays } from './binary.ts'
import { emptyDocument, storable } from './document.ts'
import { insertRows, table } from './rows.ts'
import { searchWords, tsvector } from './search.ts'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())

describe('the search vector', () => {
  test('has the parts of names and the words of searchable properties, best place first', async () => {
    const document = {
      ...emptyDocument,
      title: 'Checkout API',
      properties: { note: ['Über', { x: 42 }], other: 'hidden' },
    }
    const vector = tsvector('acme/checkout-v1.2', document, ['note'])
    const { rows } = await database.db.query<{ vector: string }>('SELECT unnest($1::tsvector[])::text AS vector', [
      array('tsvector', [vector]),
    ])
    expect(rows[0]?.vector).toBe(`'2':5B '42':7 'acme':3B 'api':2A 'checkout':1A 'v1':4B 'über':6`)
  })

  test('can be made of any text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.string({ maxLength: 2000 }),
        async (title, note) => {
          const document = { ...emptyDocument, title: storable(title), properties: { note: storable(note) } }
          const vector = tsvector('x', document, ['note'])
          const { rows } = await database.db.query<{ words: number }>(
            'SELECT length(v) AS words FROM unnest($1::tsvector[]) v',
            [array('tsvector', [vector])],
          )
          const words = new Set(
            [...searchWords(storable(title)), 'x', ...searchWords(storable(note))].map((word) => word.slice(0, 64)),
          )
          expect(rows[0]?.words).toBe(Math.min(words.size, 400))
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('rows', () => {
  const target = table('encoded', {
    a: 'int8',
    b: 'int4',
    c: 'text',
    d: 'text[]',
    e: 'jsonb',
    f: 'bytea',
    g: 'hex',
    h: 'timestamptz',
    i: 'bool',
  })
  const cell = fc.record({
    a: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    b: fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
    c: fc.option(fc.string({ unit: 'binary' }).map(storable)),
    d: fc.array(fc.string().map(storable)),
    e: fc.option(fc.jsonValue().map((value) => JSON.stringify(value).replaceAll(/\\u0000|\\ud[0-9a-f]{3}/g, ''))),
    f: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    g: fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('hex')),
    h: fc.date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true }).map((date) => date.getTime()),
    i: fc.boolean(),
  })

  test('arrive the same by COPY and by arrays', async () => {
    await database.db.query(
      'CREATE TABLE encoded (n serial, a int8, b int4, c text, d text[], e jsonb, f bytea, g bytea, h timestamptz, i bool)',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(cell, { minLength: 1, maxLength: 40 }), async (cells) => {
        const rows = cells.map((each) => target.columns.map(({ name }) => each[name as keyof typeof each]))
        await database.db.query('TRUNCATE encoded RESTART IDENTITY')
        await insertRows(database.db, target, rows)
        await insertRows(database.db, target, [...rows, ...rows, ...Array.from({ length: 100 }, () => rows[0] ?? [])])
        const { rows: stored } = await database.db.query<Record<string, unknown>>(
          'SELECT a, b, c, d, f, g, h, i, e::text AS e FROM encoded ORDER BY n',
        )
        const count = cells.length
        expect(stored.slice(0, count)).toEqual(stored.slice(count, 2 * count))
        for (const [index, each] of cells.entries()) {
          expect(stored[index]).toMatchObject({
            a: String(each.a),
            b: each.b,
            c: each.c,
            d: each.d,
            f: each.f,
            g: Buffer.from(each.g, 'hex'),
            h: new Date(each.h),
            i: each.i,
          })
        }
      }),
      { numRuns: 30 },
    )
  })

  test('an empty array is one', async () => {
    const { rows } = await database.db.query('SELECT $1::int8[] AS a', [array('int8', [])])
    expect([rows, columnArrays(target.columns, []).length]).toEqual([[{ a: [] }], 9])
  })
})
