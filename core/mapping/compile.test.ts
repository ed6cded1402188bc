import { describe, expect, it } from 'vitest'
import { compileMappings } from './index.ts'
import { block, drafts, run } from './testing.ts'

describe('a mapping file', () => {
  const repository = {
    full_name: 'acme/checkout',
    name: 'checkout',
    language: 'Go',
    owner: { login: 'acme' },
    archived: false,
  }

  it('means the same in both spellings', () => {
    const own = block(
      `identifier: .full_name\ntitle: .name\nblueprint: '"service"'\nproperties:\n  language: .language\nrelations:\n  owner: .owner.login`,
      `    selector:\n      query: '.archived | not'\n`,
    )
    const port = `
resources:
  - kind: repository
    selector: { query: .archived | not }
    port:
      entity:
        mappings:
          identifier: .full_name
          title: .name
          blueprint: '"service"'
          properties: { language: .language }
          relations: { owner: .owner.login }
`
    const expected = [
      {
        mapping: 'repository',
        state: 'selected',
        quarantined: [],
        drafts: [
          {
            item: '0',
            owning: true,
            draft: {
              blueprint: 'service',
              identifier: 'acme/checkout',
              title: 'checkout',
              team: [],
              properties: { language: 'Go' },
              relations: { owner: 'acme' },
              failed: [],
            },
          },
        ],
      },
    ]
    expect(run(own, repository)).toEqual(expected)
    expect(run(port, repository)).toEqual(expected)
    expect(run(port, { ...repository, archived: true })).toEqual([
      { mapping: 'repository', state: 'deselected', expression: '.archived | not' },
    ])
  })

  it('has one output for each mapping of a kind, with ids of their own', () => {
    const text = `resources:
  - { kind: repository, entity: { identifier: .a, blueprint: '"x"' } }
  - { kind: team, entity: { identifier: .a, blueprint: '"x"' } }
  - { kind: repository, entity: [{ identifier: .a, blueprint: '"y"' }, { identifier: .b, blueprint: '"z"' }] }`
    const outputs = run(text, { a: 'A', b: 'B' })
    expect(outputs.map(({ mapping }) => mapping)).toEqual(['repository', 'repository#2'])
    expect(
      drafts(text, { a: 'A', b: 'B' }).map(({ item, draft }) => `${item} ${draft.blueprint}:${draft.identifier}`),
    ).toEqual(['0 x:A', '0 y:A', '1 z:B'])
    const { mappings } = compileMappings({ file: 'm', text })
    expect(mappings.kinds).toEqual(['repository', 'team'])
    expect(mappings.apply('elsewhere', {}, { now: 0 })).toEqual([])
  })

  it('says of a weak entity that it only adds, in both spellings', () => {
    const entities = `[{ identifier: .a, blueprint: '"x"', weak: true }, { identifier: .a, blueprint: '"y"', weak: false }]`
    const own = `resources: [{ kind: repository, entity: ${entities} }]`
    const port = `resources: [{ kind: repository, port: { entity: { mappings: ${entities} } } }]`
    for (const text of [own, port]) {
      expect(drafts(text, { a: 'A' }).map(({ draft, owning }) => [draft.blueprint, owning])).toEqual([
        ['x', false],
        ['y', true],
      ])
    }
    const items = `resources: [{ kind: repository, itemsToParse: .list, entity: { identifier: .item, blueprint: '"x"', weak: true } }]`
    expect(drafts(items, { list: ['a', 'b'] }).map(({ owning }) => owning)).toEqual([false, false])
    const { diagnostics } = compileMappings({ file: 'm', text: own.replace('weak: true', 'weak: perhaps') })
    expect(diagnostics).toMatchObject([
      { severity: 'error', code: 'shape_wrong', message: expect.stringContaining('weak') },
    ])
  })

  it('follows anchors and merge keys', () => {
    const text = `
x-common: &common { language: .language, url: .owner.login }
resources:
  - kind: repository
    port: { entity: { mappings: { identifier: .name, blueprint: '"service"', properties: { <<: *common, url: .name } } } }`
    expect(drafts(text, repository)[0]?.draft.properties).toEqual({ url: 'checkout', language: 'Go' })
  })

  it('rewrites single-quoted strings, takes the first output, and reads none as null', () => {
    const text = block(`identifier: .name\nblueprint: "'service'"\nproperties:\n  first: .tags[]\n  none: empty`)
    const [draft] = drafts(text, { name: 'a', tags: ['x', 'y'] })
    expect(draft?.draft).toMatchObject({ blueprint: 'service', properties: { first: 'x', none: null } })
  })

  it('reads env from declared variables only, and now from the observation', () => {
    const text = block(
      `identifier: '.name + "-" + env.CLUSTER'\nblueprint: '"service"'\nproperties:\n  home: env.HOME\n  at: now`,
    )
    const [draft] = drafts(text, { name: 'a' }, { variables: { CLUSTER: 'eu1' } })
    expect(draft?.draft).toMatchObject({ identifier: 'a-eu1', properties: { home: null, at: 1_700_000_000 } })
  })

  it('computes blueprints, spreads "*", and lets named properties win over it', () => {
    const text = block(`identifier: .name\nblueprint: .type\nproperties:\n  '*': .labels\n  a: '"named"'`)
    const [draft] = drafts(text, { name: 'a', type: 'thing', labels: { a: 1, b: 2 } })
    expect(draft?.draft).toMatchObject({ blueprint: 'thing', properties: { a: 'named', b: 2 } })
  })

  it('builds lists and objects of expressions', () => {
    const text = block(`identifier: .name\nblueprint: '"x"'\nproperties:\n  where: { city: .city, tags: [.a, .b] }`)
    expect(drafts(text, { name: 'n', city: 'Bonn', a: 1 })[0]?.draft.properties).toEqual({
      where: { city: 'Bonn', tags: [1, null] },
    })
  })

  it('keeps names that every object has as plain data', () => {
    const text = block(
      `identifier: .name\nblueprint: '"x"'\nproperties:\n  __proto__: .name\n  constructor: .constructor`,
    )
    const properties = drafts(text, { name: 'n' })[0]?.draft.properties ?? {}
    expect(Object.entries(properties)).toEqual([
      ['__proto__', 'n'],
      ['constructor', null],
    ])
  })
})

