import fc from 'fast-check'

export const blueprints = `
- identifier: service
  schema: { properties: { stars: { type: number }, tags: { type: array, merge: union }, tier: { type: string } } }
  relations: { owner: { target: team }, uses: { target: service, many: true, merge: union } }
- identifier: team
  schema: { properties: { lead: { type: string }, size: { type: number } } }
  relations: { lead: { target: service }, peers: { target: service, many: true } }
`

/** Where relations lead. */
export const targets = {
  service: { owner: 'team', uses: 'service' },
  team: { lead: 'service', peers: 'service' },
} as const

const service = (identifier: string, more: string): string => `
  - kind: thing
    selector: { query: '.hidden | not' }
    entity:
      blueprint: '"service"'
      identifier: ${identifier}
      title: .title
      team: .team
      properties: { stars: .stars, tags: .tags, tier: .tier }
      relations: { owner: .owner, uses: .uses }
${more}`

const team = `
  - kind: thing
    selector: { query: '.owner != null' }
    entity: { blueprint: '"team"', identifier: .owner, properties: { size: .stars }, relations: { lead: .name } }
`

/** Relations by search query: one that takes one entity and one that takes many. */
const bySearch = `
  - kind: thing
    selector: { query: '.owner != null' }
    entity:
      blueprint: '"team"'
      identifier: .owner
      relations:
        lead: { combinator: '"and"', rules: [{ property: '"stars"', operator: '"="', value: .stars }] }
        peers: { combinator: or, rules: [{ property: '"tier"', operator: '=', value: .tier }, { property: $title, operator: beginsWith, value: '"o"' }] }
`

/** Versions of one mapping file: other fields, another selector, another identifier, more and fewer entities. */
export const versions: readonly string[] = [
  `resources:${service('.name', team)}`,
  `resources:${service('.name', bySearch)}`,
  `resources:${service('.other // .name', team)}`,
  `resources:${service('.name', team).replace('.hidden | not', '.tier != "low"').replace('stars: .stars', 'stars: (.stars // 0) + 1')}`,
  `createMissingRelatedEntities: true\nresources:${service('.name', '')}`,
  `createMissingRelatedEntities: true\nresources:${service('.other // .name', team)}`,
  `resources:${team}
  - kind: thing
    selector: { query: 'true' }
    itemsToParse: .uses
    entity: { blueprint: '"service"', identifier: .item, properties: { tier: .tier }, relations: { owner: .owner } }
`,
]

type Body = Readonly<Record<string, unknown>>
type Source = 'alpha' | 'beta'
/** `pick`: one of the objects that are there. */
export type Op =
  | { readonly type: 'observe'; readonly source: Source; readonly key: string; readonly body: Body }
  | { readonly type: 'rename'; readonly pick: number; readonly body: Body }
  | { readonly type: 'withdraw'; readonly pick: number }
  | { readonly type: 'map'; readonly source: Source; readonly version: number }
  | { readonly type: 'order'; readonly sources: readonly string[] }

const source = fc.constantFrom('alpha', 'beta')
const key = fc.constantFrom('k1', 'k2', 'k3', 'k4')
const name = fc.constantFrom('a', 'b', 'c', 'd')
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { freq: 3 })

const body = fc.record({
  name,
  other: maybe(name),
  title: maybe(fc.constantFrom('one', 'two')),
  team: maybe(fc.constantFrom('red', 'blue')),
  stars: maybe(fc.nat(3)),
  tags: maybe(fc.subarray(['x', 'y', 'z'])),
  tier: maybe(fc.constantFrom('low', 'high')),
  owner: maybe(fc.constantFrom('t1', 't2')),
  uses: maybe(fc.uniqueArray(name, { maxLength: 3 })),
  hidden: fc.constantFrom(false, false, false, true),
})

const pick = fc.nat(99)
const kind = <T extends string>(type: T): fc.Arbitrary<T> => fc.constant(type)
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: kind('observe'), source, key, body }) },
  { weight: 4, arbitrary: fc.record({ type: kind('rename'), pick, body: fc.record({ name }) }) },
  { weight: 4, arbitrary: fc.record({ type: kind('withdraw'), pick }) },
  { weight: 4, arbitrary: fc.record({ type: kind('map'), source, version: fc.nat(versions.length - 1) }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: kind('order'), sources: fc.constantFrom(['alpha', 'beta'], ['beta', 'alpha']) }),
  },
)

export const operations: fc.Arbitrary<readonly Op[]> = fc.array(op, { minLength: 40, maxLength: 50, size: 'max' })
