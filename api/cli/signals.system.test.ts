// However a run is ended, it ends, and nothing of it goes on running.
import { type ChildProcess, spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bin, environment, eventually, temporaryFolder } from './testing/catchment.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
let folder: Awaited<ReturnType<typeof temporaryFolder>>
const started: ChildProcess[] = []
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(async () => {
  for (const child of started.splice(0)) if (child.pid !== undefined) killGroup(child.pid, 'SIGKILL')
  for (const pid of (await leftovers()).keys()) process.kill(pid, 'SIGKILL')
  await folder.remove()
})

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // It has ended.
  }
}

/** Processes that work on this test's folder, by command line or working directory. */
async function leftovers(): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>()
  for (const name of await readdir('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
    if (command.includes(folder.path) || environ.includes(folder.path)) found.set(pid, command.replaceAll('\0', ' '))
  }
  return found
}

interface Run {
  readonly child: ChildProcess
  stderr(): string
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** In a process group of its own, as a shell makes one for each job: a signal to the group is Ctrl-C. */
function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Run {
  const child = spawn(command, args, {
    cwd: root,
    env: environment(folder.path, env),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  started.push(child)
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  child.stdout.resume()
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
    setTimeout(() => reject(new Error(`it does not end: ${stderr}`)), 150_000).unref()
  })
  return { child, stderr: () => stderr, ended }
}

const start = (): Run => run(process.execPath, [bin, 'start', '--life', '0'])
const listening = (it: Run) =>
  eventually('it listens', async () => (it.stderr().includes('Scanning') ? true : undefined), 90_000)
const nothingLeft = () => eventually('nothing is left', async () => ((await leftovers()).size === 0 ? true : undefined))

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s stops in order, with 0', async (signal) => {
  const one = start()
  await listening(one)
  expect((await leftovers()).size).toBeGreaterThanOrEqual(3)
  killGroup(one.child.pid ?? 0, signal)
  expect(await one.ended).toEqual({ code: 0, signal: null })
  expect(one.stderr()).toContain('Stopping...')
  expect(await leftovers()).toEqual(new Map())
})

it('Ctrl-C during npm start is one wish, though npm passes it on as well', async () => {
  const one = run('npm', ['start', '--', '--life', '0'])
  await listening(one)
  killGroup(one.child.pid ?? 0, 'SIGINT')
  await one.ended
  expect(one.stderr()).toContain('Stopping...')
  expect(one.stderr()).not.toContain('while stopping')
  await nothingLeft()
  // It was an orderly end: the next start has nothing to recover from.
  const next = start()
  await listening(next)
  expect(next.stderr()).not.toContain('was killed')
  next.child.kill('SIGTERM')
  expect(await next.ended).toMatchObject({ code: 0 })
})

it('SIGTERM to npm alone, as a supervisor sends it, stops what npm started', async () => {
  const one = run('npm', ['start', '--', '--life', '0'])
  await listening(one)
  one.child.kill('SIGTERM')
  expect(await one.ended).toEqual({ code: 0, signal: null })
  expect(one.stderr()).toContain('Stopping...')
  expect(await leftovers()).toEqual(new Map())
})

it('a second Ctrl-C does not wait, and leaves nothing either', async () => {
  const one = start()
  await listening(one)
  // Its database is stopped in its tracks, so that an orderly end takes long.
  const [postmaster] = [...(await leftovers())].find(([, command]) => command.includes('cluster_name=catchment')) ?? []
  process.kill(postmaster ?? 0, 'SIGSTOP')
  killGroup(one.child.pid ?? 0, 'SIGINT')
  await eventually('it has heard', async () => (one.stderr().includes('Stopping') ? true : undefined))
  const again = setInterval(() => killGroup(one.child.pid ?? 0, 'SIGINT'), 250)
  const end = await one.ended
  clearInterval(again)
  expect(end).toEqual({ code: 130, signal: null })
  process.kill(postmaster ?? 0, 'SIGCONT')
  await nothingLeft()
})

it('ends when nobody reads what it says any more', async () => {
  const one = run('sh', ['-c', '"$@" 2>&1 | head -1', 'sh', process.execPath, bin, 'start', '--life', '0'])
  expect(await one.ended).toMatchObject({ code: 0 })
  await nothingLeft()
})

it('a command whose output is closed ends quietly', async () => {
  const one = run('sh', ['-c', '"$@" | head -1', 'sh', process.execPath, bin, 'config', 'schema'])
  expect(await one.ended).toMatchObject({ code: 0 })
  expect(one.stderr()).toBe('')
})
