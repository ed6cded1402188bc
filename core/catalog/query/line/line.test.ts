import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CatchmentError } from '../../../sdk/index.ts'
import { type FreshDatabase, freshDatabase } from '../../../testkit/database.ts'
import { listEntities } from '../entities.ts'
import { World } from '../world.fixture.ts'
import { readLine } from './index.ts'

let database: FreshDatabase
const now = Date.parse('2026-11-28T12:00:00Z')

const services = [
  {
    name: 'checkout',
    title: 'Checkout',
    team: ['acme/payments'],
    language: 'Go',
    stars: 10,
    topics: ['payments', 'Core'],
    pushedAt: '2026-11-27T10:00:00Z',
    archived: false,
    labels: { app: 'web' },
    codeowners: ['@acme/payments'],
    note: 'the free text of it',
  },
  {
    name: 'payments',
    title: 'Payments API',
    team: ['acme/payments'],
    language: 'go',
    stars: 3,
    topics: ['payments'],
    pushedAt: '2026-10-01T10:00:00.5Z',
    archived: true,
    shelf: 'top',
    rows: { of: 7 },
  },
  {
    name: 'web',
    title: 'Web shop',
    team: ['acme/shop', 'other/payments-eu'],
    language: 'TypeScript',
    stars: 120,
    topics: [],
    pushedAt: '2025-01-02',
    codeowners: [],
    note: 'text that is free',
  },
  { name: 'legacy', language: null, stars: '7', topics: null, pushedAt: 'long ago' },
] as const

beforeAll(async () => {
  database = await freshDatabase()
  const world = new World(database.db, [
    {
      identifier: 'service',
      schema: {
        properties: {
          language: { type: 'string' },
          stars: { type: 'number' },
          topics: { type: 'array' },
          pushedAt: { type: 'string', format: 'date-time' },
          archived: { type: 'boolean' },
          labels: { type: 'object' },
          codeowners: { type: 'array' },
          note: { type: 'string' },
        },
      },
      relations: { owner: { target: 'team' }, uses: { target: 'service', many: true } },
      searchable: ['language', 'note'],
    },
    { identifier: 'team', schema: { properties: { privacy: { type: 'string' } } }, relations: {} },
  ])
  await world.see('github', 'team', [
    {
      key: 't1',
      entities: [
        { blueprint: 'team', identifier: 'acme/payments', title: 'Payments', properties: { privacy: 'secret' } },
      ],
    },
    {
      key: 't2',
      entities: [{ blueprint: 'team', identifier: 'acme/shop', title: 'Shop', properties: { privacy: 'closed' } }],
    },
  ])
  await world.see(
    'github',
    'repository',
    services.map(({ name, ...rest }, index) => {
      const { title, team, ...properties } = { title: undefined, team: [], ...rest }
      return {
        key: `r${index}`,
        locator: { owner: 'acme', name },
        entities: [
          {
            blueprint: 'service',
            identifier: `acme/${name}`,
            ...(title === undefined ? {} : { title }),
            team,
            properties,
            relations: {
              ...(name === 'legacy' ? {} : { owner: name === 'web' ? 'acme/shop' : 'acme/payments' }),
              uses: name === 'checkout' ? ['acme/payments', 'acme/ghost'] : [],
            },
          },
        ],
      }
    }),
  )
})
afterAll(() => database.drop())

async function found(text: string): Promise<readonly string[]> {
  const line = await readLine(database.db, text, { now, objectives: { github: 3600 } })
  const { items, total } = await listEntities(database.db, { line, limit: 100, total: true })
  expect(total, 'the count').toBe(items.length)
  return items.map(({ blueprint, identifier }) =>
    blueprint === 'service' ? identifier.replace('acme/', '') : `${blueprint}:${identifier}`,
  )
}

const everything = ['checkout', 'legacy', 'payments', 'web', 'team:acme/payments', 'team:acme/shop']