describe('teams and relations', () => {
  const text = (team: string, relation: string): string =>
    block(`identifier: .id\nblueprint: '"x"'\nteam: ${team}\nrelations:\n  to: ${relation}`)
  const query = `{ combinator: '"and"', rules: [{ property: '"$identifier"', operator: '"="', value: .mail }, { combinator: or, rules: [{ property: '"a"', operator: in, value: [.x, '"y"'] }] }] }`
  const evaluated = {
    combinator: 'and',
    rules: [
      { property: '$identifier', operator: '=', value: 'm@x' },
      { combinator: 'or', rules: [{ property: 'a', operator: 'in', value: ['X', 'y'] }] },
    ],
  }

  it.each([
    ['.one', ['A'], 'A'],
    ['.number', ['7'], '7'],
    ['.many', ['A', '7'], ['A', '7']],
    ['.nothing', [], null],
    ['.empty', [], null],
    ['[.one, .nothing, .many]', ['A', 'A', '7'], ['A', 'A', '7']],
  ])('%s', (expression, team, relation) => {
    const body = { id: 'i', one: 'A', number: 7, many: ['A', 7, null, ''], nothing: null, empty: '' }
    expect(drafts(text(expression, expression), body)[0]?.draft).toMatchObject({
      team,
      relations: { to: relation },
      failed: [],
    })
  })

  it('evaluates every leaf of a search query', () => {
    const [draft] = drafts(text(query, query), { id: 'i', mail: 'm@x', x: 'X' })
    expect(draft?.draft).toMatchObject({ team: [], teamQuery: evaluated, relations: { to: evaluated }, failed: [] })
    const [mixed] = drafts(text('null', `[.mail, ${query}]`), { id: 'i', mail: 'm@x', x: 'X' })
    expect(mixed?.draft.relations['to']).toEqual({
      combinator: 'or',
      rules: [evaluated, { property: '$identifier', operator: 'in', value: ['m@x'] }],
    })
  })

  it('takes a search query that an expression builds', () => {
    const [draft] = drafts(text('null', '.q'), { id: 'i', q: evaluated })
    expect(draft?.draft.relations['to']).toEqual(evaluated)
    const [wrong] = drafts(text('null', '.q'), { id: 'i', q: { ...evaluated, rules: [{ property: 5 }] } })
    expect(wrong?.draft.failed).toMatchObject([{ field: 'relations.to', code: 'type_mismatch' }])
  })

  it('finds entities by a search query instead of an identifier, and never creates them', () => {
    const [output] = run(block(`identifier: ${query}\nblueprint: '"x"'\nproperties: { a: .x }`), {
      mail: 'm@x',
      x: 'X',
    })
    expect(output).toMatchObject({
      state: 'selected',
      drafts: [],
      updates: [{ item: '0', query: evaluated, draft: { blueprint: 'x', properties: { a: 'X' } } }],
    })
  })

  it('fails on what names no entity', () => {
    const [draft] = drafts(text('.object', '.list'), { id: 'i', object: { a: 1 }, list: [{}] })
    expect(draft?.draft.failed).toMatchObject([
      { field: 'team', code: 'type_mismatch', message: 'identifiers are text, not an object' },
      { field: 'relations.to', code: 'type_mismatch', message: 'a list of identifiers holds text, not an object' },
    ])
  })
})

