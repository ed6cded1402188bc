import { appendFile, mkdir, rename, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  BadAnswer,
  type Json,
  type Kind,
  type ListRequest,
  type Page,
  ScopeUnreadable,
  writeJson,
} from '../../core/sdk/index.ts'
import { file } from './index.ts'
import { type FileSource, openFolder } from './source.fixture.ts'

let source: FileSource
beforeEach(async () => {
  source = await openFolder()
})
afterEach(() => source.close())

function kindOf(config: object): Kind {
  const { kinds } = file.connect(file.config.parse(config), {
    fetch,
    log: () => undefined,
    now: Date.now,
    folder: source.folder,
  })
  const [kind] = kinds
  if (kind === undefined) throw new Error('no kind')
  return kind
}

const listing = (kind: Kind, name: string, more: Partial<ListRequest> = {}): AsyncIterable<Page> =>
  kind.list({ partition: { name }, signal: new AbortController().signal, known: () => undefined, ...more })

async function rest(pages: AsyncIterable<Page>): Promise<Page[]> {
  const all: Page[] = []
  for await (const page of pages) all.push(page)
  return all
}

const pagesOf = (kind: Kind, name: string, more?: Partial<ListRequest>): Promise<Page[]> =>
  rest(listing(kind, name, more))

async function read(name: string, text: string, config: object = {}): Promise<readonly Json[]> {
  await source.write(name, text)
  return (await pagesOf(kindOf({ paths: [name], ...config }), name)).flatMap((page) => page.items)
}

const signal = new AbortController().signal
const a = { id: 'a' }
const rowA = [{ id: 'a', file: expect.any(String) as string }]

test.each([
  ['list.json', JSON.stringify([a])],
  ['items.json', JSON.stringify({ items: [a], next: null })],
  ['one.json', `\uFEFF${JSON.stringify(a)}`],
  ['lines.ndjson', '{"id":"a"}\r\n\n'],
  ['lines.jsonl', '{"id":"a"}'],
  ['one.yaml', 'id: a'],
  ['list.yml', '- id: a\n'],
  ['documents.yaml', '---\nitems: [{ id: a }]\n---\n[]\n'],
  ['rows.CSV', '\uFEFF id ,\r\n"a",comment\r\n\r\n'],
])('%s gives its rows', async (name, text) => {
  expect(await read(name, text)).toEqual(rowA)
})

test('cells of CSV are texts with whatever is in the quotes', async () => {
  const text = 'id;note\n007;"a ""b"";\nc"\n'
  expect(await read('x.csv', text, { delimiter: ';' })).toEqual([{ id: '007', note: 'a "b";\nc', file: 'x.csv' }])
})

test('no rows is a word of the file; an empty file says nothing', async () => {
  expect(await read('a.json', '[]')).toEqual([])
  expect(await read('a.yaml', '[]')).toEqual([])
  expect(await read('a.csv', 'id,name\n')).toEqual([])
  for (const name of ['b.json', 'b.yaml', 'b.csv']) await expect(read(name, '')).rejects.toBeInstanceOf(BadAnswer)
})

test.each([
  ['cut.json', '[{"id":"a"}', 'cut.json'],
  ['cut.ndjson', '{"id":"a"}\n{"id":"b', 'after 1 rows'],
  ['cut.yaml', '- id: "a', 'cut.yaml'],
  ['cut.csv', 'id,name\na,"b', 'Quote'],
  ['short.csv', 'id,name\na', 'Record Length'],
  ['page.csv', '<!DOCTYPE html>\n<title>Login</title>\n', '<!DOCTYPE html>'],
  ['page.yaml', '<!DOCTYPE html>\n<title>Login</title>\n', 'no object'],
  ['semicolon.csv', 'id;name\na;b\n', '`delimiter`'],
  ['twice.csv', 'id,id\na,b\n', 'two columns are called id'],
  ['own.json', '[{"id":"a","file":"x"}]', 'a field "file"'],
  ['rows.txt', 'a', 'format'],
])('%s is a bad answer that says why', async (name, text, why) => {
  const failed: unknown = await read(name, text).catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(BadAnswer)
  expect(String(failed)).toContain(why)
})

const long = '12345678901234567890'
test.each([
  ['rows.json', `[{"id":${long}}]`],
  ['rows.ndjson', `{"id":${long}}`],
  ['rows.yaml', `- id: ${long}\n  n: 5`],
])('%s: an id above 2^53 keeps its digits', async (name, text) => {
  const [item = null] = await read(name, text)
  expect(kindOf({ paths: [name] }).key(item)).toBe(`${name}#${long}`)
  expect(writeJson(item).text).toContain(`{"id":${long},`)
})

