import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = new URL('add-a-builtin.md', import.meta.url)

/** What a checkout would be, as far as the page goes. */
const parts = ['package.json', 'core/mapping/jq', 'core/model/json.ts', 'core/sdk/json.ts', 'docs/mapping.md']

/** Run in the copy: what the tests beside the source ask of a builtin. */
const script = `
  const { readFileSync } = await import('node:fs')
  const { examples } = await import(BASE + 'core/mapping/jq/builtins/examples.ts')
  const { extensions } = await import(BASE + 'core/mapping/jq/builtins/index.ts')
  const { builtinNames, compile } = await import(BASE + 'core/mapping/jq/index.ts')
  const fails = (program) => { try { compile(program).first(1); return null } catch (error) { return error.message } }
  const reference = readFileSync(new URL(BASE + 'docs/mapping.md'), 'utf8')
  console.log(JSON.stringify({
    named: builtinNames.includes('initials/0'),
    extension: extensions.includes('initials/0'),
    examples: examples.filter(([name]) => name === 'initials').map(([, program, output]) => [compile(program).all(null), output]),
    reference: [...reference.matchAll(/^initials\\/0 +(.+?)  ⇒ (.+)$/gm)].map(([, program, output]) => [compile(program).all(null), output]),
    error: fails('initials'),
    budget: fails('("a " * 1000000) | [limit(1000; repeat(initials))]'),
  }))
`

test('a builtin is added as the page says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'catchment-builtin-'))
  try {
    for (const part of parts) await cp(join(root, part), join(folder, part), { recursive: true })
    const text = await readFile(page, 'utf8')
    for (const [, file = '', diff = ''] of text.matchAll(/^```diff (\S+)\n([\s\S]*?)^```$/gm)) {
      const lines = diff.trimEnd().split('\n')
      const side = (sign: string) => lines.flatMap((line) => (line.startsWith(sign) ? [] : [line.slice(1)])).join('\n')
      const before = await readFile(join(folder, file), 'utf8')
      expect(before.split(side('+')), `where the page changes ${file}`).toHaveLength(2)
      await writeFile(
        join(folder, file),
        before.replace(side('+'), () => side('-')),
      )
    }
    const base = JSON.stringify(pathToFileURL(`${folder}/`).href)
    const args = ['--input-type=module', '--eval', `const BASE = ${base}\n${script}`]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    expect(JSON.parse(stdout)).toEqual({
      named: true,
      extension: true,
      examples: [[['AL'], '"AL"']],
      reference: [[['AL'], '"AL"']],
      error: 'number (1) has no initials, as it is not a string',
      budget: expect.stringMatching(/^the expression /),
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 60_000)