describe('what a line finds', () => {
  test.each<[string, readonly string[]]>([
    ['', everything],
    ['blueprint:service', ['checkout', 'legacy', 'payments', 'web']],
    ['blueprint:Service -language:go', ['legacy', 'web']],
    ['blueprint:team,service stars:3', ['payments']],
    ['blueprint:t*', ['team:acme/payments', 'team:acme/shop']],
    ['language:go', ['checkout', 'payments']],
    ['language:=go', ['payments']],
    ['language:=Go,TypeScript', ['checkout', 'web']],
    ['language:*script', ['web']],
    ['language:~SCR', ['web']],
    ['language:"g*"', []],
    ['stars:10', ['checkout']],
    ['stars:>=10', ['checkout', 'web']],
    ['stars:<10', ['legacy', 'payments']],
    ['stars:3..10', ['checkout', 'legacy', 'payments']],
    ['stars:*..5', ['payments']],
    ['-stars:>3', ['payments', 'team:acme/payments', 'team:acme/shop']],
    ['topics:core', ['checkout']],
    ['topics:=core', []],
    ['topics:=Core', ['checkout']],
    ['topics:pay*', ['checkout', 'payments']],
    ['archived:true', ['payments']],
    ['archived:false', ['checkout']],
    ['blueprint:service -archived:true', ['checkout', 'legacy', 'web']],
    ['labels.app:web', ['checkout']],
    ['properties.labels.app:web', ['checkout']],
    ['properties.anything:1', []],
    ['pushedAt:<7d', ['checkout']],
    ['pushedAt:>7d', ['payments', 'web']],
    ['pushedAt:7d..90d', ['payments']],
    ['pushedAt:2026-10', ['payments']],
    ['pushedAt:2025', ['web']],
    ['pushedAt:>=2026-10-01', ['checkout', 'payments']],
    ['pushedAt:>2026-10-01', ['checkout']],
    ['pushedAt:<=2025-01-02', ['web']],
    ['pushedAt:2026-01-01..2026-10-31', ['payments']],
    ['pushedAt:yesterday', ['checkout']],
    ['pushedAt:<=9999', ['checkout', 'payments', 'web']],
    ['pushedAt:<999999y', ['checkout', 'payments', 'web']],
    ['updated:>999999y OR created:>9999', []],
    ['updated:<1d blueprint:team', ['team:acme/payments', 'team:acme/shop']],
    ['updated:>1d', []],
    ['created:2026-11-28 stars:3', ['payments']],
    ['team:payments', ['checkout', 'payments']],
    ['team:acme/payments', ['checkout', 'payments']],
    ['has:codeowners', ['checkout']],
    ['blueprint:service -has:codeowners', ['legacy', 'payments', 'web']],
    ['has:uses', ['checkout']],
    ['has:team -has:title', []],
    ['blueprint:service -has:title', ['legacy']],
    ['has:owner.privacy -language:go', ['web']],
    ['owner:payments', ['checkout', 'payments']],
    ['owner:ACME/Payments', ['checkout', 'payments']],
    ['owner:=payments', []],
    ['owner:shop,payments -stars:3', ['checkout', 'web']],
    ['owner.privacy:closed', ['web']],
    ['owner.title:payments', ['checkout', 'payments']],
    ['uses:acme/ghost', ['checkout']],
    ['uses.stars:<5', ['checkout']],
    ['relations.uses:payments', ['checkout']],
    ['service:checkout', ['checkout']],
    ['service:acme/checkout', ['checkout']],
    ['title:"web shop"', ['web']],
    ["title:'web shop'", ['web']],
    ["language:='Go',TypeScript", ['checkout', 'web']],
    ['shelf:top', ['payments']],
    ['rows.of:7', ['payments']],
    ['has:shelf', ['payments']],
    ['blueprint:service sort:-shelf language:go', ['checkout', 'payments']],
    ['title:*shop', ['web', 'team:acme/shop']],
    ['identifier:acme/w*', ['web']],
    ['id:web', ['web']],
    ['source:github stars:3', ['payments']],
    ['source:other', []],
    ['is:failed', []],
    ['is:held', []],
    ['is:pinned', []],
    ['is:unknown', everything],
    ['is:fresh OR is:stale', []],
    ['check', ['checkout']],
    ['"check"', []],
    ['"free text"', ['checkout']],
    ['free text', ['checkout', 'web']],
    ['blueprint:service -payments', ['checkout', 'legacy', 'web']],
    ['blueprint:service -"free text" has:note', ['web']],
    ['language:typescript OR stars:3', ['payments', 'web']],
    ['blueprint:service (language:typescript OR payments)', ['payments', 'web']],
    ['blueprint:service NOT (language:typescript OR payments)', ['checkout', 'legacy']],
    ['blueprint:service AND -(stars:3 OR has:codeowners)', ['legacy', 'web']],
    ['blueprint:service sort:-stars has:owner', ['web', 'checkout', 'payments']],
    ['blueprint:service sort:title', ['legacy', 'checkout', 'payments', 'web']],
    ['acme/web', ['web']],
    ['https://example.com/x', []],
    ['---', []],
    [`' & | ! :* <->`, []],
    ['x OR y', []],
    ["language:';--", []],
  ])('%s', async (line, expected) => {
    expect((await found(line)).toSorted()).toEqual([...expected].toSorted())
  })

  test('in the order that sort: names, or best match first', async () => {
    expect(await found('blueprint:service sort:-stars has:owner')).toEqual(['web', 'checkout', 'payments'])
    expect(await found('payments blueprint:service,team')).toEqual(['team:acme/payments', 'payments'])
  })
})

