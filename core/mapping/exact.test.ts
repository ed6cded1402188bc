import { describe, expect, it } from 'vitest'
import type { Json } from '../model/json.ts'
import { compileMappings } from './index.ts'
import { exactInput } from './jq/index.ts'
import { traceResource } from './trace.ts'

const id = '12345678901234567890'
const text = `{"id":${id},"ids":[${id},7],"name":"checkout","n":5,"parts":[{"id":${id}},{"id":98765432109876543210}]}`
const body = JSON.parse(text) as Json

function draftsOf(entity: string, more = '', exact: string | undefined = text) {
  const file = `resources:\n  - kind: thing\n${more}    entity: { blueprint: '"x"', ${entity} }\n`
  const compiled = compileMappings({ file: 'mapping.yaml', text: file })
  expect(compiled.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
  const outputs = compiled.mappings.apply('thing', body, exact === undefined ? { now: 0 } : { now: 0, text: exact })
  return outputs.flatMap((output) => (output.state === 'selected' ? output.drafts.map(({ draft }) => draft) : []))
}

const identifierOf = (expression: string, exact?: string): string | undefined =>
  draftsOf(`identifier: '${expression}'`, '', exact)[0]?.identifier

describe('an id above 2^53', () => {
  it.each([
    ['.id', id],
    ['.id | tostring', id],
    ['.id | tojson', id],
    ['"x-\\(.id)"', `x-${id}`],
    ['.name + "-" + (.id | tostring)', `checkout-${id}`],
    ['[.id, .n] | join("/")', `${id}/5`],
    ['if .id == 12345678901234567891 then "same" else "other" end', 'other'],
    // Arithmetic is done with doubles, as in jq.
    ['.id + 0', '12345678901234567000'],
    ['.id + 0 | tostring', '12345678901234567000'],
    ['.ids[0]', id],
    ['.n', '5'],
  ])('%s', (expression, expected) => {
    expect(identifierOf(expression)).toBe(expected)
  })

  it('is rounded only where the text is not known', () => {
    expect(identifierOf('.id')).toBe(id)
    const file = `resources: [{ kind: thing, entity: { identifier: .id, blueprint: '"x"' } }]`
    const { mappings } = compileMappings({ file: 'm.yaml', text: file })
    expect(mappings.apply('thing', body, { now: 0 })).toMatchObject([
      { drafts: [{ draft: { identifier: '12345678901234567000' } }] },
    ])
    // And the text of one record is not that of the next.
    mappings.apply('thing', body, { now: 0, text })
    expect(mappings.apply('thing', { id: 2 ** 60 }, { now: 0 })).toMatchObject([
      { drafts: [{ draft: { identifier: '1152921504606847000' } }] },
    ])
  })

  it('keeps its digits in titles, teams and relations, and is a double as a property', () => {
    const fields =
      'identifier: .name, title: .id, team: .ids, properties: { id: .id }, relations: { one: .id, all: .ids }'
    expect(draftsOf(fields)).toMatchObject([
      { title: id, team: [id, '7'], properties: { id: 12345678901234567000 }, relations: { one: id, all: [id, '7'] } },
    ])
  })

  it.each([
    ['$identifier', '=', '.id', { operator: '=', value: id }],
    ['$identifier', 'in', '.ids', { operator: 'in', value: [id, '7'] }],
    ['relations.owner', '=', '.n', { operator: '=', value: '5' }],
    // A property of that number was rounded likewise; one that holds the digits is text.
    ['\'"number"\'', '=', '.id', { operator: 'in', value: [12345678901234567000, id] }],
    ['\'"number"\'', '!=', '.id', { operator: 'notIn', value: [12345678901234567000, id] }],
    ['\'"number"\'', 'in', '.ids', { operator: 'in', value: [12345678901234567000, id, 7] }],
    ['\'"number"\'', '=', '.n', { operator: '=', value: 5 }],
  ])('keeps its digits in a rule of a search query: %s %s %s', (property, operator, value, expected) => {
    const word = property.startsWith('relations') ? `'"${property}"'` : property
    const rule = `{ property: ${word}, operator: '${operator}', value: ${value} }`
    const [draft] = draftsOf(`identifier: .name, relations: { one: { combinator: and, rules: [${rule}] } }`)
    expect(draft?.relations).toMatchObject({ one: { rules: [expected] } })
  })

  it('keeps its digits in the items of itemsToParse', () => {
    const drafts = draftsOf(`identifier: '.item.id', title: '"\\(.name) \\(.item.id)"'`, '    itemsToParse: .parts\n')
    expect(drafts).toMatchObject([
      { identifier: id, title: `checkout ${id}` },
      { identifier: '98765432109876543210', title: 'checkout 98765432109876543210' },
    ])
  })

  it('shows its digits in a trace', () => {
    const file = `resources: [{ kind: thing, itemsToParse: .parts, entity: { identifier: .item.id | tostring, blueprint: '"x"' } }]`
    const [resource] = compileMappings({ file: 'm.yaml', text: file }).resources
    if (resource === undefined) throw new Error('no mapping')
    const traces = traceResource(resource, body, { variables: { env: {} }, now: 0, exact: () => exactInput(text) })
    expect(traces.filter(({ field }) => field === 'identifier').map(({ result }) => result)).toEqual([
      `"${id}"`,
      '"98765432109876543210"',
    ])
  })
})
