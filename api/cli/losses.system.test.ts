// The disk fills, the database is killed: nothing that was acknowledged is lost, and the terminal says what to do.
import { execFileSync } from 'node:child_process'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { type SpawnedSandbox, spawnSandbox } from '../../integrations/github/sandbox/spawn.ts'
import { cli, eventually, type Running, startCatchment, temporaryFolder } from './testing/catchment.ts'
import { configure, deliver, expectPlain } from './testing/source.ts'

const sandboxFolder = await temporaryFolder()
let sandbox: SpawnedSandbox
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let env: Record<string, string>

beforeAll(async () => {
  expect(process.getuid?.(), 'these tests mount file systems').toBe(0)
  sandbox = await spawnSandbox({ data: join(sandboxFolder.path, 'github'), repos: 20 })
})
afterAll(async () => {
  await sandbox?.stop()
  await sandboxFolder.remove()
})
beforeEach(async () => {
  folder = await temporaryFolder()
  env = await configure(folder.path, { baseUrl: sandbox.url, token: sandbox.token })
})
afterEach(async () => {
  await running?.stop()
  running = undefined
  if (disk !== undefined) execFileSync('umount', ['-l', disk])
  disk = undefined
  await folder.remove()
})

let running: Running | undefined
const start = async (ready = true): Promise<Running> => {
  running = await startCatchment({ folder: folder.path, env, ready })
  return running
}

let disk: string | undefined
async function smallDisk(size: string): Promise<string> {
  const path = join(folder.path, 'disk')
  await mkdir(path)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'tmpfs', path])
  disk = path
  env = { ...env, CATCHMENT_DATA: join(path, 'data') }
  return path
}

/** To the last block; `ballast` can be removed again. */
function fill(path: string): void {
  const dd = () => execFileSync('dd', ['if=/dev/zero', `of=${join(path, 'ballast')}`, 'bs=4k'], { stdio: 'ignore' })
  expect(dd).toThrow()
}

/** A connection to the embedded database below `home`. */
async function connected(home: string): Promise<pg.Client> {
  const [, , , port] = (await readFile(join(home, 'data/postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  const password = (await readFile(join(home, 'password'), 'utf8')).trim()
  const client = new pg.Client(`postgresql://catchment:${password}@127.0.0.1:${port}/postgres`)
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** Moves the database on to new files of its log, for which there is no room, until it ends. */
async function exhaustLog(home: string, hasEnded: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 120_000; !hasEnded() && Date.now() < deadline; ) {
    const client = await connected(home).catch(() => undefined)
    await client?.query("select pg_switch_wal(), nextval('tick')").catch(() => undefined)
    await client?.end().catch(() => undefined)
  }
}

async function remembered(catchment: Running): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (let cursor = ''; ; ) {
    const { body } = await catchment.get(`/api/v1/deliveries?limit=1000${cursor}`)
    // The shape is the API's own; its tests hold it to its schema.
    const { items, next } = body as { items: { delivery: string }[]; next?: string }
    for (const { delivery } of items) found.add(delivery)
    if (next === undefined) return found
    cursor = `&cursor=${encodeURIComponent(next)}`
  }
}

async function expectAllKept(catchment: Running, acknowledged: readonly string[]): Promise<void> {
  const kept = await remembered(catchment)
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([])
}

it('a full disk refuses deliveries with 503 and takes them again, by itself, once there is room', async () => {
  const path = await smallDisk('200m')
  const catchment = await start()
  const acknowledged: string[] = []
  const send = async (bytes: number) => {
    const delivery = await deliver(catchment.url, bytes)
    if (delivery.status === 202) acknowledged.push(delivery.id)
    return delivery
  }
  expect(await send(100_000)).toMatchObject({ status: 202 })
  fill(path)
  const refused = await eventually('a delivery is refused', async () => {
    const sent = await send(100_000)
    return sent.status === 202 ? undefined : sent
  })
  expect(refused.status).toBe(503)
  expect(JSON.parse(refused.text)).toMatchObject({ code: 'disk_full', hint: expect.stringContaining('Free space') })
  expect((await catchment.get('/healthz')).status).toBe(200)

  await rm(join(path, 'ballast'))
  await eventually('deliveries are taken again', async () => ((await send(100_000)).status === 202 ? true : undefined))
  await expectAllKept(catchment, acknowledged)
  await eventually('everything is applied', async () => {
    const { body } = await catchment.get('/api/v1/deliveries?state=accepted')
    return (body as { items: unknown[] }).items.length === 0 ? true : undefined
  })
  expect(await cli(['status'], { folder: folder.path, env })).toMatchObject({ code: 0, stderr: '' })
  const stopped = await catchment.stop()
  expect(stopped.code).toBe(0)
  expectPlain({ stdout: '', stderr: stopped.stderr })
})

it('a disk that fills while deliveries arrive ends with 1 and disk_full; all that was acknowledged is there again', async () => {
  const path = await smallDisk('160m')
  const catchment = await start()
  const acknowledged: string[] = []
  const statuses = new Set<number>()
  let hasEnded = false
  const ended = catchment.ended.then((finished) => {
    hasEnded = true
    return finished
  })
  let refused = 0
  while (!hasEnded && refused < 5) {
    const { id, status } = await deliver(catchment.url, 700_000)
    if (status === 202) acknowledged.push(id)
    else refused += 1
    statuses.add(status)
  }
  // Refused deliveries leave the log of the database as it is; others of its writers do not.
  await exhaustLog(join(path, 'data/postgres'), () => hasEnded)
  const finished = await ended
  expect(acknowledged.length).toBeGreaterThan(10)
  expect([...statuses].filter((status) => ![0, 202, 503].includes(status))).toEqual([])
  expect(finished.code).toBe(1)
  expect(finished.stderr).toContain('[disk_full]')
  expect(finished.stderr).toContain('Free space on the disk that holds the data directory and start again')
  expectPlain({ stdout: '', stderr: finished.stderr })
  running = undefined

  // As long as the disk is full, a start says so and changes nothing.
  fill(path)
  const again = await cli(['start'], { folder: folder.path, env })
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('[disk_full]') })
  expectPlain(again)

  await rm(join(path, 'ballast'))
  execFileSync('mount', ['-o', 'remount,size=600m', path])
  await expectAllKept(await start(), acknowledged)
})

