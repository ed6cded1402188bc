import { describe, expect, it } from 'vitest'
import { parseBlueprints } from './index.ts'

const parse = (text: string) => parseBlueprints('b.yaml', text)
const messages = (text: string): string[] =>
  parse(text).diagnostics.map(
    ({ severity, line, column, code, message }) => `${line}:${column} ${severity} ${code}: ${message}`,
  )

const service = {
  identifier: 'service',
  title: 'Service',
  schema: { properties: { url: { type: 'string', format: 'url', title: 'URL' } }, required: ['url'] },
  relations: { team: { target: 'team', required: false, many: true } },
}

describe('blueprints', () => {
  it.each([
    ['a list', JSON.stringify([service])],
    ['a block', JSON.stringify({ blueprints: [service] })],
    ['a single one', JSON.stringify(service)],
    [
      'YAML',
      `- identifier: service
  title: Service
  schema:
    properties: { url: { type: string, format: url, title: URL } }
    required: [url]
  relations: { team: { target: team, required: false, many: true } }`,
    ],
  ])('are read from %s', (_, text) => {
    expect(parse(text)).toEqual({ blueprints: [service], diagnostics: [] })
  })

  it('may leave out what is empty, and keep what we do not read', () => {
    const text =
      '{ identifier: x, icon: null, mirrorProperties: {}, schema: { properties: { a: { type: integer, icon: Git, spec: embedded-url } } } }'
    expect(parse(text)).toEqual({
      blueprints: [
        {
          identifier: 'x',
          schema: { properties: { a: { icon: 'Git', spec: 'embedded-url', type: 'number' } } },
          relations: {},
        },
      ],
      diagnostics: [],
    })
    expect(parse('')).toEqual({ blueprints: [], diagnostics: [] })
  })

  it('say what waits for a later release, and go on', () => {
    const text = `identifier: x
calculationProperties: { age: {} }
mirrorProperties: { a: {}, b: {} }
aggregationProperties: { n: {} }`
    expect(messages(text)).toEqual([
      '2:1 warning later_release: calculationProperties of blueprint "x" wait for a later release: age',
      '3:1 warning later_release: mirrorProperties of blueprint "x" wait for a later release: a, b',
      '4:1 warning later_release: aggregationProperties of blueprint "x" wait for a later release: n',
    ])
    expect(parse(text).blueprints).toHaveLength(1)
  })

  it('report every mistake at its place, and leave out the blueprint it is in', () => {
    const text = `- identifier: a:b
- identifier: x
  schema: { properties: { status: { type: enum } } }
- identifier: y
  relations: { to: { many: yes, target: 5 } }
  searchable: [nope]
- title: none
- identifier: x
- 5`
    expect(messages(text)).toEqual([
      '1:15 error value_invalid: identifier: a blueprint identifier has no colons and no spaces',
      '3:43 warning property_type_unknown: "enum" is no type; values of "status" are not checked',
      '5:28 error value_invalid: relations.to.many: must be a boolean, not a text',
      '5:41 error value_invalid: relations.to.target: must be a text, not the number 5',
      '7:3 error key_missing: "identifier" is missing',
      '8:3 error blueprint_duplicate: there are two blueprints "x"',
      '9:3 error value_invalid: must be a block of keys, not the number 5',
    ])
    expect(parse(text).blueprints.map(({ identifier }) => identifier)).toEqual(['x'])
    expect(messages('identifier: y\nsearchable: [nope]')).toEqual([
      '2:14 error property_unknown: "searchable" names "nope", which blueprint "y" does not have',
    ])
    expect(messages('"text"')).toEqual(['1:1 error shape_wrong: blueprints are a list or a block of keys, not a text'])
  })
})
