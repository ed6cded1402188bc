import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { runLine } from '../../docs/testing/blocks.ts'
import { examples } from './examples.ts'
import { cli, type Running, startCatchment, temporaryFolder } from './testing/catchment.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let catchment: Running

const records = z.object({ items: z.array(z.object({ key: z.string() })) })

beforeAll(async () => {
  folder = await temporaryFolder()
  catchment = await startCatchment({ folder: folder.path })
  // What the examples name.
  const files = {
    'catchment.yaml': 'sources:\n  - name: files\n    integration: file\n    config: { paths: [things.csv] }\n',
    'things.csv': 'id,name\na,A\n',
    'items.json': '[{ "id": "a", "name": "A" }]',
    'mapping.yaml':
      'resources:\n  - kind: item\n    selector: { query: "true" }\n    entity:\n      identifier: .id\n      title: .name\n      blueprint: \'"thing"\'\n',
    'export.json': JSON.stringify({ entities: [{ blueprint: 'service', identifier: 'acme/none', properties: {} }] }),
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text)
}, 120_000)
afterAll(async () => {
  await catchment?.stop()
  await folder?.remove()
}, 60_000)

/** Words of every command that does something, as `--help` lists them. */
async function leaves(path: readonly string[] = []): Promise<readonly string[]> {
  const { stdout } = await cli([...path, '--help'], { folder: folder.path })
  const listed = /\nCommands:\n([\s\S]*?)(?:\n\n|$)/.exec(stdout)?.[1] ?? ''
  const names = [...listed.matchAll(/^ {2}([a-z][\w-]*)/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help')
  const below = await Promise.all(names.map((name) => leaves([...path, name])))
  const itself = path.length > 0 && (names.length === 0 || ['held', 'deliveries'].includes(path.join(' ')))
  return [...(itself ? [path.join(' ')] : []), ...below.flat()]
}

/** What ends otherwise than with 0 here, and why: nothing of the kind happened, or needs what a sandbox has not. */
const otherwise: Readonly<Record<string, { readonly code: number; readonly says: string }>> = {
  'deliveries replay': { code: 1, says: 'delivery_' },
  'held reject': { code: 1, says: 'hold_unknown' },
  'source remove': { code: 1, says: 'source_unknown' },
  undo: { code: 1, says: 'not_deleted' },
  unpin: { code: 1, says: 'not_pinned' },
  compare: { code: 4, says: '' },
  rollback: { code: 1, says: 'version_unknown' },
  'init github': { code: 2, says: 'file_exists' },
}

/** Run by every other test of the program, at length by its own, or for minutes. */
const elsewhere = ['start', 'tour', 'key reset', 'sandbox break', 'sandbox heal']

test('every command has a help with an example', async () => {
  const all = await leaves()
  expect(all.length).toBeGreaterThan(35)
  expect([...all].toSorted()).toEqual(Object.keys(examples).toSorted())
  for (const path of all) {
    const { code, stdout } = await cli([...path.split(' '), '--help'], { folder: folder.path })
    expect(code, path).toBe(0)
    expect(stdout, path).toContain(`Example:\n  catchment ${`${path} ${examples[path]}`.trim()}`)
  }
}, 120_000)

test('every example works as printed, or says why it cannot here', async () => {
  const { body } = await catchment.get('/api/v1/records?source=github&kind=repository&limit=1')
  const key = records.parse(body).items[0]?.key ?? ''
  for (const [path, example] of Object.entries(examples)) {
    if (elsewhere.includes(path)) continue
    const line = `npm run -s catchment -- ${path} ${example.replace('1296269', key)}`
    const done = await runLine(line, folder.path)
    const { code, says } = otherwise[path] ?? { code: 0, says: '' }
    expect(done.code, `${line}\n${done.stdout}${done.stderr}`).toBe(code)
    expect(done.stderr, line).toContain(says)
    expect(`${done.stdout}${done.stderr}`.trim(), line).not.toBe('')
  }
}, 180_000)