it.each(['4k', '8k', '64k', '20m'])('a disk of %s is too small to begin with', async (size) => {
  await smallDisk(size)
  const done = await cli(['start'], { folder: folder.path, env })
  expect(done).toMatchObject({ code: 1, stderr: expect.stringContaining('[disk_full]') })
  expectPlain(done)
})

it('a database that is killed ends Catchment with 1 and what to do; the next start has all that was acknowledged', async () => {
  const catchment = await start()
  const acknowledged: string[] = []
  let hasEnded = false
  const ended = catchment.ended.then((finished) => {
    hasEnded = true
    return finished
  })
  const statuses = new Set<number>()
  const sending = (async () => {
    while (!hasEnded) {
      const { id, status } = await deliver(catchment.url, 5_000)
      if (status === 202) acknowledged.push(id)
      statuses.add(status)
    }
  })()
  await eventually('some deliveries are taken', async () => (acknowledged.length >= 20 ? true : undefined))
  const pid = (await readFile(join(folder.path, 'data/postgres/data/postmaster.pid'), 'utf8')).split('\n')[0]
  process.kill(Number(pid), 'SIGKILL')
  const finished = await ended
  await sending
  running = undefined
  expect(finished.code).toBe(1)
  expect(finished.stderr).toContain('[postgres_ended]')
  expect(finished.stderr).toContain('Start Catchment again: it recovers all that was committed.')
  expectPlain({ stdout: '', stderr: finished.stderr })
  expect([...statuses].filter((status) => ![0, 202, 503].includes(status))).toEqual([])
  await expectAllKept(await start(), acknowledged)
})

it('a start after SIGKILL goes on at once, however long the lease of the one that was killed would have lasted', async () => {
  const catchment = await start()
  const client = await connected(join(folder.path, 'data/postgres'))
  const renewed = await client.query(`UPDATE leases SET expires_at = now() + interval '1 day'`)
  expect(renewed.rowCount).toBeGreaterThan(0)
  await catchment.kill()
  await client.end().catch(() => undefined)

  const again = await start()
  const { id, status } = await deliver(again.url, 1_000)
  expect(status).toBe(202)
  await eventually('what was delivered is applied', async () => {
    const { body } = await again.get('/api/v1/deliveries?state=accepted')
    return (body as { items: { delivery: string }[] }).items.some(({ delivery }) => delivery === id) ? undefined : true
  })
})
