import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chown, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findBinaries } from './binaries.ts'
import { openDatabase } from './connect.ts'
import { type EmbeddedEvent, type EmbeddedPostgres, startEmbedded } from './embedded.ts'
import { findPlace } from './place.ts'
import { identify } from './process.ts'
import { freePort } from './server.ts'
import { Owner, removeDataDirectory, temporaryDirectory, until } from './testing/processes.ts'

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
let owners: Owner[] = []

beforeEach(async () => {
  directory = await temporaryDirectory()
})

afterEach(async () => {
  await Promise.all(owners.map((owner) => owner.kill('SIGKILL')))
  owners = []
  await directory.remove()
})

function own(): Owner {
  const owner = new Owner(directory.path)
  owners.push(owner)
  return owner
}

function start(log: (event: EmbeddedEvent) => void = () => undefined): Promise<EmbeddedPostgres> {
  return startEmbedded({ dataDir: directory.path, settings: { fsync: 'off' }, log })
}

async function query<Row>(url: string, text: string): Promise<Row[]> {
  const db = await openDatabase(url)
  try {
    return (await db.query<Row>(text)).rows
  } finally {
    await db.close()
  }
}

test('data and login survive a stop; nothing is left running or locked', async () => {
  const first = await start()
  await query(first.url, 'create table kept as select 42 as n')
  await first.stop()
  expect(await first.exited).toBeUndefined()
  expect(identify(first.pid)).toBeUndefined()
  expect(existsSync(join(directory.path, 'lock'))).toBe(false)

  const second = await start()
  expect(await query(second.url, 'select n from kept')).toEqual([{ n: 42 }])
  await second.stop()
  await second.stop()
})

test('text sorts the same on every machine, and a password is needed', async () => {
  const postgres = await start()
  const sql = `select array_agg(x order by x) as sorted, lower('ÄÖ') as lower from unnest(array['b','B','a','Z','ä']) x`
  expect(await query(postgres.url, sql)).toEqual([{ sorted: ['B', 'Z', 'a', 'b', 'ä'], lower: 'äö' }])
  const wrong = new URL(postgres.url)
  wrong.password = 'guessed'
  await expect(openDatabase(wrong.href)).rejects.toMatchObject({ code: 'database_login_refused' })
  expect((await stat(join(postgres.directory, 'password'))).mode & 0o777).toBe(0o600)
  expect((await stat(join(postgres.directory, 'data'))).mode & 0o777).toBe(0o700)
  await postgres.stop()
})

test('a second owner is refused, told who holds it, and disturbs nobody', async () => {
  const first = own()
  const { url = '' } = await first.said('ready')
  const lock = await readFile(join(directory.path, 'lock'), 'utf8')
  const second = own()
  const refused = await second.said('failed')
  expect(refused).toMatchObject({ code: 'data_directory_locked' })
  expect(refused.message).toContain(`process ${first.child.pid} since 2`)
  expect(refused.hint).toContain('CATCHMENT_DATA')
  expect(await second.exited).toBe(1)
  expect(await readFile(join(directory.path, 'lock'), 'utf8')).toBe(lock)
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
})

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends server and lock in order', async (signal) => {
  const owner = own()
  const { pid = 0 } = await owner.said('ready')
  expect(await owner.kill(signal)).toBe(0)
  expect(identify(pid)).toBeUndefined()
  expect(existsSync(join(directory.path, 'lock'))).toBe(false)
  expect(existsSync(join(directory.path, 'postgres/data/postmaster.pid'))).toBe(false)
})

test('after SIGKILL of the owner alone, the next one ends the orphan and has every committed row', async () => {
  const killed = own()
  const { url = '', pid = 0 } = await killed.said('ready')
  await query(url, 'create table kept as select generate_series(1, 1000) as n')
  await killed.kill('SIGKILL')
  expect(identify(pid)).toBeDefined()

  const next = own()
  const ready = await next.said('ready')
  expect(next.lines).toContainEqual({ event: 'lock_taken_over', pid: killed.child.pid })
  expect(next.lines).toContainEqual({ event: 'orphan_ended', pid })
  expect(identify(pid)).toBeUndefined()
  expect(await query(ready.url ?? '', 'select count(*)::int as n from kept')).toEqual([{ n: 1000 }])
  expect(await next.kill('SIGTERM')).toBe(0)
})

test('an orphan is recognised after its directory was moved', async () => {
  const killed = own()
  const { pid = 0 } = await killed.said('ready')
  await killed.kill('SIGKILL')
  const path = `${directory.path}-moved`
  await rename(directory.path, path)
  directory = { path, remove: () => removeDataDirectory(path) }

  const events: EmbeddedEvent[] = []
  const postgres = await start((event) => events.push(event))
  expect(events).toContainEqual({ event: 'orphan_ended', pid })
  await postgres.stop()
})

