import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runGoldens } from './goldens.ts'

let folder: string

const mapping = {
  identifier: '.id',
  title: '.name',
  blueprint: '"x"',
  properties: { n: '.n', bad: '.n | keys' },
  relations: { up: '.up' },
}
const line = {
  kind: 'thing',
  resourceIndex: 0,
  selector: '.n > 0',
  mapping,
  itemsToParse: '.list',
  raw: { item: { id: 1 }, id: 'i', name: 'N', n: 1, up: [7, null, ''], list: [{ id: 1 }] },
  result: 'ok',
  entity: {
    identifier: 'i',
    title: 'N',
    blueprint: 'x',
    properties: { n: 1, bad: null },
    relations: { up: [7, null] },
  },
}

function write(name: string, text: string): void {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

function run(changed: object, file = true) {
  const resource = {
    kind: 'thing',
    selector: { query: '.n > 0' },
    port: { itemsToParse: '.list', entity: { mappings: mapping } },
  }
  write('one/resources/map.yaml', JSON.stringify({ resources: file ? [resource] : [] }))
  write('one/spec.yaml', 'features: [{ resources: [] }]')
  write('one/golden.jsonl', `${JSON.stringify({ ...line, ...changed })}\n\n`)
  const { goldens, failures, files } = runGoldens([folder])
  expect(goldens).toBe(1)
  expect(files).toEqual([{ file: join(folder, 'one/resources/map.yaml'), errors: [] }])
  return failures.map(({ message }) => message).join()
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'goldens-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

it('holds when everything is equal, a failed property being null', () => {
  expect(run({})).toBe('')
  expect(run({}, false)).toBe('')
  expect(run({ raw: { n: 1 }, entity: { ...line.entity, identifier: null } })).toBe('')
  expect(run({ raw: { n: 0 }, result: 'not selected', entity: null })).toBe('')
})

it.each([
  [{ entity: { ...line.entity, properties: { n: 2, bad: null } } }, 'properties.n: expected 2, got 1'],
  [{ entity: { ...line.entity, properties: { bad: null } } }, 'properties.n: expected null, got 1'],
  [{ entity: { ...line.entity, properties: { n: 1, extra: 1 } } }, 'properties.extra: expected 1, got null'],
  [{ entity: { ...line.entity, relations: { up: null } } }, 'relations.up: expected null, got ["7"]'],
  [{ entity: { ...line.entity, title: 'M' } }, 'title: expected "M", got "N"'],
  [{ entity: { ...line.entity, blueprint: 'y' } }, 'blueprint: expected "y", got "x"'],
  [{ entity: { ...line.entity, team: 't' } }, 'team: expected ["t"], got []'],
  [{ entity: { ...line.entity, identifier: 'j' } }, 'expected j, got i'],
  [{ result: 'not selected', entity: null }, 'expected no entity, got i'],
  [{ selector: '.n > 1' }, 'expected i, got nothing'],
  [{ raw: { n: 1 } }, 'an identifier is a text or a number, not null'],
  [{ mapping: { ...mapping, identifier: '.id |' } }, 'unexpected end of the expression'],
  [{ mapping: { ...mapping, properties: { n: '.n + 1' } } }, 'properties.n: expected 1, got 2'],
])('sees a difference: %j', (changed, message) => {
  expect(run(changed)).toContain(message)
})

it('sees that the file says something else than its line', () => {
  write('one/resources/map.yaml', '')
  expect(
    run({ mapping: { ...mapping, properties: { n: '.n' } }, entity: { ...line.entity, properties: { n: 1 } } }),
  ).toBe('')
  expect(run({ selector: 'true', raw: { ...line.raw, n: 0 }, entity: { ...line.entity, properties: { n: 0 } } })).toBe(
    'through the file: expected i, got nothing',
  )
})
