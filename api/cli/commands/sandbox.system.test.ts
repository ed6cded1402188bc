import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, eventually, type Finished, type Running, startCatchment, temporaryFolder } from '../testing/catchment.ts'
import { breaks } from './sandbox.ts'

describe('catchment sandbox break and heal', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let catchment: Running
  const run = (...args: string[]) => cli(args, { folder: folder.path })

  /** The commands that a break says to watch, run as printed, in their order. */
  const watched = async (done: Finished): Promise<Finished[]> => {
    expect(done).toMatchObject({ code: 0, stderr: '' })
    const commands = [...done.stdout.matchAll(/^ {2}npm run -s catchment -- (.+?) +# /gm)].map(([, args]) => args ?? '')
    expect(commands.length).toBeGreaterThan(1)
    const seen: Finished[] = []
    for (const command of commands) seen.push(await run(...command.split(' ')))
    return seen
  }
  const names = async (): Promise<string[]> => {
    const { body } = await catchment.get('/api/v1/entities?blueprint=service&limit=1000')
    // The shape is the API's own; its tests hold it to its schema.
    return (body as { items: { identifier: string }[] }).items.map(({ identifier }) => identifier).sort()
  }
  const heal = async (): Promise<void> => {
    const [synced, status] = await watched(await run('sandbox', 'heal'))
    expect(synced, synced?.stdout).toMatchObject({ code: 0 })
    expect(status, status?.stdout).toMatchObject({ code: 0 })
  }
  // A process per command, on a machine that may be busy.
  const patience = 240_000

  beforeAll(async () => {
    folder = await temporaryFolder()
    catchment = await startCatchment({ folder: folder.path })
  }, 90_000)
  afterAll(async () => {
    await catchment?.stop()
    await folder?.remove()
  }, 60_000)

  it(
    'lose-permission: the organisation is unknown, and its entities stay',
    async () => {
      const before = await names()
      const [sync, status, search] = await watched(await run('sandbox', 'break', 'lose-permission'))
      expect(sync).toMatchObject({ code: 3, stdout: expect.stringMatching(/acme-labs: unknown: .*403/) })
      expect(status).toMatchObject({ code: 3 })
      expect(search?.stdout).toContain('service:acme-labs/')
      expect(await names()).toEqual(before)
      await heal()
    },
    patience,
  )

  it(
    'drop-webhooks: what no webhook told, the next scan finds',
    async () => {
      const [early, sync, late] = await watched(await run('sandbox', 'break', 'drop-webhooks'))
      expect(early?.stdout).not.toContain('Changed at')
      expect(sync).toMatchObject({ code: 0, stdout: expect.stringContaining('1 changed') })
      expect(late?.stdout).toMatch(/Changed at [\d:]{8}, while no webhook came through/)
      await heal()
    },
    patience,
  )

  it(
    'half-listing and html: nothing is removed',
    async () => {
      const before = await names()
      const [sync, held] = await watched(await run('sandbox', 'break', 'half-listing'))
      expect(sync).toMatchObject({ code: 3, stdout: expect.stringMatching(/repository acme: held, .*\d+ held/) })
      expect(held?.stdout).toContain('service:acme/')
      expect(await names()).toEqual(before)
      await heal()
      const [incomplete] = await watched(await run('sandbox', 'break', 'html'))
      expect(incomplete).toMatchObject({ code: 3, stdout: expect.stringMatching(/acme: incomplete.*HTML/) })
      expect(await names()).toEqual(before)
      await heal()
      expect(await names()).toEqual(before)
    },
    patience,
  )

  it(
    'rename-storm: every rename arrives as a rename, and heal takes them back',
    async () => {
      const before = await names()
      const done = await run('sandbox', 'break', 'rename-storm')
      await catchment.sandbox.control.settle()
      await eventually('the new names', async () =>
        (await names()).filter((name) => name.endsWith('-in-the-storm')).length === 20 ? true : undefined,
      )
      const [search, explain, held] = await watched(done)
      expect(search?.stdout).toContain('service:acme/checkout-in-the-storm')
      expect(explain?.stdout).toContain('renamed')
      expect(held?.stdout).toContain('Nothing is held')
      expect((await names()).length).toBe(before.length)
      await heal()
      await eventually('the old names', async () => ((await names()).join() === before.join() ? true : undefined))
    },
    patience,
  )

  it(
    'rate-limit: parked until the reset',
    async () => {
      const [sync, status] = await watched(await run('sandbox', 'break', 'rate-limit'))
      expect(sync).toMatchObject({ code: 3, stdout: expect.stringMatching(/parked until/) })
      expect(status?.stdout).toContain('parked until')
      await run('sandbox', 'heal')
    },
    patience,
  )

  it(
    'knows no other break, and says so where no sandbox runs',
    async () => {
      const unknown = await run('sandbox', 'break', 'everything')
      expect(unknown).toMatchObject({ code: 2 })
      for (const name of Object.keys(breaks)) expect(unknown.stderr).toContain(name)
      const elsewhere = await temporaryFolder()
      const none = await cli(['sandbox', 'heal'], { folder: elsewhere.path })
      await elsewhere.remove()
      expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('[sandbox_not_running]') })
    },
    patience,
  )
})
