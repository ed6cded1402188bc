import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Running, startCatchment, temporaryFolder } from '../api/cli/testing/catchment.ts'
import { commandsOf, runLine } from './testing/blocks.ts'

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
  const wrong = await runLine("npm run -s catchment -- search 'blueprint:service langauge:go'", folder.path)
  expect(wrong).toMatchObject({
    code: 2,
    stderr: [
      'error: There is no "langauge" to search by. (at character 19) [query_invalid]',
      '  blueprint:service langauge:go',
      '                    ^^^^^^^^',
      '  Did you mean language? As words: "langauge:..." in quotes.',
      '',
    ].join('\n'),
  })
  const counted = async (line: string) => Number((await runLine(line, folder.path)).stdout)
  const all = await counted('npm run -s catchment -- search --count blueprint:service')
  const some = await counted('npm run -s catchment -- search -language:go blueprint:service --count')
  expect(some).toBeGreaterThan(0)
  expect(some).toBeLessThan(all)
  const lines = (await runLine("npm run -s catchment -- search 'blueprint:service' --csv", folder.path)).stdout
  expect(lines.trim().split('\n')).toHaveLength(all + 1)
}, 60_000)
