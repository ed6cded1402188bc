import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const copied = ['api', 'core', 'docs', 'integrations', 'mappings', 'biome.json', 'package.json', 'tsconfig.json']
let copy = ''

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'catchment-new-'))
  for (const name of copied) await cp(join(root, name), join(copy, name), { recursive: true })
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  // Without the database of the whole suite, and nothing but what was made.
  await writeFile(join(copy, 'vitest.config.ts'), "export default { test: { include: ['integrations/**/*.test.ts'] } }")
  const only = { extends: './tsconfig.json', include: ['integrations/registry.ts', 'integrations/my-tool'] }
  await writeFile(join(copy, 'tsconfig.made.json'), JSON.stringify(only))
})
afterAll(() => rm(copy, { recursive: true, force: true }))

async function run(program: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const env = {
    ...process.env,
    PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}`,
    CI: 'true',
    NO_COLOR: '1',
  }
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { cwd: copy, env })
    return { code: 0, output: stdout + stderr }
  } catch (error) {
    // What execFile rejects with has these.
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, output: stdout + stderr }
  }
}

test('what is made has types, format, registration and tests that pass', { timeout: 600_000 }, async () => {
  const made = await run('npm', 'run', '-s', 'new:integration', 'my-tool')
  expect(made).toEqual({ code: 0, output: expect.stringContaining('npm test -- integrations/my-tool') as string })
  expect(await readFile(join(copy, 'integrations/registry.ts'), 'utf8')).toContain("  'my-tool': myTool,\n")
  expect(await readFile(join(copy, 'docs/catchment.schema.json'), 'utf8')).toContain('"my-tool"')

  expect(await run('tsc', '--noEmit', '-p', 'tsconfig.made.json')).toEqual({ code: 0, output: '' })
  const formatted = await run('biome', 'ci', 'integrations/my-tool', 'integrations/registry.ts', 'mappings/my-tool')
  expect(formatted.code, formatted.output).toBe(0)
  const tests = await run('vitest', 'run', 'integrations/my-tool', 'integrations/registry')
  expect(tests.code, tests.output).toBe(0)
  expect(tests.output).toMatch(/Tests +\d\d passed \(\d+\)/)
})

// Runs after the one before.
test.each([['my-tool'], ['template'], ['Tool'], ['a/b'], ['']])('%j is refused', async (name) => {
  const refused = await run('node', 'integrations/new.ts', name)
  expect(refused.code).toBe(2)
  expect(refused.output).toMatch(/is there already|How is it called/)
})