test('after SIGKILL of owner and server at once, the next start recovers', async () => {
  const killed = own()
  const { url = '', pid = 0 } = await killed.said('ready')
  await query(url, 'create table kept as select generate_series(1, 1000) as n')
  process.kill(pid, 'SIGKILL')
  await killed.kill('SIGKILL')
  const postgres = await start()
  expect(await query(postgres.url, 'select count(*)::int as n from kept')).toEqual([{ n: 1000 }])
  await postgres.stop()
})

test('a server that is killed is reported, and its owner gives up the directory', async () => {
  const owner = own()
  const { pid = 0 } = await owner.said('ready')
  process.kill(pid, 'SIGKILL')
  expect(await owner.said('exited')).toMatchObject({
    code: 'postgres_ended',
    message: expect.stringContaining('SIGKILL'),
  })
  await owner.exited
  expect(existsSync(join(directory.path, 'lock'))).toBe(false)
})

test('a backend that is killed ends the server, and the error says what happened', async () => {
  const owner = own()
  const { url = '' } = await owner.said('ready')
  const db = await openDatabase(url, { max: 1 })
  const [backend] = (await db.query<{ pid: number }>('select pg_backend_pid() as pid')).rows
  process.kill(backend?.pid ?? 0, 'SIGKILL')
  const message = expect.stringContaining('was terminated by signal 9')
  expect(await owner.said('exited')).toMatchObject({ code: 'postgres_ended', message })
  await db.close()
})

test('process.exit without stop takes the server along', async () => {
  const owner = own()
  const { pid = 0 } = await owner.said('ready')
  expect(await owner.kill('SIGUSR2')).toBe(7)
  await until(() => identify(pid) === undefined, 'the end of the server')
})

test('a server that somebody else started on the directory is not ended', async () => {
  const first = await start()
  await first.stop()
  const place = await findPlace(directory.path)
  const { bin } = await findBinaries(place, () => undefined)
  const data = join(place.home, 'data')
  const flags = ['-D', data, '-p', String(await freePort()), '-k', '']
  const stranger = spawn(join(bin, 'postgres'), flags, { cwd: '/', stdio: 'ignore', ...place.account })
  const exit = once(stranger, 'exit')
  try {
    await until(() => existsSync(join(data, 'postmaster.pid')), 'the start of the other server')
    await expect(start()).rejects.toMatchObject({ code: 'data_directory_locked', details: { pid: stranger.pid } })
    expect(identify(stranger.pid ?? 0)).toBeDefined()
    expect(existsSync(join(data, 'postmaster.pid'))).toBe(true)
  } finally {
    stranger.kill('SIGINT')
    await exit
  }
})

test('a stale postmaster.pid whose number now belongs to another program does not stop the start', async () => {
  const first = await start()
  await first.stop()
  const pidFile = join(first.directory, 'data/postmaster.pid')
  const { uid, gid } = await stat(join(first.directory, 'data'))
  const account = process.getuid?.() === 0 ? { uid, gid } : {}
  // The same user as the server, which is what makes PostgreSQL take it for a server of its own.
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    cwd: '/',
    stdio: 'ignore',
    ...account,
  })
  const exit = once(other, 'exit')
  try {
    await once(other, 'spawn')
    await writeFile(pidFile, `${other.pid}\n${first.directory}/data\n1700000000\n5432\n\n127.0.0.1\n  1 1\nready\n`, {
      mode: 0o600,
    })
    if (account.uid !== undefined) await chown(pidFile, uid, gid)
    const second = await start()
    expect(identify(other.pid ?? 0)).toBeDefined()
    await second.stop()
  } finally {
    other.kill('SIGKILL')
    await exit
  }
})

test.each([
  ['data_directory_version', 'PG_VERSION', '15\n', 'version 15'],
  ['data_directory_corrupt', 'PG_VERSION', 'rubbish', 'PG_VERSION'],
  ['data_directory_corrupt', 'global/pg_control', Buffer.alloc(8192), 'incompatible'],
] as const)('%s: %s overwritten', async (code, file, content, words) => {
  const first = await start()
  await first.stop()
  await writeFile(join(first.directory, 'data', file), content)
  await expect(start()).rejects.toMatchObject({
    code,
    message: expect.stringContaining(words),
    hint: expect.any(String),
  })
  expect(existsSync(join(directory.path, 'lock'))).toBe(false)
})

test('a taken port is an error when it was asked for', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await expect(startEmbedded({ dataDir: directory.path, port, log: () => undefined })).rejects.toMatchObject({
    code: 'postgres_port_in_use',
  })
  server.close()
})

test('a lost password is an error that says so', async () => {
  const first = await start()
  await first.stop()
  await rename(join(first.directory, 'password'), join(directory.path, 'password'))
  await expect(start()).rejects.toMatchObject({ code: 'database_password_missing' })
})