describe('what a line cannot say is said with its place', () => {
  test.each<[string, number, string]>([
    ['langauge:go', 1, 'Did you mean language?'],
    ['blueprint:service sars:>3', 19, 'Did you mean stars?'],
    ['blueprint:servce', 11, 'Did you mean service?'],
    ['blueprint:team stars:3', 16, 'service has it.'],
    ['has:codeownrs', 5, 'Did you mean codeowners?'],
    ['is:faild', 4, 'Did you mean failed?'],
    ['is:old', 4, 'fresh stale unknown'],
    ['sort:-strs', 7, 'Did you mean stars?'],
    ['sort:stars sort:title', 12, ''],
    ['(sort:stars OR x)', 2, ''],
    ['stars:>ten', 8, 'stars:>10'],
    ['stars:ten', 7, ''],
    ['archived:maybe', 10, ''],
    ['updated:>soon', 10, 'an age'],
    ['pushedAt:>soon', 11, 'an age'],
    ['pushedAt:2026-02-31..*', 10, 'an age'],
    ['owner:>a', 8, 'has:owner'],
    ['stars:', 1, 'Write it without a space: language:go'],
    ['a stars:> 10', 3, 'stars:>10'],
    ['a (b', 3, ''],
    ['a b)', 4, ''],
    ['a "b', 3, ''],
    ['a OR', 5, ''],
    ['OR a', 1, ''],
    ['NOT', 1, ''],
    ['AND x', 1, ''],
    ['()', 2, ''],
    ['stars>10', 1, 'stars:>10'],
    ['shelf=top', 1, 'shelf:top'],
    ['blueprint:team shelf:top', 16, ''],
    ['language!=go', 1, '-language:go'],
    ['uses.nope:1', 1, ''],
    ['x'.repeat(1001), 1001, ''],
    [`${'('.repeat(20)}a${')'.repeat(20)}`, 17, ''],
  ])('%s', async (line, position, hint) => {
    const error = await found(line).then(
      () => undefined,
      (reason: CatchmentError) => reason,
    )
    expect(error).toMatchObject({ code: 'query_invalid', status: 400, details: { position } })
    expect(error?.message).toContain(`(at character ${position})`)
    expect(error?.hint ?? '').toContain(hint)
  })
})

describe('any line', () => {
  const term = fc.constantFrom(
    'language:go',
    'stars:>3',
    'team:payments',
    'has:codeowners',
    'owner.privacy:secret',
    'free',
    '"free text"',
    'pushedAt:<90d',
    'identifier:acme/s*',
    'topics:pay*',
    'uses:payments',
    'language:=Go,TypeScript',
  )
  const letrec = fc.letrec<{ line: string; part: string }>((tie) => ({
    line: fc.oneof(
      { maxDepth: 2 },
      term,
      tie('part'),
      fc.tuple(tie('part'), tie('part')).map(([a, b]) => `${a} ${b}`),
      fc.tuple(tie('part'), tie('part')).map(([a, b]) => `${a} OR ${b}`),
    ),
    part: fc.oneof(
      term,
      tie('line').map((line) => `(${line})`),
      tie('line').map((line) => `-(${line})`),
    ),
  }))

  test('obeys the laws of and, or and not', async () => {
    await fc.assert(
      fc.asyncProperty(letrec.line, letrec.line, async (a, b) => {
        const [left, right] = [new Set(await found(`(${a})`)), new Set(await found(`(${b})`))]
        const sorted = (list: Iterable<string>) => [...list].toSorted()
        expect(sorted(await found(`(${a}) (${b})`))).toEqual(sorted(left.intersection(right)))
        expect(sorted(await found(`(${a}) OR (${b})`))).toEqual(sorted(left.union(right)))
        expect(sorted(await found(`NOT (${a})`))).toEqual(sorted(new Set(everything).difference(left)))
      }),
      { numRuns: 25 },
    )
  }, 60_000)

  test('finds something or is refused with its place, whatever it is', async () => {
    const piece = fc.oneof(
      term,
      fc.constantFrom(
        '(',
        ')',
        ' OR ',
        'AND',
        ' NOT ',
        '-',
        '"',
        ':',
        ' ',
        ',',
        '..',
        '*',
        '>',
        '~',
        'updated:',
        'stars:',
        'sort:',
        '\\',
        '%',
        '_',
        "'",
        '$1',
      ),
      fc.string({ unit: 'grapheme', maxLength: 6 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 9 }), async (pieces) => {
        const line = pieces.join('').replaceAll('\0', '')
        const error = await found(line).then(
          () => undefined,
          (reason: CatchmentError) => reason,
        )
        if (error === undefined) return
        expect(error.code).toMatch(/^(query|sort)_invalid$/)
        const { position } = error.details
        expect(typeof position === 'number' && position >= 1 && position <= line.length + 1, error.message).toBe(true)
      }),
      { numRuns: 120 },
    )
  }, 60_000)
})
