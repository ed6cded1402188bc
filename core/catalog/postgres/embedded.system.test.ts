import { execFileSync } from 'node:child_process'
import { chmod, chown, lstat, mkdir, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startPostgres15 } from '../../testkit/postgres15.ts'
import { openDatabase } from './connect.ts'
import { migrate } from './migrate.ts'
import { copyHouse, removeLinks } from './testing/house.ts'
import { Owner, removeDataDirectory, temporaryDirectory } from './testing/processes.ts'

/** An account that every Debian has and the supervisor never chooses by itself. */
const daemon = { uid: 1, gid: 1 }

let directory: Awaited<ReturnType<typeof temporaryDirectory>>
const cleanups: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  expect(process.getuid?.(), 'these tests change users and mount file systems').toBe(0)
  directory = await temporaryDirectory()
})

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
  await directory.remove()
})

function own(...args: ConstructorParameters<typeof Owner>): Owner {
  const owner = new Owner(...args)
  cleanups.push(() => owner.kill('SIGKILL'))
  return owner
}

async function rows(url: string | undefined, sql: string): Promise<unknown[]> {
  const db = await openDatabase(url ?? '')
  try {
    return (await db.query(sql)).rows
  } finally {
    await db.close()
  }
}

test('as root in a folder nobody else may enter, binaries and data live elsewhere, and stay with the folder', async () => {
  await chmod(directory.path, 0o700)
  const house = await copyHouse(join(directory.path, 'house'))
  const dataDir = join(directory.path, 'house/.catchment')
  cleanups.push(() => removeDataDirectory(dataDir))

  const first = own(dataDir, ['fsync=off'], house)
  const ready = await first.said('ready')
  const home = ready.directory ?? ''
  expect(home).toMatch(/^\/var\/(lib|tmp)\/catchment-[0-9a-f]{12}/)
  expect(first.lines).toContainEqual({ event: 'relocated', directory: home })
  expect(first.lines.map(({ event }) => event)).toContain('binaries_copied')
  expect((await lstat(join(dataDir, 'postgres'))).isSymbolicLink()).toBe(true)
  expect(await realpath(join(dataDir, 'postgres'))).toBe(home)
  expect(await stat(home)).toMatchObject({ uid: 0 })
  expect(await stat(join(home, 'data'))).toMatchObject({ uid: 65534, gid: 65534 })
  expect((await stat(join(home, 'password'))).mode & 0o777).toBe(0o600)
  await rows(ready.url, 'create table kept as select 1 as n')
  expect(await first.kill('SIGTERM')).toBe(0)

  const second = own(dataDir, ['fsync=off'], house)
  const again = await second.said('ready')
  expect(second.lines.map(({ event }) => event)).toEqual(['started', 'ready'])
  expect(await rows(again.url, 'select n from kept')).toEqual([{ n: 1 }])
  expect(await second.kill('SIGTERM')).toBe(0)
})

test('data made by root and then shut away is an error, not an empty catalog', async () => {
  const first = own(directory.path)
  await first.said('ready')
  await first.kill('SIGTERM')
  await chmod(directory.path, 0o700)
  expect(await own(directory.path).said('failed')).toMatchObject({ code: 'data_directory_unreachable' })
})

test('an ordinary user runs it as itself, from an installation it may not write; root goes on as that user', async () => {
  const house = await copyHouse(join(directory.path, 'house'))
  await removeLinks(house)
  const dataDir = join(directory.path, 'data')
  cleanups.push(() => removeDataDirectory(dataDir))
  await mkdir(dataDir)
  await chown(dataDir, daemon.uid, daemon.gid)

  const user = own(dataDir, ['fsync=off'], { ...house, ...daemon })
  const ready = await user.said('ready')
  expect(user.lines.map(({ event }) => event)).toContain('binaries_copied')
  expect(await stat(join(dataDir, 'postgres/data'))).toMatchObject(daemon)
  await rows(ready.url, 'create table kept as select 1 as n')
  expect(await user.kill('SIGTERM')).toBe(0)

  const root = own(dataDir)
  const again = await root.said('ready')
  expect(await rows(again.url, 'select n from kept')).toEqual([{ n: 1 }])
  expect(await stat(`/proc/${again.pid}`)).toMatchObject(daemon)
  expect(await root.kill('SIGTERM')).toBe(0)
  await own(dataDir, ['fsync=off'], { ...house, ...daemon }).said('ready')
})

test('data that root has made is refused to an ordinary user in plain words', async () => {
  const house = await copyHouse(join(directory.path, 'house'))
  const dataDir = join(directory.path, 'data')
  cleanups.push(() => removeDataDirectory(dataDir))
  const root = own(dataDir)
  await root.said('ready')
  await root.kill('SIGTERM')
  const user = own(dataDir, ['fsync=off'], { ...house, ...daemon })
  expect(await user.said('failed')).toMatchObject({
    code: 'data_directory_not_ours',
    hint: expect.stringContaining(dataDir),
  })
  expect(await user.exited).toBe(2)
})

