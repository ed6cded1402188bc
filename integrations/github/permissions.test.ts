import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { github } from './index.ts'
import { permissions } from './permissions.ts'

const doc = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')

const kinds = github
  .connect(github.config.parse({ token: 'x', organizations: ['acme'] }), {
    fetch: () => Promise.reject(new Error('nothing is called')),
    log: () => undefined,
    now: () => 0,
  })
  .kinds.map(({ name }) => name)

test('every kind has its permission', () => {
  expect(Object.keys(permissions).sort()).toEqual([...kinds].sort())
})

test('connect-github.md says which, kind by kind', () => {
  const [, table = ''] = doc('connect-github.md').split(
    '| kind | classic | fine-grained token or App |\n|---|---|---|\n',
  )
  const rows = [...(table.split('\n\n')[0] ?? '').matchAll(/^\| (.+?) \| (.+?) \| (.+?) \|$/gm)]
  const said = rows.flatMap(([, names = '', classic = '', label = '']) =>
    [...names.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => `${name}, ${classic.replaceAll('`', '')}, ${label}`),
  )
  const wanted = Object.entries(permissions).map(
    ([name, { classic, label }]) => `${name}, ${classic[0] ?? 'none'}, ${label}`,
  )
  expect(said.sort()).toEqual(wanted.sort())
})

test('security.md says the same', () => {
  const rows = [...doc('security.md').matchAll(/^\| `([\w-]+)` \| (?:yes|no) \| (.+?) \| (.+?) \| (.+?) \| .+ \|$/gm)]
  const said = rows.map(([, name = '', , classic = '', label = '']) => [name, classic, label])
  expect(said).toHaveLength(kinds.length)
  for (const [name = '', classic = '', label] of said) {
    expect(classic, name).toContain(permissions[name]?.classic[0] ?? 'none')
    expect(label, name).toBe(permissions[name]?.label)
  }
})