test('a key is the first field that is set, or a pointer, within its file', async () => {
  const keys = async (config: object, text: string): Promise<string[]> => {
    const items = await read('x.json', text, config)
    return items.map((item) => kindOf({ paths: ['x.json'], ...config }).key(item))
  }
  expect(await keys({}, '[{"id":7},{"id":"","name":"b"}]')).toEqual(['x.json#7', 'x.json#b'])
  expect(await keys({ key: '/metadata/a~1b' }, '[{"metadata":{"a/b":"c"}}]')).toEqual(['x.json#c'])
  await expect(keys({ key: 'slug' }, '[{"id":7}]')).rejects.toThrow('a row of x.json has no slug')
  await expect(keys({}, '[{"id":1.5}]')).rejects.toBeInstanceOf(BadAnswer)
})

test('versions are compared as text, so numbers are padded', () => {
  const kind = kindOf({ paths: ['x.json'], version: 'at' })
  const version = (at: Json): string => kind.version?.({ file: 'x.json', at }) ?? ''
  expect(version(9) < version(10)).toBe(true)
  expect(version('2026-01-02')).toBe('2026-01-02')
  expect(version(null)).toBe('')
})

test('a row that repeats a key is said and left out, also pages later', async () => {
  const rows = Array.from({ length: 600 }, (_, index) => ({ id: index }))
  await source.write('x.json', JSON.stringify([...rows, { id: 3, other: true }]))
  const pages = await pagesOf(kindOf({ paths: ['x.json'] }), 'x.json')
  expect(pages.map((page) => page.items.length)).toEqual([500, 100])
  expect(pages.map((page) => page.incomplete)).toEqual([undefined, 'row 601 of x.json is called as an earlier one'])
})

test('a file that is being written proves nothing', async () => {
  const name = 'many.ndjson'
  const kind = kindOf({ paths: [name] })
  const [first] = await pagesOf(kind, name)

  const pages = listing(kind, name)[Symbol.asyncIterator]()
  await pages.next()
  await appendFile(join(source.folder, name), '\n{"id":"new"}')
  await expect(rest({ [Symbol.asyncIterator]: () => pages })).rejects.toThrow('written while it was read')

  const [fresh] = await pagesOf(kind, name)
  expect(fresh).toMatchObject({ incomplete: `${name} was written a moment ago` })
  expect(fresh?.validator).toBeUndefined()
  expect(await kind.get?.(`${name}#gone`, {}, name, signal)).toMatchObject({ state: 'unknown' })

  await utimes(join(source.folder, name), 1, 1)
  await expect(pagesOf(kind, name, { from: first?.next ?? '' })).rejects.toThrow('written while it was read')
  expect((await pagesOf(kind, name)).at(-1)?.items.at(-1)).toEqual({ id: 'new', file: name })
})

test('another file under the same name, or another way to read it, is not an unmodified one', async () => {
  await source.write('x.json', '[{"id":"a","name":"n"}]')
  const stamp = async (config: object = {}): Promise<unknown> =>
    (await pagesOf(kindOf({ paths: ['x.json'], ...config }), 'x.json'))[0]?.validator
  const before = await stamp()
  expect(await stamp()).toBe(before)
  expect(await stamp({ key: 'name' })).not.toBe(before)
  // Of the same size, and as old as before.
  await source.write('x.json', '[{"id":"c","name":"n"}]')
  await utimes(join(source.folder, 'x.json'), 1, 1)
  const changed = await stamp()
  await source.write('x.json', '[{"id":"d","name":"n"}]')
  await utimes(join(source.folder, 'x.json'), 1, 1)
  expect(await stamp()).not.toBe(changed)
  await writeFile(join(source.folder, 'y.json'), '[{"id":"b","name":"n"}]')
  await utimes(join(source.folder, 'y.json'), 1, 1)
  await rename(join(source.folder, 'y.json'), join(source.folder, 'x.json'))
  expect(await stamp()).not.toBe(before)
})

test('partitions are files by name, each once; what is not there or no file is unknown', async () => {
  await mkdir(join(source.folder, 'folder.csv'))
  const absolute = join(source.folder, 'systems.yaml')
  const kind = kindOf({ paths: ['./teams.csv', '*.csv', absolute, 'no.json', 'folder.csv', 'no/*.json'] })
  expect(await kind.partitions(signal)).toEqual([
    { name: absolute },
    { name: 'folder.csv', unknown: 'folder.csv is not a file' },
    { name: 'no.json', unknown: 'no.json is not there' },
    { name: 'teams.csv' },
  ])
  await expect(kindOf({ paths: ['no/*.json'] }).partitions(signal)).rejects.toBeInstanceOf(ScopeUnreadable)
})
