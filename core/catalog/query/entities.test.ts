import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FreshDatabase, freshDatabase } from '../../testkit/database.ts'
import { type EntityQuery, listEntities } from './entities.ts'
import { getEntity } from './entity.ts'
import { parseWhere } from './where.ts'
import { World } from './world.fixture.ts'

let database: FreshDatabase
let world: World

const services = [
  { name: 'checkout', language: 'go', stars: 10, topics: ['payments', 'core'], title: 'Checkout' },
  { name: 'payments', language: 'go', stars: 3, topics: ['payments'], title: 'Payments API' },
  { name: 'web', language: 'typescript', stars: 120, topics: [], title: 'Web shop' },
  { name: 'legacy', language: null, stars: null, topics: null, title: null },
]

beforeAll(async () => {
  database = await freshDatabase()
  world = new World(database.db)
  await world.see('github', 'team', [
    { key: 't1', entities: [{ blueprint: 'team', identifier: 'acme/shop', title: 'Shop' }] },
  ])
  await world.see(
    'github',
    'repository',
    services.map(({ name, language, stars, topics, title }, index) => ({
      key: `r${index}`,
      locator: { owner: 'acme', name },
      entities: [
        {
          blueprint: 'service',
          identifier: `acme/${name}`,
          ...(title === null ? {} : { title }),
          properties: { language, stars, topics },
          relations: { owner: 'acme/shop', uses: name === 'checkout' ? ['acme/payments', 'acme/ghost'] : [] },
        },
      ],
    })),
  )
})

afterAll(() => database.drop())

async function names(query: Partial<EntityQuery>): Promise<readonly string[]> {
  const { items } = await listEntities(database.db, { limit: 100, ...query })
  return items.map((entity) => entity.identifier.replace('acme/', ''))
}

async function where(...texts: string[]): Promise<readonly string[]> {
  const query = parseWhere(texts)
  return names({ blueprint: 'service', ...(query === undefined ? {} : { query }) })
}

describe('text', () => {
  test.each([
    ['checkout', ['checkout']],
    ['pay', ['payments']],
    ['API', ['payments']],
    ['acme check', ['checkout']],
    ['go', ['checkout', 'payments']],
    ['acme/web', ['web']],
    ['nothing', []],
    ['---', []],
    [`' & | ! :* <->`, []],
  ])('%s', async (q, expected) => {
    expect(await names({ q, blueprint: 'service' })).toEqual(expected)
  })

  test('the exact name comes first', async () => {
    expect((await names({ q: 'acme/shop' }))[0]).toBe('shop')
    expect((await names({ q: 'payments' }))[0]).toBe('payments')
  })
})

describe('conditions', () => {
  test.each([
    [['language=go'], ['checkout', 'payments']],
    [['language!=go'], ['legacy', 'web']],
    [['stars=10'], ['checkout']],
    [['stars>=10'], ['checkout', 'web']],
    [['stars<10'], ['payments']],
    [['stars>3', 'language=go'], ['checkout']],
    [['topics~payments'], ['checkout', 'payments']],
    [['topics!~payments'], ['legacy', 'web']],
    [['language~SCRIPT'], ['web']],
    [['language=null'], ['legacy']],
    [['language="go"'], ['checkout', 'payments']],
    [['stars="10"'], []],
    [['relations.owner=acme/shop'], ['checkout', 'legacy', 'payments', 'web']],
    [['relations.uses=acme/payments'], ['checkout']],
    [['$identifier=acme/web'], ['web']],
    [['$title~shop'], ['web']],
    [['$updatedAt>2020-01-01T00:00:00Z'], ['checkout', 'legacy', 'payments', 'web']],
    [["language='; DROP TABLE entities; --"], []],
  ])('%j', async (texts, expected) => {
    expect(await where(...texts)).toEqual(expected)
  })

  test('any shape', async () => {
    const query = {
      combinator: 'or' as const,
      rules: [
        { property: 'stars', operator: '>', value: 100 },
        {
          combinator: 'and' as const,
          rules: [
            { property: 'language', operator: 'in', value: ['go', 'rust'] },
            { property: '$identifier', operator: 'beginsWith', value: 'acme/p' },
          ],
        },
      ],
    }
    expect(await names({ blueprint: 'service', query })).toEqual(['payments', 'web'])
  })

  test.each([
    [{ property: 'x', operator: 'like', value: 1 }],
    [{ property: '$nope', operator: '=', value: 1 }],
    [{ property: '$updatedAt', operator: '>', value: 'soon' }],
    [{ property: 'x', operator: 'in', value: 'go' }],
    [{ property: 'relations.owner', operator: '>', value: 'a' }],
  ])('refuses %j', async (rule) => {
    await expect(names({ query: { combinator: 'and', rules: [rule] } })).rejects.toMatchObject({
      code: 'query_invalid',
    })
  })

  test('refuses what is nested too deep or too long', async () => {
    const rule = { property: 'x', operator: '=', value: 1 }
    let query: NonNullable<EntityQuery['query']> = { combinator: 'and', rules: [rule] }
    for (let depth = 0; depth < 9; depth += 1) query = { combinator: 'and', rules: [query] }
    await expect(names({ query })).rejects.toMatchObject({ code: 'query_invalid' })
    const rules = Array.from({ length: 101 }, () => rule)
    await expect(names({ query: { combinator: 'or', rules } })).rejects.toMatchObject({ code: 'query_invalid' })
  })
})

