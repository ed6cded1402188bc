import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { compileMappings, parseBlueprints } from '../mapping/index.ts'
import type { MappingOutput } from '../model/mapping.ts'
import type { Integration, Json } from '../sdk/index.ts'

const fixture = z.array(z.object({ item: z.json(), entities: z.array(z.unknown()) }))

/**
 * The mapping and the blueprints that an integration ships, held against its kinds and against fixtures:
 * `mappings/NAME/fixtures/KIND.json` is a list of `{ item, entities }`. `config` is any that connects; nothing is called.
 */
export function describeShippedMapping<Config>(integration: Integration<Config>, config: Config): void {
  const folder = new URL(`../../mappings/${integration.name}/`, import.meta.url)
  const text = (name: string): string => readFileSync(new URL(name, folder), 'utf8')
  const { kinds } = integration.connect(config, { fetch, log: () => undefined, now: () => 0 })
  const blueprints = parseBlueprints('blueprints.yaml', text('blueprints.yaml'))
  const compiled = compileMappings({
    file: 'mapping.yaml',
    text: text('mapping.yaml'),
    blueprints: blueprints.blueprints,
    kinds: kinds.map((kind) => kind.name),
    aliases: integration.aliases,
    selects: (name, item, selector) => kinds.find((kind) => kind.name === name)?.selects?.(item, selector) ?? true,
  })

  test('the shipped files say nothing that a reader would have to mend', () => {
    expect(blueprints.diagnostics).toEqual([])
    expect(compiled.diagnostics).toEqual([])
    const known = new Set(blueprints.blueprints.map((blueprint) => blueprint.identifier))
    for (const { identifier, relations, schema, searchable } of blueprints.blueprints) {
      for (const [name, { target }] of Object.entries(relations))
        expect(known, `${identifier}.${name}`).toContain(target)
      for (const name of searchable ?? []) expect(schema.properties).toHaveProperty(name)
    }
  })

  test('every kind is mapped and has fixtures', () => {
    const names = kinds.map((kind) => kind.name).sort()
    expect([...compiled.mappings.kinds].sort()).toEqual(names)
    expect(readdirSync(new URL('fixtures/', folder)).sort()).toEqual(names.map((name) => `${name}.json`).sort())
  })

  test.each(kinds)('fixtures of $name: what an item looks like, and what becomes of it', (kind) => {
    const cases = fixture.parse(JSON.parse(text(`fixtures/${kind.name}.json`)))
    expect(cases).not.toEqual([])
    for (const { item, entities } of cases) {
      // Parsed as JSON above; zod's type of it is writable, ours is not.
      const body = item as Json
      expect(JSON.stringify(kind.canonical(body))).toBe(JSON.stringify(body))
      expect(compiled.mappings.apply(kind.name, body, { now: 0 }).flatMap(drafts)).toEqual(entities)
    }
  })
}

function drafts(output: MappingOutput): readonly unknown[] {
  if (output.state === 'quarantined') throw new Error(output.problem.message)
  if (output.state === 'deselected') return []
  expect(output.quarantined).toEqual([])
  return output.drafts.map(({ draft: { failed, ...rest } }) => {
    expect(failed).toEqual([])
    return rest
  })
}
