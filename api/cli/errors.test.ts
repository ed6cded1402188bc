import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Every code that the sources can give, with the files that do. */
function given(): ReadonlyMap<string, readonly string[]> {
  const files = globSync('{core,api,integrations}/**/*.ts', { cwd: root }).filter(
    (name) =>
      !/\.(test|fixture|child)\.ts$|\/(testing|testkit|test|node_modules)\/|^integrations\/\w+\/sandbox\//.test(name),
  )
  const found = new Map<string, string[]>()
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8')
    const literal = text.matchAll(/\bcode:\s*\|?\s*('[a-z0-9_]+'(?:\s*\|\s*'[a-z0-9_]+')*)/g)
    // Calls of the report, and the codes that are handed to `mustGive`.
    const reported = text.matchAll(/\.(?:error|warning)\(\s*('[a-z0-9_]+')|mustGive\([\w.,\s|]*('[a-z0-9_]+')/g)
    for (const [, ...groups] of [...literal, ...reported])
      for (const [, code = ''] of groups.join(' ').matchAll(/'([a-z0-9_]+)'/g))
        found.set(code, [...(found.get(code) ?? []), file])
  }
  return found
}

/** Zod's own word for an issue; a kind of problem that nothing gives. */
const notOurs = new Set(['custom', 'unsupported'])

/** Cells of the document's tables that are nothing but codes. */
function documented(): readonly string[] {
  const text = readFileSync(join(root, 'docs/errors.md'), 'utf8')
  return text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .flatMap((line) => line.split(' | '))
    .map((cell) => cell.replace(/^\| | \|$/g, ''))
    .filter((cell) => /^(`[a-z0-9_]+` ?)+$/.test(cell))
    .flatMap((cell) => [...cell.matchAll(/`([a-z0-9_]+)`/g)].map(([, code = '']) => code))
}

test('docs/errors.md lists every code there is, and none that there is not', () => {
  const codes = given()
  expect(codes.size).toBeGreaterThan(100)
  const names = new Set(documented())
  const missing = [...codes].filter(([code]) => !names.has(code) && !notOurs.has(code))
  expect(missing).toEqual([])
  expect([...names].filter((code) => !codes.has(code))).toEqual([])
})