describe('itemsToParse', () => {
  const mapping = (more: string, identifier = '.item.id'): string =>
    block(
      `identifier: ${identifier}\nblueprint: '"x"'\nproperties:\n  host: .name\n  total: '.deep.list | length'`,
      `    selector: { query: '.item.id != "no"' }\n    itemsToParse: .deep.list\n${more}`,
    )
  const body = { name: 'host', deep: { list: [{ id: 'a' }, { id: 'no' }, { id: 3 }], other: 1 } }

  it('gives each item an input of its own, without the list', () => {
    expect(drafts(mapping(''), body)).toMatchObject([
      { item: '0.0', draft: { identifier: 'a', properties: { host: 'host', total: 0 } } },
      { item: '0.2', draft: { identifier: '3' } },
    ])
    expect(body.deep.list).toHaveLength(3)
  })

  it('keeps the list, and names the item, on demand', () => {
    expect(drafts(mapping('    itemsToParseTopLevelTransform: false\n'), body)[0]?.draft.properties['total']).toBe(3)
    const named = mapping('    itemsToParseName: thing\n', '.thing.id').replace('.item.id !=', '.thing.id !=')
    expect(drafts(named, body).map(({ draft }) => draft.identifier)).toEqual(['a', '3'])
  })

  it.each([
    [{ name: 'x' }, { state: 'selected', drafts: [], quarantined: [] }],
    [{ deep: { list: [] } }, { state: 'selected', drafts: [], quarantined: [] }],
    [{ deep: { list: 'no list' } }, { state: 'quarantined', problem: { field: 'items', code: 'type_mismatch' } }],
    [{ deep: 5 }, { state: 'quarantined', problem: { field: 'items', code: 'expression_failed' } }],
    [[1], { state: 'quarantined', problem: { field: 'items', code: 'expression_failed' } }],
  ])('%j', (input, expected) => {
    expect(run(mapping(''), input)).toMatchObject([expected])
  })

  it('sets aside the item that fails, and no other', () => {
    const outputs = run(mapping('', '.item.id | ascii_downcase'), body)
    expect(outputs).toMatchObject([
      { drafts: [{ item: '0.0' }], quarantined: [{ item: '0.2', problem: { field: 'identifier' } }] },
    ])
  })
})
