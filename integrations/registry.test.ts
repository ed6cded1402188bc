import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { registry } from './registry.ts'

const here = new URL('.', import.meta.url)

test('the registry has every folder, and nothing else', async () => {
  const entries = await readdir(here, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory() && entry.name !== 'template').map(({ name }) => name)
  expect(Object.keys(registry).sort()).toEqual(folders.sort())
})

test.each(Object.entries(registry))(
  '%s is called as it is registered, and runs its conformance suite',
  async (name, it) => {
    expect(it.name).toBe(name)
    expect(await readdir(new URL(`${name}/`, here))).toContain('conformance.test.ts')
  },
)

test.each(Object.entries(registry))('every setting of %s is described', (_, { config }) => {
  const schema = z
    .object({ properties: z.record(z.string(), z.looseObject({})) })
    .parse(z.toJSONSchema(config, { io: 'input' }))
  for (const [name, setting] of Object.entries(schema.properties)) {
    expect(setting['description'], `describe ${name}`).toBeTypeOf('string')
  }
})

test.each(Object.keys(registry))('%s ships a mapping and blueprints', async (name) => {
  expect(await readdir(new URL(`../mappings/${name}/`, here))).toEqual(
    expect.arrayContaining(['mapping.yaml', 'blueprints.yaml', 'fixtures']),
  )
})
