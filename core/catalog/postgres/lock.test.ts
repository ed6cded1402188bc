import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { acquireLock } from './lock.ts'
import { identify, world } from './process.ts'

let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catchment-lock-'))
  path = join(folder, 'lock')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

interface Content {
  readonly pid?: number
  readonly started?: string
  readonly world?: string
}

async function leave({ pid = process.pid, started = '', world: where = world() }: Content): Promise<string> {
  const text = JSON.stringify({ pid, started, world: where, since: '2026-01-01T00:00:00.000Z', token: 'left-behind' })
  await writeFile(path, text)
  return text
}

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  return child.pid ?? 0
}

test('is there while held, refuses everybody else, and is gone after release', async () => {
  const lock = await acquireLock(path)
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ pid: process.pid, world: world() })
  await expect(acquireLock(path)).rejects.toMatchObject({
    code: 'data_directory_locked',
    details: { pid: process.pid },
  })
  await lock.release()
  expect(await readdir(folder)).toEqual([])
})

test('a lock of a dead process is replaced', async () => {
  await leave({ pid: await deadPid() })
  const lock = await acquireLock(path)
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ pid: process.pid })
  expect(await readdir(folder)).toEqual(['lock'])
  await lock.release()
})

test.runIf(identify(process.pid)?.started !== '')('a lock whose number a later process has is replaced', async () => {
  await leave({ pid: process.pid, started: '1' })
  const lock = await acquireLock(path)
  await lock.release()
})

test('a lock of a living process stays, even if its start time is unknown', async () => {
  const text = await leave({ pid: process.pid })
  await expect(acquireLock(path)).rejects.toMatchObject({ code: 'data_directory_locked' })
  expect(await readFile(path, 'utf8')).toBe(text)
})

test.each(['', 'not json', '{"pid":1}', 'null'])(
  'a file that is no lock of ours is never touched: %j',
  async (text) => {
    await writeFile(path, text)
    await expect(acquireLock(path)).rejects.toMatchObject({
      code: 'data_directory_locked',
      hint: expect.stringContaining('by hand'),
    })
    expect(await readFile(path, 'utf8')).toBe(text)
    expect(await readdir(folder)).toEqual(['lock'])
  },
)

test('a lock of another container stays while somebody renews it', async () => {
  const text = await leave({ pid: await deadPid(), world: 'elsewhere' })
  const beat = setInterval(() => void utimes(path, new Date(), new Date()), 50)
  try {
    const watched: number[] = []
    const attempt = acquireLock(path, { heartbeat: 400, onWatch: (milliseconds) => watched.push(milliseconds) })
    await expect(attempt).rejects.toMatchObject({
      code: 'data_directory_locked',
      message: expect.stringContaining('another container'),
    })
    expect(watched).toEqual([2000])
    expect(await readFile(path, 'utf8')).toBe(text)
  } finally {
    clearInterval(beat)
  }
})

test('a lock of another container that nobody renews is replaced', async () => {
  await leave({ pid: process.pid, world: 'elsewhere' })
  const lock = await acquireLock(path, { heartbeat: 20 })
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ world: world() })
  await lock.release()
})

test('our lock is renewed while we live', async () => {
  const lock = await acquireLock(path, { heartbeat: 20 })
  await utimes(path, 1, 1)
  await expect.poll(async () => (await stat(path)).mtimeMs, { timeout: 20_000 }).toBeGreaterThan(1000)
  await lock.release()
})

test('release leaves a lock that is not ours', async () => {
  const lock = await acquireLock(path)
  const text = await leave({ pid: 1 })
  await lock.release()
  expect(await readFile(path, 'utf8')).toBe(text)
})

test('who comes second to a dead lock finds the lock of the first, not the dead one', async () => {
  await leave({ pid: await deadPid() })
  const first: { release(): Promise<void> }[] = []
  const second = acquireLock(path, { onDead: async () => void first.push(await acquireLock(path)) })
  await expect(second).rejects.toMatchObject({ code: 'data_directory_locked', details: { pid: process.pid } })
  const held = await readFile(path, 'utf8')
  expect(held).not.toContain('left-behind')
  await first[0]?.release()
  expect(await readdir(folder)).toEqual([])
})

test('a dead lock that somebody is just replacing is left to them', async () => {
  const text = await leave({ pid: await deadPid() })
  const guard = await acquireLock(`${path}.left-behind.dead`)
  await expect(acquireLock(path)).rejects.toMatchObject({ code: 'data_directory_locked' })
  expect(await readFile(path, 'utf8')).toBe(text)
  await guard.release()
})

test('of many processes that find the same dead lock, one at a time holds it', async () => {
  await leave({ pid: await deadPid() })
  const script = fileURLToPath(new URL('./testing/lock-taker.ts', import.meta.url))
  const takers = Array.from({ length: 8 }, () =>
    spawn(process.execPath, [script, path], { stdio: ['pipe', 'pipe', 'inherit'] }),
  )
  const answers = await Promise.all(takers.map(async ({ stdout }) => String((await once(stdout, 'data'))[0]).trim()))
  for (const { stdin } of takers) stdin.end()
  await Promise.all(takers.map((taker) => once(taker, 'exit')))
  expect(answers.toSorted()).toEqual(['held', ...Array.from({ length: 7 }, () => 'refused')])
  expect(await readdir(folder)).toEqual([])
})
