import { describe, expect, it } from 'vitest'
import type { Json } from '../model/json.ts'
import { compileMappings, type MappingSource } from './index.ts'
import { block, drafts, run, service, team } from './testing.ts'

describe('failures (I8)', () => {
  it('of a property, a title or a relation leave the rest of the entity', () => {
    const text = block(`identifier: .id\ntitle: '.id | tonumber'\nblueprint: '"service"'
properties:
  language: .language | ascii_downcase
  stars: .stars
relations:
  owner: error("no owner")`)
    const [draft] = drafts(text, { id: 'i', language: 7, stars: 3 })
    expect(draft?.draft).toMatchObject({ identifier: 'i', title: null, properties: { stars: 3 }, relations: {} })
    expect(draft?.draft.properties).not.toHaveProperty('language')
    expect(draft?.draft.failed).toEqual([
      {
        code: 'expression_failed',
        mapping: 'repository',
        field: 'title',
        expression: '.id | tonumber',
        message: expect.stringContaining('cannot be parsed as a number'),
        file: 'mapping.yaml',
        line: 5,
        column: 14,
      },
      expect.objectContaining({
        field: 'properties.language',
        line: 8,
        column: 19,
        expression: '.language | ascii_downcase',
      }),
      expect.objectContaining({ field: 'relations.owner', message: 'no owner', line: 11 }),
    ])
  })

  it.each([
    ['"yes"', 'a selector must give true or false, not the string "yes"'],
    ['null', 'a selector must give true or false, not null'],
    ['.x.y.z', 'Cannot index number with string ("y")'],
    ['empty', 'a selector must give true or false, not null'],
  ])('of the selector %s set the mapping aside', (selector, message) => {
    const text = block(`identifier: .id\nblueprint: '"x"'`, `    selector: { query: '${selector}' }\n`)
    const { mappings } = compileMappings({ file: 'm', text })
    expect(mappings.apply('repository', { id: 'i', x: 1 }, { now: 0 })).toMatchObject([
      { state: 'quarantined', problem: { field: 'selector', message } },
    ])
  })

  it.each([
    ['null', 'null'],
    ['""', 'an empty string'],
    ['{"a":1}', 'an object'],
    ['["a"]', 'a list of 1'],
    ['true', 'the boolean true'],
  ])('of an identifier set the item aside: %s', (value, what) => {
    const [output] = run(block(`identifier: .id\nblueprint: '"x"'`), { id: JSON.parse(value) as Json })
    expect(output).toMatchObject({
      drafts: [],
      quarantined: [
        {
          item: '0',
          problem: { code: 'identifier_missing', message: `an identifier is a text or a number, not ${what}` },
        },
      ],
    })
  })

  it.each([
    [12, '12'],
    [1e3, '1000'],
    [1.5, '1.5'],
    [1e17, '100000000000000000'],
    [-0.5, '-0.5'],
  ])('number %s becomes the identifier %s', (id, identifier) => {
    expect(drafts(block(`identifier: .id\nblueprint: '"x"'`), { id })[0]?.draft.identifier).toBe(identifier)
  })

  it('of types are held against the blueprint', () => {
    const text = block(`identifier: .id\nblueprint: '"service"'
properties:
  language: .language
  stars: .stars
  '*': .rest
relations:
  owner: .owner
  uses: .uses`)
    const body = {
      id: 'i',
      language: null,
      stars: '3',
      rest: { tags: 'x', free: 1 },
      owner: ['a', 'b'],
      uses: ['a', 'b'],
    }
    const [draft] = drafts(text, body, { blueprints: [service, team] })
    expect(draft?.draft.properties).toEqual({ language: null, free: 1 })
    expect(draft?.draft.relations).toEqual({ uses: ['a', 'b'] })
    expect(draft?.draft.failed.map(({ field, code, message }) => `${field} ${code} ${message}`)).toEqual([
      'properties.stars type_mismatch blueprint declares number, the expression gave the string "3"',
      'properties.tags type_mismatch blueprint declares array, the expression gave the string "x"',
      'relations.owner type_mismatch the relation points at one entity, the expression gave 2',
    ])
  })

  it('of a blueprint that does not exist set the item aside', () => {
    const text = block(`identifier: .id\nblueprint: .type`)
    expect(run(text, { id: 'i', type: 'servce' }, { blueprints: [service] })).toMatchObject([
      {
        quarantined: [
          { problem: { field: 'blueprint', code: 'blueprint_unknown', message: 'there is no blueprint "servce"' } },
        ],
      },
    ])
    expect(run(text, { id: 'i' })).toMatchObject([{ quarantined: [{ problem: { code: 'blueprint_unknown' } }] }])
  })

  it('of a spread are marked as "*", and an explicit property beside it is not covered up', () => {
    const text = block(`identifier: .id\nblueprint: '"x"'\nproperties:\n  '*': .rest\n  a: error("x")`)
    expect(drafts(text, { id: 'i', rest: 5 })[0]?.draft.failed).toMatchObject([
      { field: 'properties.*' },
      { field: 'properties.a' },
    ])
    expect(drafts(text, { id: 'i', rest: { a: 1, b: 2 } })[0]?.draft.properties).toEqual({ b: 2 })
  })

  it('stay within the mapping that is broken', () => {
    const text = `resources:
  - { kind: repository, entity: { identifier: '.id |', blueprint: '"x"' } }
  - { kind: repository, entity: { identifier: .id, blueprint: '"x"', properties: { a: '.a +', b: .b } } }
  - { kind: repository, entity: { blueprint: '"x"' } }
  - { kind: repository, entity: { identifier: .id, blueprint: '"ok"' } }`
    const { mappings, diagnostics, usable } = compileMappings({ file: 'm', text })
    expect(usable).toBe(true)
    expect(
      diagnostics.filter(({ severity }) => severity === 'error').map(({ line, code }) => `${line} ${code}`),
    ).toEqual(['2 expression_syntax', '3 expression_syntax', '4 key_missing'])
    expect(mappings.apply('repository', { id: 'i', b: 1 }, { now: 0 })).toMatchObject([
      { state: 'selected', drafts: [], quarantined: [{ problem: { field: 'identifier', code: 'expression_failed' } }] },
      { state: 'selected', drafts: [{ draft: { properties: { b: 1 }, failed: [{ field: 'properties.a' }] } }] },
      { mapping: 'repository#3', state: 'quarantined', problem: { code: 'identifier_missing' } },
      { state: 'selected', drafts: [{ draft: { blueprint: 'ok' } }] },
    ])
  })
})

describe('the hash', () => {
  const text = block(`identifier: .id\nblueprint: '"x"'`)
  const hash = (options: Partial<MappingSource> = {}): string =>
    compileMappings({ file: 'm', text, ...options }).mappings.hash

  it('covers what decides the output, and nothing else', () => {
    expect(hash()).toMatch(/^[0-9a-f]{32}$/)
    expect(hash({ file: 'elsewhere.yaml', kinds: ['repository'] })).toBe(hash())
    const others = [
      hash({ text: `${text} ` }),
      hash({ blueprints: [service] }),
      hash({ blueprints: [team] }),
      hash({ variables: { A: '1' } }),
    ]
    expect(new Set([hash(), ...others]).size).toBe(5)
  })
})
