import { readdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Running, startCatchment, temporaryFolder } from '../api/cli/testing/catchment.ts'
import { commandsOf, pageText, runLine } from './testing/blocks.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let catchment: Running
let env: Readonly<Record<string, string>>

beforeAll(async () => {
  folder = await temporaryFolder()
  catchment = await startCatchment({ folder: folder.path })
  const key = (await readFile(join(folder.path, 'data', 'admin-key'), 'utf8')).trim()
  env = { CATCHMENT_URL: catchment.url, KEY: key }
}, 120_000)
afterAll(async () => {
  await catchment?.stop()
  await folder?.remove()
}, 60_000)

test.each([
  ['search.md', 'run', 4],
  ['search.md', 'curl', 2],
  ['missing.md', 'run', 10],
  ['api.md', 'curl', 9],
  ['production.md', 'probe', 4],
])(
  'every command of %s (%s) works as printed',
  async (page, kind, least) => {
    const commands = commandsOf(page, kind)
    expect(commands.length).toBeGreaterThanOrEqual(least)
    for (const { line, exit } of commands) {
      const done = await runLine(line, folder.path, env)
      expect(done, `${line}\n${done.stdout}${done.stderr}`).toMatchObject({ code: exit, stderr: '' })
      expect(done.stdout, line).not.toContain('Nothing found')
      expect(done.stdout, line).not.toContain('urn:catchment:problem')
      expect(done.stdout.trim(), line).not.toBe('')
    }
  },
  120_000,
)

test('a line that cannot be read is shown again with a mark, and a term may begin with a minus', async () => {
  const [, shown = ''] = /^```\n(error: [\s\S]*?)^```$/m.exec(pageText('search.md')) ?? []
  expect(shown).toContain('  blueprint:service langauge:go\n                    ^^^^^^^^\n')
  const wrong = await runLine("npm run -s catchment -- search 'blueprint:service langauge:go'", folder.path)
  expect(wrong).toMatchObject({ code: 2, stderr: shown })
  const counted = async (line: string) => Number((await runLine(line, folder.path)).stdout)
  const all = await counted('npm run -s catchment -- search --count blueprint:service')
  const some = await counted('npm run -s catchment -- search -language:go blueprint:service --count')
  expect(some).toBeGreaterThan(0)
  expect(some).toBeLessThan(all)
  const lines = (await runLine("npm run -s catchment -- search 'blueprint:service' --csv", folder.path)).stdout
  expect(lines.trim().split('\n')).toHaveLength(all + 1)
}, 60_000)

test('what api.md writes is written', async () => {
  const [, body = ''] = /^```json\n([\s\S]*?)^```$/m.exec(pageText('api.md')) ?? []
  const { status, body: answer } = await catchment.post('/api/v1/entities', JSON.parse(body))
  expect({ status, answer }).toMatchObject({ status: 200, answer: { items: [{ state: 'written' }] } })
})

test('a copy of the data folder, taken as production.md says, is the whole catalog', async () => {
  const own = await temporaryFolder()
  const env = { CATCHMENT_DATA: join(own.path, 'data') }
  const counted = async () =>
    (await runLine('npm run -s catchment -- search --count blueprint:service', own.path)).stdout
  try {
    const first = await startCatchment({ folder: own.path })
    await runLine('npm run -s catchment -- put service:acme/checkout tier=gold', own.path)
    const before = await counted()
    await first.stop()
    const place = await realpath(join(env.CATCHMENT_DATA, 'postgres'))
    const inside = place.startsWith(await realpath(env.CATCHMENT_DATA))
    for (const kind of inside ? ['backup', 'restore'] : []) {
      const commands = commandsOf('production.md', kind)
      expect(commands).toHaveLength(1)
      for (const { line } of commands) expect(await runLine(line, own.path, env)).toMatchObject({ code: 0, stderr: '' })
    }
    const second = await startCatchment({ folder: own.path })
    expect(await counted()).toBe(before)
    const got = await runLine('npm run -s catchment -- get service:acme/checkout --json', own.path)
    expect(JSON.parse(got.stdout)).toMatchObject({ properties: { tier: 'gold' } })
    await second.stop()
  } finally {
    await own.remove()
  }
}, 150_000)

test('every page is reached from the index', async () => {
  const folder = new URL('.', import.meta.url)
  const pages = (await readdir(folder)).filter((name) => name.endsWith('.md'))
  const reached = new Set(['README.md'])
  for (const page of reached) {
    const text = await readFile(new URL(page, folder), 'utf8')
    for (const [, name = ''] of text.matchAll(/\]\(([\w-]+\.md)/g)) if (pages.includes(name)) reached.add(name)
  }
  expect([...reached].toSorted()).toEqual(pages.toSorted())
})
