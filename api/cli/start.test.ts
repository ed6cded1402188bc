import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, eventually, type Running, startCatchment, temporaryFolder } from './testing/catchment.ts'

describe('npm start, as a newcomer sees it', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let catchment: Running

  beforeAll(async () => {
    folder = await temporaryFolder()
    catchment = await startCatchment({ folder: folder.path })
  }, 90_000)
  afterAll(async () => {
    await catchment?.stop()
    await folder?.remove()
  }, 60_000)

  it('says what to do next in at most 12 lines, ending with three commands that work as printed', async () => {
    const block = await eventually('the first-run block', async () => {
      const text = catchment.stderr()
      const from = text.indexOf('The catalog is ready')
      return from >= 0 && text.includes('explain service') ? text.slice(from).split('\n') : undefined
    })
    const lines = block.slice(0, block.findIndex((line) => line.includes('explain ')) + 1)
    expect(lines.length).toBeLessThanOrEqual(12)
    const commands = lines.slice(-3).map((line) => line.trim())
    for (const command of commands) {
      const args = /^npm run -s catchment -- (.+)$/.exec(command)?.[1]?.split(' ')
      expect(args, command).toBeDefined()
      const done = await cli(args ?? [], { folder: folder.path })
      expect(done, command).toMatchObject({ code: 0, stderr: '' })
      expect(done.stdout.length).toBeGreaterThan(20)
    }
  })

  it('opens its first page with the printed link, once', async () => {
    const link = /First page: {2}(\S+)/.exec(catchment.stderr())?.[1] ?? ''
    const first = await fetch(link, { redirect: 'manual' })
    expect([200, 302, 303]).toContain(first.status)
    expect(first.headers.get('set-cookie')).toContain('HttpOnly')
    const again = await fetch(link, { redirect: 'manual' })
    expect(again.headers.get('set-cookie')).toBeNull()
  })

  it('answers lists, entities and why, and a misspelt name with what to ask', async () => {
    const services = (await catchment.get('/api/v1/entities?blueprint=service&limit=1000')).body as {
      items: { identifier: string }[]
    }
    expect(services.items.length).toBeGreaterThanOrEqual(55)
    const one = await cli(['get', 'service:acme/checkout', '--json'], { folder: folder.path })
    expect(JSON.parse(one.stdout)).toMatchObject({
      reference: 'service:acme/checkout',
      relations: { organization: 'organization:acme' },
    })
    const wrong = await cli(['get', 'service:acme/chekout'], { folder: folder.path })
    expect(wrong).toMatchObject({ code: 1 })
    expect(wrong.stderr).toContain('[entity_unknown]')
    expect(wrong.stderr).toContain('catchment explain')
    const malformed = await cli(['get', 'checkout'], { folder: folder.path })
    expect(malformed).toMatchObject({ code: 2 })
  })

  it('shows a created, a renamed and a deleted repository', async () => {
    await catchment.github('POST', '/orgs/acme/repos', { name: 'tide-tables', private: true })
    await eventually('the new one', async () =>
      (await catchment.get('/api/v1/entities/service/acme%2Ftide-tables')).status === 200 ? true : undefined,
    )
    await catchment.github('PATCH', '/repos/acme/tide-tables', { name: 'tide-clock' })
    await eventually('its new name', async () =>
      (await catchment.get('/api/v1/entities/service/acme%2Ftide-clock')).status === 200 ? true : undefined,
    )
    const old = await cli(['explain', 'service:acme/tide-tables'], { folder: folder.path })
    expect(old.stdout).toContain('renamed')
    await catchment.github('DELETE', '/repos/acme/tide-clock')
    await eventually('its end', async () =>
      (await catchment.get('/api/v1/entities/service/acme%2Ftide-clock')).status === 404 ? true : undefined,
    )
    const why = await cli(['explain', 'service:acme/tide-clock'], { folder: folder.path })
    expect(why.stdout).toContain('deleted')
  })

  it('is healthy, and refuses a second start on the same data', async () => {
    const status = await cli(['status', '--json'], { folder: folder.path })
    expect(status).toMatchObject({ code: 0 })
    expect(JSON.parse(status.stdout)).toMatchObject({ healthy: true })
    const second = await cli(['start'], { folder: folder.path })
    expect(second).toMatchObject({ code: 1 })
    expect(second.stderr).toContain('[data_directory_locked]')
    expect((await catchment.get('/healthz')).status).toBe(200)
  })

  it('stops cleanly on SIGTERM and starts again where it was', async () => {
    const stopped = await catchment.stop()
    expect(stopped).toMatchObject({ code: 0 })
    catchment = await startCatchment({ folder: folder.path })
    const services = (await catchment.get('/api/v1/entities?blueprint=service&limit=1000')).body as { items: unknown[] }
    expect(services.items.length).toBeGreaterThanOrEqual(55)
  })
})
