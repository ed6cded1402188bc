import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, eventually, type Running, startCatchment, temporaryFolder } from './testing/catchment.ts'

interface Listed {
  readonly items: readonly { readonly identifier: string; readonly properties: Readonly<Record<string, unknown>> }[]
}
interface Repository {
  readonly full_name: string
  readonly description: string | null
}

const organizations = ['acme', 'acme-labs']

/** What the source says now, asked for as a person would, beside what the catalog says. */
async function truth(catchment: Running): Promise<Map<string, string | null>> {
  const found = new Map<string, string | null>()
  for (const organization of organizations)
    for (let page = 1; ; page++) {
      const { body } = await catchment.github('GET', `/orgs/${organization}/repos?per_page=100&page=${page}`)
      const items = body as Repository[]
      for (const { full_name, description } of items) found.set(full_name, description)
      if (items.length < 100) break
    }
  return found
}

async function catalog(catchment: Running): Promise<Map<string, string | null>> {
  const { body } = await catchment.get('/api/v1/entities?blueprint=service&limit=1000')
  // The shape is the API's own; its tests hold it to its schema.
  return new Map(
    (body as Listed).items.map((item) => [item.identifier, (item.properties['description'] ?? null) as string | null]),
  )
}

async function expectEqual(catchment: Running): Promise<void> {
  const wanted = await truth(catchment)
  await eventually('the catalog equals the source', async () => {
    const found = await catalog(catchment)
    return found.size === wanted.size && [...wanted].every(([name, text]) => (found.get(name) ?? null) === text)
      ? true
      : undefined
  }).catch(async () => expect(Object.fromEntries(await catalog(catchment))).toEqual(Object.fromEntries(wanted)))
}

describe('the sandbox changes and the catalog follows', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let catchment: Running

  beforeAll(async () => {
    folder = await temporaryFolder()
    catchment = await startCatchment({ folder: folder.path })
    // So much happens here within a minute that GitHub would ask for a pause; one test is about that, and asks for it.
    await catchment.sandbox.control.limits({ pointsPerMinute: 1_000_000, creationsPerMinute: 1_000_000 })
  }, 90_000)
  afterAll(async () => {
    await catchment?.stop()
    await folder?.remove()
  }, 60_000)

  const sync = () => cli(['sync'], { folder: folder.path })
  const changes = async (count: number, prefix: string): Promise<void> => {
    for (let n = 0; n < count; n++)
      await catchment.github('POST', '/orgs/acme/repos', { name: `${prefix}-${n}`, description: `number ${n}` })
    for (let n = 0; n < count; n += 2)
      await catchment.github('PATCH', `/repos/acme/${prefix}-${n}`, { name: `${prefix}-${n}-renamed` })
    for (let n = 1; n < count; n += 4) await catchment.github('DELETE', `/repos/acme/${prefix}-${n}`)
  }

  it('by webhooks: 50 creates, renames and deletes', async () => {
    await changes(29, 'live')
    await expectEqual(catchment)
  })

  it('by the next scan where every delivery was lost', async () => {
    await catchment.sandbox.control.fault({ kind: 'drop-delivery', match: {} })
    await changes(12, 'lost')
    await catchment.sandbox.control.settle()
    await sync()
    await expectEqual(catchment)
    await catchment.sandbox.control.heal()
  })

  it('asks with validators: an unchanged rescan answers 304 to at least nine of ten list requests', async () => {
    await sync()
    await catchment.sandbox.control.clearRequests()
    await sync()
    const { counts } = await catchment.sandbox.control.requests()
    expect(counts.listings).toBeGreaterThan(5)
    expect(counts.notModifiedListings / counts.listings).toBeGreaterThanOrEqual(0.9)
  })

  it('keeps everything when the source lists half, and says so nowhere as healthy deletion', async () => {
    const before = await catalog(catchment)
    await catchment.sandbox.control.fault({ kind: 'half-listing', share: 0.5, match: { path: '^/orgs/acme/repos$' } })
    await sync()
    expect(await catalog(catchment)).toEqual(before)
    await catchment.sandbox.control.heal()
    await sync()
    expect(await catalog(catchment)).toEqual(before)
    const status = await cli(['status', '--json'], { folder: folder.path })
    expect(JSON.parse(status.stdout)).toMatchObject({ healthy: true })
  })

  for (const as of ['not-found', 'forbidden'] as const)
    it(`calls an organisation unknown that the token lost (${as}), in API, CLI and page, while the other goes on`, async () => {
      const before = await catalog(catchment)
      await catchment.sandbox.control.fault({ kind: 'lose-permission', org: 'acme-labs', as, match: {} })
      await sync()
      expect(await catalog(catchment)).toEqual(before)
      const status = await cli(['status'], { folder: folder.path })
      expect(status.code).toBe(3)
      expect(status.stdout).toMatch(/repository +\d+ +1 unknown, 1 fresh/)
      expect(status.stdout).toMatch(/! unknown: acme-labs: /)
      const { body } = await catchment.get('/api/v1/sources')
      expect(JSON.stringify(body)).toContain('"unknown"')
      const page = await fetch(`${catchment.url}/`, { headers: { authorization: `Bearer ${await key(folder.path)}` } })
      expect(await page.text()).toMatch(/unknown/i)
      // The other organisation goes on: a change arrives.
      const name = `while-${as}`
      await catchment.github('POST', '/orgs/acme/repos', { name })
      await eventually('a change in the other organisation', async () =>
        (await catchment.get(`/api/v1/entities/service/acme%2F${name}`)).status === 200 ? true : undefined,
      )
      await catchment.sandbox.control.heal()
      await sync()
      await expectEqual(catchment)
      expect((await cli(['status'], { folder: folder.path })).code).toBe(0)
    })

  it('deletes nothing when a page is HTML, and says why the scan is incomplete', async () => {
    const before = await catalog(catchment)
    await catchment.sandbox.control.fault({ kind: 'html', match: { path: '^/orgs/acme/repos$', page: 2 } })
    await sync()
    expect(await catalog(catchment)).toEqual(before)
    const { body } = await catchment.get('/api/v1/scans?limit=50&kind=repository&partition=acme')
    expect(JSON.stringify(body)).toContain('incomplete')
    await catchment.sandbox.control.heal()
    await sync()
    await expectEqual(catchment)
  })

  it('makes no call before the reset when the rate limit is used up, and says until when it is parked', async () => {
    await catchment.sandbox.control.fault({ kind: 'rate-limit-exhausted', seconds: 25, match: {} })
    const parked = await cli(['sync'], { folder: folder.path })
    expect(parked).toMatchObject({ code: 3 })
    expect(parked.stdout).toMatch(/parked.*until \d{4}-/)
    const status = await cli(['status'], { folder: folder.path })
    expect(status.stdout).toMatch(/parked until \d\d:\d\d:\d\d/)
    const { body } = await catchment.get('/api/v1/sources')
    const until = Date.parse((body as { items: { pausedUntil: string }[] }).items[0]?.pausedUntil ?? '')
    expect(until).toBeGreaterThan(Date.now())
    await catchment.sandbox.control.clearRequests()
    await catchment.sandbox.control.heal()
    const requests = await eventually(
      'calls go on after the reset',
      async () => {
        const log = await catchment.sandbox.control.requests()
        return log.requests.length > 0 ? log.requests : undefined
      },
      60_000,
    )
    expect(requests[0]?.at).toBeGreaterThanOrEqual(until)
    await expectEqual(catchment)
  })
})

