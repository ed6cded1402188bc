import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '../model/json.ts'
import { compileMappings } from './index.ts'

/** Bodies that look like what a source gives, and bodies that look like nothing at all. */
const body = fc.oneof(
  fc.jsonValue().map((value) => value as Json),
  fc.record(
    {
      id: fc.oneof(fc.integer(), fc.string(), fc.constant(null)),
      name: fc.oneof(fc.string(), fc.constant(null), fc.array(fc.string())),
      list: fc.oneof(fc.array(fc.record({ id: fc.oneof(fc.integer(), fc.string()) })), fc.constant(null), fc.string()),
      type: fc.constantFrom('a', 'b', '', null, 5),
      labels: fc.dictionary(fc.string(), fc.jsonValue()),
    },
    { requiredKeys: [] },
  ),
) as fc.Arbitrary<Json>

const good = `
  - kind: r
    selector: { query: '.id != 3' }
    entity:
      identifier: .id
      title: .name
      blueprint: '"a"'
      team: .list | map(.id)
      properties: { '*': .labels, name: .name, half: '.id / 2', all: . }
      relations: { up: .name, ids: '[.list[].id]' }
  - kind: r
    itemsToParse: .list
    entity:
      - { identifier: '.item.id', blueprint: .type }
      - { identifier: '.item.id + 1', blueprint: '"b"', properties: { total: '.list | length', at: now } }
`
const blueprints = [
  {
    identifier: 'a',
    schema: { properties: { name: { type: 'string' as const }, half: { type: 'number' as const } } },
    relations: { up: { target: 'a' } },
  },
  { identifier: 'b', schema: { properties: {} }, relations: {} },
]

const compile = (resources: string, checked: boolean) =>
  compileMappings({ file: 'm', text: `resources:${resources}`, ...(checked ? { blueprints } : {}) }).mappings

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) freeze(member)
  }
  return value
}

describe('apply', () => {
  it.each([true, false])(
    'is pure and total: it throws nothing, changes nothing, and gives the same again (blueprints: %s)',
    (checked) => {
      const mappings = compile(good, checked)
      const again = compile(good, checked)
      fc.assert(
        fc.property(body, (value) => {
          const before = JSON.stringify(value)
          const first = mappings.apply('r', freeze(value), { now: 1 })
          expect(first).toEqual(again.apply('r', value, { now: 1 }))
          expect(JSON.stringify(value)).toBe(before)
          expect(first.map(({ mapping }) => mapping)).toEqual(['r', 'r#2'])
        }),
        { numRuns: 500 },
      )
    },
  )

  it('gives only usable identifiers and blueprints, and a problem for everything else', () => {
    const mappings = compile(good, true)
    fc.assert(
      fc.property(body, (value) => {
        for (const output of mappings.apply('r', value, { now: 1 })) {
          if (output.state !== 'selected') continue
          for (const { draft } of output.drafts) {
            expect(draft.identifier).not.toBe('')
            expect(['a', 'b']).toContain(draft.blueprint)
            for (const { field, message, line } of draft.failed) {
              const [group, name] = field.split('.', 2)
              if (group === 'properties' && name !== undefined) expect(draft.properties).not.toHaveProperty([name])
              expect([message.length > 0, (line ?? 0) > 0]).toEqual([true, true])
            }
          }
          const items = [...output.drafts, ...output.quarantined].map(({ item }) => item)
          expect(new Set(items).size).toBe(items.length)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('gives the same whatever is broken in the mappings beside it (I8)', () => {
    const mistake = fc.constantFrom(
      `\n  - { kind: r, entity: { identifier: '.id |', blueprint: '"a"' } }`,
      `\n  - { kind: r, entity: { blueprint: '"a"' } }`,
      `\n  - { kind: other, selector: 5, entity: 7 }`,
      `\n  - { kind: r, selector: { query: '"x"' }, entity: { identifier: .id, blueprint: '"a"' } }`,
      `\n  - { kind: r, itemsToParse: 'error', entity: { identifier: .id, blueprint: '"a"' } }`,
      `\n  - 5`,
    )
    fc.assert(
      fc.property(fc.array(mistake, { minLength: 1 }), body, (mistakes, value) => {
        const alone = compile(good, true).apply('r', value, { now: 1 })
        const together = compile(good + mistakes.join(''), true).apply('r', value, { now: 1 })
        expect(together.slice(0, alone.length)).toEqual(alone)
        for (const output of together.slice(alone.length))
          expect(output.state === 'selected' && output.drafts.length > 0).toBe(false)
      }),
    )
  })
})
