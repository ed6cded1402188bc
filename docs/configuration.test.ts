import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { configJsonSchema, loadConfig } from '../core/config/index.ts'
import { isObject, type Json } from '../core/model/json.ts'
import { registry } from '../integrations/registry.ts'

const text = readFileSync(new URL('configuration.md', import.meta.url), 'utf8')
const schema = JSON.parse(JSON.stringify(configJsonSchema(registry))) as Json

/** First cells of the table whose header has these words. */
function rows(header: string): string[] {
  const table = text.slice(text.indexOf(header)).split('\n\n', 1)[0] ?? ''
  return [...table.matchAll(/^\| `([\w.]+)` \|/gm)].map(([, name = '']) => name)
}

/** Dotted names of the keys below a schema; the content of free-form blocks is not named. */
function keys(node: Json | undefined, path = ''): string[] {
  if (!isObject(node)) return []
  const inner = isObject(node['items']) ? node['items'] : node
  const properties = inner['properties']
  const own = isObject(properties) ? Object.entries(properties) : []
  return own.flatMap(([key, value]) => {
    const name = path === '' ? key : `${path}.${key}`
    const below = keys(value, name)
    return below.length > 0 && name !== 'sources' ? below : [name, ...below]
  })
}

it('names every key of catchment.yaml', () => {
  expect(new Set(rows('| key | default |'))).toEqual(new Set(keys(schema)))
})

it('shows a complete file, which loads with every key used', () => {
  const [, complete = ''] = /^```yaml complete\n([\s\S]*?)^```$/m.exec(text) ?? []
  const files = new Map([
    ['/org/catchment.yaml', complete],
    ['/org/webhook-secret', 's'],
    ['/org/mappings/github.yaml', ''],
    ['/org/blueprints/a.yaml', ''],
  ])
  const config = loadConfig({
    cwd: '/org',
    env: { GITHUB_TOKEN: 't' },
    integrations: registry,
    readFile: (path) => {
      const found = files.get(path)
      if (found === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' })
      return found
    },
    listFolder: () => ['a.yaml'],
  })
  expect(config).toMatchObject({ mode: 'file', warnings: [], sources: [{ name: 'github' }] })
  for (const key of keys(schema)) expect(complete).toContain(`${key.split('.').at(-1)}:`)
})

it('names every variable of the environment', () => {
  const code = readFileSync(new URL('../core/config/environment.ts', import.meta.url), 'utf8')
  const read = [...code.matchAll(/get\('(\w+)'\)/g)].map(([, name]) => name)
  expect(new Set(rows('| variable | default |'))).toEqual(new Set([...read, 'CATCHMENT_CONFIG']))
})

it('names every finding', () => {
  const folder = new URL('../core/config/', import.meta.url)
  const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  const code = sources.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n')
  const found = [...code.matchAll(/\.(?:error|warning)\(\s*'([a-z_]+)'/g)].map(([, name]) => name)
  const shared = ['yaml_syntax', 'key_unknown', 'key_missing', 'key_duplicate', 'value_invalid']
  expect(new Set(rows('| code | meaning |'))).toEqual(new Set([...found, ...shared]))
})

it('has a JSON Schema for editors that says what the code checks', () => {
  const file = readFileSync(new URL('catchment.schema.json', import.meta.url), 'utf8')
  expect(JSON.parse(file), 'npm run schema writes it anew').toEqual(schema)
})