describe('Node alone is killed in the middle of a scan', () => {
  it('does not ask for committed pages again, and ends equal to the source', async () => {
    const folder = await temporaryFolder()
    const spawned = await import('../../integrations/github/sandbox/spawn.ts')
    const sandbox = await spawned.spawnSandbox({ data: `${folder.path}/github`, repos: 240 })
    const { writeFile } = await import('node:fs/promises')
    await writeFile(
      `${folder.path}/catchment.yaml`,
      `sources:
  - name: github
    integration: github
    config: { token: "\${env:GITHUB_TOKEN}", organizations: [acme], baseUrl: "${sandbox.url}", pageSize: 10 }
    kinds: [repository]
`,
    )
    const options = { folder: folder.path, env: { GITHUB_TOKEN: sandbox.token }, ready: false }
    try {
      await sandbox.control.fault({ kind: 'delay', ms: 400, match: { path: '^/orgs/acme/repos$' } })
      const first = await startCatchment(options)
      await eventually(
        'page 5 is committed',
        async () => {
          const { body } = await first.get('/api/v1/scans?limit=5&kind=repository')
          const pages = (body as { items: { pages: number }[] }).items[0]?.pages ?? 0
          return pages >= 5 ? pages : undefined
        },
        60_000,
      )
      await first.kill()
      const call = (method: string, path: string, body?: object) =>
        fetch(sandbox.url + path, {
          method,
          headers: {
            authorization: `Bearer ${sandbox.token}`,
            'user-agent': 'test',
            'content-type': 'application/json',
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        })
      // Truth changes while nobody looks: in pages that were read, and in pages that were not.
      const listing = (await (await call('GET', '/orgs/acme/repos?per_page=100&sort=full_name')).json()) as Repository[]
      await call('DELETE', `/repos/${listing[0]?.full_name}`)
      await call('PATCH', `/repos/${listing[1]?.full_name}`, { description: 'changed while Catchment was dead' })
      await call('DELETE', `/repos/${listing.at(-1)?.full_name}`)
      await call('POST', '/orgs/acme/repos', { name: 'born-in-between' })
      await sandbox.control.heal()
      await sandbox.control.clearRequests()
      const second = await startCatchment({ ...options, ready: true })
      try {
        const { requests } = await sandbox.control.requests()
        const pages = requests.filter(({ path }) => path === '/orgs/acme/repos').map(({ page }) => page)
        expect(pages.length).toBeGreaterThan(10)
        expect(pages.filter((page) => page <= 4)).toEqual([])
        expect(second.stderr()).toContain('was killed')
        // A resumed listing proves no absence of what was read before: the next scan does.
        await cli(['sync'], { folder: folder.path, env: { GITHUB_TOKEN: sandbox.token } })
        const wanted = new Map<string, string | null>()
        for (let page = 1; page <= 4; page++)
          for (const item of (await (
            await call('GET', `/orgs/acme/repos?per_page=100&page=${page}`)
          ).json()) as Repository[])
            wanted.set(item.full_name, item.description)
        await eventually('equal to the source', async () => {
          const found = await catalog(second)
          return found.size === wanted.size ? true : undefined
        })
        expect(Object.fromEntries(await catalog(second))).toEqual(Object.fromEntries(wanted))
      } finally {
        await second.stop()
      }
    } finally {
      await sandbox.stop()
      await folder.remove()
    }
  }, 240_000)
})

async function key(folder: string): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  return (await readFile(`${folder}/data/admin-key`, 'utf8')).trim()
}
