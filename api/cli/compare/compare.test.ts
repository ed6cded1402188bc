import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Blueprint } from '../../../core/model/blueprint.ts'
import type { Json } from '../../../core/sdk/index.ts'
import { compareCatalogs, type Ours, type Theirs } from './differ.ts'
import { parseExport } from './theirs.ts'

const service: Blueprint = {
  identifier: 'service',
  schema: {
    properties: { url: { type: 'string' }, at: { type: 'string', format: 'date-time' }, tags: { type: 'array' } },
  },
  relations: { team: { target: 'team' }, uses: { target: 'service', many: true } },
}
const blueprints = new Map([['service', service]])
const none = new Set<string>()

const names = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const entity: fc.Arbitrary<Ours> = fc.record({
  blueprint: fc.constant('service'),
  identifier: names,
  title: names,
  team: fc.uniqueArray(names),
  properties: fc.record({ url: names, tags: fc.array(names) }, { requiredKeys: [] }),
  relations: fc.record({ team: names.map((it) => `team:${it}`), uses: fc.uniqueArray(names) }, { requiredKeys: [] }),
})
const catalog = fc.uniqueArray(entity, { selector: ({ identifier }) => identifier })
/** The same entity as another catalog exports it. */
const exported = (one: Ours): Theirs => ({
  ...one,
  team: [...one.team].reverse(),
  // Relations of the arbitrary are JSON.
  relations: one.relations as Theirs['relations'],
})

test('a catalog equals its own export, and every entity is in exactly one group', () => {
  fc.assert(
    fc.property(catalog, catalog, (theirs, ours) => {
      const itself = compareCatalogs(ours.map(exported), ours, blueprints, none)
      expect(itself).toMatchObject({ differing: [], onlyThere: [], onlyHere: [] })
      expect(itself.equal).toHaveLength(ours.length)
      const { equal, differing, onlyThere, onlyHere } = compareCatalogs(theirs.map(exported), ours, blueprints, none)
      const both = [...equal, ...differing.map(({ reference }) => reference)]
      const sorted = (list: readonly string[]): string[] => [...list].sort()
      expect(sorted([...both, ...onlyThere])).toEqual(sorted(theirs.map((it) => `service:${it.identifier}`)))
      expect(sorted([...both, ...onlyHere])).toEqual(sorted(ours.map((it) => `service:${it.identifier}`)))
    }),
  )
})

test('one field that is another is the one difference, unless it is ignored', () => {
  const change = fc.constantFrom(
    ['title', { title: 'other' }],
    ['team', { team: ['other'] }],
    ['properties.url', { properties: { url: 'other' } }],
    ['relations.team', { relations: { team: 'other' } }],
  ) as fc.Arbitrary<readonly [string, Partial<Theirs>]>
  fc.assert(
    fc.property(entity, change, (one, [field, other]) => {
      const theirs = {
        ...exported(one),
        ...other,
        ...(other.properties === undefined ? {} : { properties: { ...one.properties, ...other.properties } }),
        ...(other.relations === undefined ? {} : { relations: { ...exported(one).relations, ...other.relations } }),
      }
      const found = compareCatalogs([theirs], [one], blueprints, none)
      expect(found.differing.map(({ differences }) => differences.map((it) => it.field))).toEqual([[field]])
      expect(compareCatalogs([theirs], [one], blueprints, new Set([field])).equal).toHaveLength(1)
    }),
  )
})

const one = (there: Partial<Theirs>, here: Partial<Ours>) =>
  compareCatalogs(
    [{ blueprint: 'service', identifier: 'x', properties: {}, relations: {}, ...there }],
    [{ blueprint: 'service', identifier: 'x', title: null, team: [], properties: {}, relations: {}, ...here }],
    blueprints,
    none,
  ).differing.flatMap(({ differences }) => differences)

test('what is the same in other words is no difference', () => {
  expect(one({ properties: { url: null } }, {})).toEqual([])
  expect(one({ relations: { uses: [], team: null } }, { relations: { uses: [] } })).toEqual([])
  expect(one({ relations: { uses: ['b', 'a'] } }, { relations: { uses: ['service:a', 'service:b'] } })).toEqual([])
  const [there, here] = ['2026-01-02T03:04:05.000Z', '2026-01-02T03:04:05Z']
  expect(one({ properties: { at: there } }, { properties: { at: here } })).toEqual([])
  expect(one({ properties: { url: there } }, { properties: { url: here } })).toHaveLength(1)
  expect(one({ properties: { tags: { a: 1, b: 2 } } }, { properties: { tags: { b: 2, a: 1 } } })).toEqual([])
})

test('a property that our blueprint does not have is told apart', () => {
  expect(one({ properties: { score: 3 } }, {})).toEqual([
    { field: 'properties.score', there: 3, here: null, known: false },
  ])
  // Names that every object has are names like others.
  expect(one({ properties: { constructor: 3 } }, {})).toHaveLength(1)
})

test.each([
  ['{"ok":true,"entities":[ENTITY]}'],
  ['[ENTITY]'],
  ['{"items":[ENTITY]}'],
  ['\uFEFF{"entities":[ENTITY,ENTITY]}'],
])('Port: %s', (form) => {
  const text = '{"identifier":"a","blueprint":"service","title":"A","team":"x","properties":{"url":"u"}}'
  expect(parseExport(form.replaceAll('ENTITY', text), 'x.json')).toEqual({
    format: 'port',
    entities: [
      { blueprint: 'service', identifier: 'a', title: 'A', team: ['x'], properties: { url: 'u' }, relations: {} },
    ],
  })
})

test.each([
  ['{', /x\.json is not valid JSON/],
  ['{"entities":[]}', /has no entities/],
  ['{"a":1}', /has no entities/],
  ['7', /has no entities/],
  ['[{"identifier":"a"}]', /x\.json: entity 1: blueprint/],
  ['[{"identifier":"a","blueprint":"b"},7]', /x\.json: entity 2: it/],
  ['[{"identifier":"a","blueprint":"b","properties":[]}]', /entity 1: properties/],
])('not an export: %s', (text, message) => {
  expect(() => parseExport(text, 'x.json')).toThrow(message)
})

test('Backstage: references in full, in small letters; what Backstage adds by itself is left out', () => {
  const annotations: Json = { 'backstage.io/managed-by-location': 'url:x', 'acme/tier': '1' }
  const text = JSON.stringify([
    {
      kind: 'Component',
      metadata: { name: 'Shop', namespace: 'Retail', annotations, uid: 'u', etag: 'e' },
      spec: { type: 'service', owner: 'user:default/mei', dependsOn: ['resource:db', 'Other/b'] },
      relations: [{ type: 'ownedBy', targetRef: 'user:default/mei' }],
    },
    { kind: 'Location', metadata: { name: `generated-${'a'.repeat(40)}` }, spec: {} },
  ])
  const { format, entities } = parseExport(text, 'x.json')
  expect(format).toBe('backstage')
  expect(entities).toMatchObject([
    {
      blueprint: 'component',
      identifier: 'retail/shop',
      title: 'Shop',
      properties: { type: 'service', lifecycle: null, annotations: { 'acme/tier': '1' } },
      relations: { ownerUser: 'default/mei', owner: null, dependsOn: ['other/b'], dependsOnResources: ['retail/db'] },
    },
  ])
  expect(entities[0]?.covers?.has('team')).toBe(false)
})
