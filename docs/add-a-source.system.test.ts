import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../core/config/index.ts'
import { fileConfig } from '../integrations/file/schema.ts'
import { registry } from '../integrations/registry.ts'

const bin = fileURLToPath(new URL('../api/cli/bin.js', import.meta.url))
const text = await readFile(new URL('add-a-source.md', import.meta.url), 'utf8')

/** Fenced blocks in their order: the language, the name behind it, the body. */
const blocks = [...text.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', name = '', body = '']) => ({ language, name, body }),
)

let folder = ''
let server: { child: ChildProcess; closed: Promise<void> } | undefined
const env = { ...process.env, CATCHMENT_PORT: '0' }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catchment-guide-'))
})
afterAll(async () => {
  await stop()
  await rm(folder, { recursive: true, force: true })
})

async function stop(): Promise<void> {
  server?.child.kill('SIGTERM')
  await server?.closed
  server = undefined
}

async function start(args: readonly string[]): Promise<void> {
  await stop()
  const child = spawn(process.execPath, [bin, 'start', ...args], { cwd: folder, env })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  server = { child, closed }
  const deadline = Date.now() + 120_000
  while (!output.includes('The catalog is ready')) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`it did not start: ${output}`)
    await pause(100)
  }
}

/** `npm start` and `npm run -s catchment --`, as in a checkout. */
async function run(command: string): Promise<string> {
  const [, started, args] = /^npm (start(?: --)?|run -s catchment --) ?(.*)$/.exec(command) ?? []
  const words = args === undefined || args === '' ? [] : args.split(' ')
  if (started === undefined) throw new Error(`what is ${command}?`)
  if (started.startsWith('start')) {
    await start(words)
    return ''
  }
  const { stdout } = await promisify(execFile)(process.execPath, [bin, ...words], { cwd: folder, env })
  return stdout
}

test('the walk from a CSV to services, command by command', async () => {
  const walk = blocks.slice(
    0,
    blocks.findIndex(({ name }) => name === 'statuspage.yaml'),
  )
  let said = ''
  let outputs = 0
  for (const { language, name, body } of walk) {
    if (name !== '') {
      await writeFile(join(folder, name), body)
      // As if the reader had taken a moment.
      await utimes(join(folder, name), 1, 1)
    } else if (language === 'sh') for (const command of body.trimEnd().split('\n')) said = await run(command)
    else if (language === 'text') {
      outputs += 1
      expect(said.replace(/ +$/gm, '')).toBe(body)
    }
  }
  expect(outputs).toBe(2)
})

test('every configuration of the page is one', () => {
  const configurations = blocks.filter(({ name }) => name === 'catchment.yaml' || name === 'statuspage.yaml')
  expect(configurations.length).toBe(3)
  for (const { body } of configurations) {
    const readFile = (path: string): string => {
      if (path.endsWith('.env')) throw Object.assign(new Error(path), { code: 'ENOENT' })
      return path.endsWith('catchment.yaml') ? body : ''
    }
    const config = loadConfig({ cwd: '/x', env: {}, integrations: registry, readFile, listFolder: () => undefined })
    expect(config.warnings).toEqual([])
  }
})

test('every setting of `file` is in its table', () => {
  const rows = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
  expect(rows).toEqual(Object.keys(fileConfig.shape))
})
