import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SearchQuery } from '../../model/entity.ts'
import { isObject, type Json } from '../../model/json.ts'
import { operatorOf, operators, spellings } from '../../model/search.ts'
import { type FreshDatabase, freshDatabase } from '../../testkit/database.ts'
import { openWorld } from '../store.fixture.ts'
import { listEntities } from './entities.ts'

let database: FreshDatabase
const values: readonly Json[] = ['', 'ab', 'b', 'AB', 'abc', 0, 5, 10, true, ['a', 'b'], [], ['ab'], {}]
const things = values.map((value, index) => ({ identifier: `e${index}`, properties: { v: value } }))
const all = [...things, { identifier: 'none', properties: {} }]

beforeAll(async () => {
  database = await freshDatabase()
  const world = await openWorld(database.db)
  for (const thing of all) {
    await world.say(thing.identifier, [
      { ...thing, title: `T ${thing.identifier}`, relations: { owner: thing.identifier } },
    ])
  }
})
afterAll(() => database.drop())

async function found(query: SearchQuery): Promise<readonly string[]> {
  const { items } = await listEntities(database.db, { query, limit: 1000 })
  return items.map(({ identifier }) => identifier).toSorted()
}

const equal = (left: Json, right: Json): boolean => JSON.stringify(left) === JSON.stringify(right)

/** The same in as few words as it takes. */
function holds(operator: string, of: Json, value: Json): boolean {
  const text = typeof of === 'string' ? of : JSON.stringify(of)
  const list = Array.isArray(value) ? value : []
  const has = (part: Json): boolean =>
    (Array.isArray(of) && of.some((member) => equal(member, part))) ||
    (typeof of === 'string' && typeof part === 'string' && of.toLowerCase().includes(part.toLowerCase()))
  const compares = (test: (a: number | string, b: number | string) => boolean, side: Json): boolean =>
    (typeof of === 'number' && typeof side === 'number' && test(of, side)) ||
    (typeof of === 'boolean' && typeof side === 'boolean' && test(Number(of), Number(side))) ||
    (typeof of === 'string' && typeof side === 'string' && test(of, side))
  const within = (): boolean =>
    isObject(value) &&
    compares((a, b) => a >= b, value['from'] ?? null) &&
    compares((a, b) => a <= b, value['to'] ?? null)
  const empty = of === null || equal(of, '') || equal(of, []) || equal(of, {})
  switch (operator) {
    case '=':
      return equal(of, value)
    case '>':
      return compares((a, b) => a > b, value)
    case '>=':
      return compares((a, b) => a >= b, value)
    case '<':
      return compares((a, b) => a < b, value)
    case '<=':
      return compares((a, b) => a <= b, value)
    case 'contains':
      return has(value)
    case 'containsAny':
      return list.some(has)
    case 'beginsWith':
      return of !== null && typeof value === 'string' && text.startsWith(value)
    case 'endsWith':
      return of !== null && typeof value === 'string' && text.endsWith(value)
    case 'in':
      return of !== null && list.some((part) => equal(of, part))
    case 'between':
      return within()
    case 'isEmpty':
      return empty
    default:
      return !holds(opposites[operator] ?? '', of, value)
  }
}
const opposites: Readonly<Record<string, string>> = {
  '!=': '=',
  doesNotContain: 'contains',
  doesNotBeginWith: 'beginsWith',
  doesNotEndWith: 'endsWith',
  notIn: 'in',
  notBetween: 'between',
  isNotEmpty: 'isEmpty',
}

const scalar = fc.constantFrom<Json>('', 'ab', 'b', 'B', 0, 5, 7, true)
const end = fc.constantFrom<Json>(0, 5, 7, 'ab', 'b')
const valueFor = (operator: string): fc.Arbitrary<Json> => {
  if (['in', 'notIn', 'containsAny'].includes(operator)) return fc.array(scalar, { maxLength: 3 })
  if (operator.endsWith('etween')) return fc.record({ from: end, to: end })
  if (/(Begin|End|begins|ends)s?With/.test(operator)) return fc.constantFrom('', 'a', 'b', 'ab')
  return scalar
}

test.each(operators)('%s finds what a plain reading of it finds', async (operator) => {
  await fc.assert(
    fc.asyncProperty(valueFor(operator), async (value) => {
      const expected = all.filter(({ properties }) => holds(operator, 'v' in properties ? properties.v : null, value))
      const rules = [{ property: 'v', operator, value }]
      expect(await found({ combinator: 'and', rules })).toEqual(expected.map(({ identifier }) => identifier).toSorted())
    }),
    { numRuns: 12 },
  )
})

test('relations, teams and times know theirs', async () => {
  const of = (property: string, operator: string, value: Json) =>
    found({ combinator: 'and', rules: [{ property, operator, value }] })
  expect(await of('relations.owner', 'in', ['e1', 'e2', 'x'])).toEqual(['e1', 'e2'])
  expect(await of('relations.owner', 'containsAny', ['e1'])).toEqual(['e1'])
  expect(
    await of(
      'relations.owner',
      'notIn',
      all.slice(2).map(({ identifier }) => identifier),
    ),
  ).toEqual(['e0', 'e1'])
  expect(await of('$identifier', 'endsWith', 'e')).toEqual(['none'])
  expect(await of('$createdAt', 'between', { from: '2000-01-01', to: '2999-01-01' })).toHaveLength(all.length)
  expect(await of('$createdAt', 'notBetween', ['2000-01-01', '2999-01-01'])).toEqual([])
})

test('what cannot be answered is refused with what there is instead', async () => {
  const refusal = async (property: string, operator: string, value: Json): Promise<unknown> =>
    found({ combinator: 'and', rules: [{ property, operator, value }] }).catch((error: unknown) => error)
  for (const [property, operator, value] of [
    ['x', 'relatedTo', 'a'],
    ['x', 'like', 'a'],
    ['relations.owner', 'endsWith', 'a'],
    ['$createdAt', 'in', ['a']],
    ['$name', '=', 'a'],
    ['v', 'between', 5],
    ['v', 'between', { preset: 'lastWeek' }],
    ['v', 'notIn', 'a'],
  ] as const) {
    expect(await refusal(property, operator, value), `${property} ${operator}`).toMatchObject({ code: 'query_invalid' })
  }
})

test("operators go by the other product's names, too", () => {
  expect(Object.values(spellings).every((name) => operatorOf(name) === name)).toBe(true)
  expect(operatorOf('doesNotContains')).toBe('doesNotContain')
  expect(operatorOf('toString')).toBeUndefined()
})
