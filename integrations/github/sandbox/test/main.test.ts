import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDir } from './setup.ts'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))

function run(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return child
}

async function firstLine(child: ChildProcess): Promise<unknown> {
  if (!child.stdout) throw new Error('no output')
  const lines = createInterface(child.stdout)
  const [line]: unknown[] = await once(lines, 'line')
  return JSON.parse(String(line))
}

const exitOf = async (child: ChildProcess): Promise<unknown> => (await once(child, 'exit'))[0]

test('one line says where it listens; SIGTERM and SIGINT stop it cleanly', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const child = run('--data', await temporaryDir(), '--repos', '6')
    expect(await firstLine(child)).toEqual({
      event: 'listening',
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      token: expect.stringMatching(/^ghp_/),
      controlToken: expect.any(String),
      pid: child.pid,
    })
    child.kill(signal)
    expect(await exitOf(child)).toBe(0)
  }
})

test('with its parent it stops, too', async () => {
  const child = run('--data', await temporaryDir(), '--repos', '6', '--with-parent')
  await firstLine(child)
  child.stdin?.end()
  expect(await exitOf(child)).toBe(0)
})

test('wrong usage ends with 2 and says what is wanted', async () => {
  for (const args of [[], ['--data', 'x', '--port', 'many'], ['--nonsense']]) {
    const child = run(...args)
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    const closed = once(child, 'close')
    expect(await exitOf(child)).toBe(2)
    await closed
    expect(said).toContain('usage: main.ts')
  }
})