async function smallDisk(megabytes: number): Promise<string> {
  const path = join(directory.path, 'disk')
  await mkdir(path)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', path])
  cleanups.push(async () => {
    await removeDataDirectory(join(path, 'data'))
    execFileSync('umount', [path])
  })
  return path
}

/** To the last block; `ballast` can be removed again. */
function fill(disk: string): void {
  const dd = () => execFileSync('dd', ['if=/dev/zero', `of=${join(disk, 'ballast')}`, 'bs=4k'], { stdio: 'ignore' })
  expect(dd).toThrow()
}

test('a disk too small to begin with: said as such, nothing half-made stays', async () => {
  const disk = await smallDisk(20)
  const owner = own(join(disk, 'data'), [])
  expect(await owner.said('failed')).toMatchObject({
    code: 'disk_full',
    message: expect.stringContaining('No space left'),
  })
  expect(await owner.exited).toBe(1)
  expect(await readdir(join(disk, 'data'))).toEqual(['postgres'])
  expect((await readdir(join(disk, 'data/postgres'))).filter((name) => !name.startsWith('server.log'))).toEqual([])
})

test('a disk that fills up under load loses no row whose commit was confirmed', async () => {
  const disk = await smallDisk(160)
  const dataDir = join(disk, 'data')
  const owner = own(dataDir, [])
  const { url = '' } = await owner.said('ready')
  const db = await openDatabase(url)
  await db.query('create table kept (n int primary key, filler text not null)')
  let confirmed = 0
  let failure: unknown
  while (failure === undefined) {
    const n = confirmed + 1
    await db
      .query(
        `insert into kept select $1::int, string_agg(md5((i * $1::int)::text), '') from generate_series(1, 10000) i`,
        [n],
      )
      .then(
        () => {
          confirmed = n
        },
        (error: unknown) => {
          failure = error
        },
      )
  }
  expect(confirmed).toBeGreaterThan(0)
  expect(failure).toMatchObject({ code: expect.stringMatching(/^(disk_full|database_unreachable)$/) })
  await db.close()
  await owner.kill('SIGKILL')

  execFileSync('mount', ['-o', 'remount,size=400m', disk])
  const next = own(dataDir, [])
  const again = await next.said('ready')
  expect(await rows(again.url, `select count(*)::int as n from kept where n <= ${confirmed}`)).toEqual([
    { n: confirmed },
  ])
  expect(await next.kill('SIGTERM')).toBe(0)
})

test('a server that the full disk ends says so, and all that was confirmed is there again', async () => {
  const disk = await smallDisk(160)
  const dataDir = join(disk, 'data')
  const owner = own(dataDir, [])
  const { url = '' } = await owner.said('ready')
  const db = await openDatabase(url, { max: 1 })
  await db.query('create table kept (n int primary key); insert into kept values (0)')
  fill(disk)
  const confirmed = [0]
  const exit = () => owner.lines.find(({ event }) => event === 'exited')
  // Each insert goes to a fresh file of the log, for which there is no room any more once the spare ones are used up.
  for (let n = 1; !exit(); n++) {
    await db.query('insert into kept values ($1)', [n]).then(
      () => confirmed.push(n),
      () => undefined,
    )
    await db.query('select pg_switch_wal()').catch(() => undefined)
  }
  const exited = exit()
  expect(exited).toMatchObject({ code: 'disk_full', message: expect.stringContaining('No space left on device') })
  await db.close()

  await rm(join(disk, 'ballast'))
  const again = await own(dataDir, []).said('ready')
  const missing = `select n from unnest('{${confirmed.join()}}'::int[]) n where not exists (select 1 from kept where kept.n = n.n)`
  expect(await rows(again.url, missing)).toEqual([])
})

test('a full disk at start is said, and a start works once there is room', async () => {
  const disk = await smallDisk(160)
  const dataDir = join(disk, 'data')
  const first = own(dataDir, [])
  await first.said('ready')
  await first.kill('SIGTERM')
  fill(disk)
  expect(await own(dataDir, []).said('failed')).toMatchObject({ code: 'disk_full' })
  await rm(join(disk, 'ballast'))
  const next = own(dataDir, [])
  await next.said('ready')
  expect(await next.kill('SIGTERM')).toBe(0)
})

test("Debian's PostgreSQL 15 is new enough and takes our migrations", async () => {
  const server = await startPostgres15()
  cleanups.push(() => server.stop())
  const db = await openDatabase(server.url)
  try {
    expect((await db.query("select current_setting('server_version_num')::int / 10000 as major")).rows).toEqual([
      { major: 15 },
    ])
    expect((await migrate(db)).length).toBeGreaterThan(0)
  } finally {
    await db.close()
  }
})

test('a file where the data directory should be', async () => {
  const path = join(directory.path, 'file')
  await writeFile(path, '')
  expect(await own(path).said('failed')).toMatchObject({ code: 'data_directory_not_ours' })
})