describe('order and pages', () => {
  test.each([
    ['title', ['legacy', 'checkout', 'payments', 'web']],
    ['-title', ['web', 'payments', 'checkout', 'legacy']],
    ['properties.stars', ['payments', 'checkout', 'web', 'legacy']],
    ['-properties.stars', ['web', 'checkout', 'payments', 'legacy']],
    ['-identifier', ['web', 'payments', 'legacy', 'checkout']],
  ])('%s', async (sort, expected) => {
    expect(await names({ blueprint: 'service', sort })).toEqual(expected)
  })

  test('whatever the order and the size of a page, each entity comes once', async () => {
    const sorts = [
      undefined,
      'title',
      '-title',
      'updated_at',
      '-created_at',
      'properties.language',
      '-properties.stars',
    ]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...sorts),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(undefined, 'acme', 'go'),
        async (sort, limit, q) => {
          const query = { limit, ...(sort === undefined ? {} : { sort }), ...(q === undefined ? {} : { q }) }
          const whole = await listEntities(database.db, { ...query, limit: 100 })
          const found: string[] = []
          let cursor: string | undefined
          do {
            const next = await listEntities(database.db, { ...query, ...(cursor === undefined ? {} : { cursor }) })
            found.push(...next.items.map((entity) => entity.reference))
            cursor = next.next
          } while (cursor !== undefined)
          expect(found).toEqual(whole.items.map((entity) => entity.reference))
        },
      ),
      { numRuns: 40 },
    )
  })

  test('a cursor belongs to its query', async () => {
    const { next } = await listEntities(database.db, { limit: 1, sort: 'title' })
    if (next === undefined) throw new Error('there is more than one')
    await expect(names({ cursor: next, limit: 1 })).rejects.toMatchObject({ code: 'cursor_invalid' })
    await expect(names({ cursor: 'garbage' })).rejects.toMatchObject({ code: 'cursor_invalid' })
    await expect(names({ sort: 'shoe size' })).rejects.toMatchObject({ code: 'sort_invalid' })
  })
})

describe('one entity', () => {
  test('with its relations both ways', async () => {
    const checkout = await getEntity(database.db, 'service', 'acme/checkout')
    expect(checkout?.relations).toEqual({
      owner: 'team:acme/shop',
      uses: ['service:acme/payments', 'service:acme/ghost'],
    })
    expect(checkout?.links.out).toEqual([
      { relation: 'owner', reference: 'team:acme/shop', title: 'Shop', state: 'present' },
      { relation: 'uses', reference: 'service:acme/payments', title: 'Payments API', state: 'present' },
      { relation: 'uses', reference: 'service:acme/ghost', title: null, state: 'missing' },
    ])
    const shop = await getEntity(database.db, 'team', 'acme/shop')
    expect(shop?.links.inTotal).toBe(4)
    expect(shop?.links.in.map((link) => link.reference)).toContain('service:acme/web')
  })

  test('follows a rename, and so does what points at it', async () => {
    await world.see('github', 'team', [
      { key: 't1', body: 'renamed', entities: [{ blueprint: 'team', identifier: 'acme/store', title: 'Store' }] },
    ])
    const renamed = await getEntity(database.db, 'team', 'acme/shop')
    expect(renamed).toMatchObject({ identifier: 'acme/store', askedAs: 'team:acme/shop', aliases: ['team:acme/shop'] })
    expect(renamed?.links.inTotal).toBe(4)
    const web = await getEntity(database.db, 'service', 'acme/web')
    expect(web?.relations['owner']).toBe('team:acme/store')
    expect(web?.links.out[0]).toMatchObject({ reference: 'team:acme/store', state: 'present' })
  })

  test('is undefined when there is none', async () => {
    expect(await getEntity(database.db, 'service', 'acme/ghost')).toBeUndefined()
  })
})
