// What is listed repository by repository: said before it is spent, and next to nothing when nothing changed.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startSandbox } from '../../../integrations/github/sandbox/sandbox.ts'
import { cli, eventually, startCatchment, temporaryFolder } from '../testing/catchment.ts'

const limits = { hourly: 100_000, pointsPerMinute: 1_000_000, creationsPerMinute: 1_000_000 }
const repositories = 100

it('foresees what pull requests and branches of many repositories cost, within a fifth; unchanged they cost nothing', async () => {
  const folder = await temporaryFolder()
  const sandbox = await startSandbox({ data: join(folder.path, 'github'), repos: repositories, limits })
  const env = { GITHUB_TOKEN: sandbox.token }
  const options = { folder: folder.path, env }
  const counted = async (): Promise<{ requests: number; quota: number }> => {
    const { requests } = await sandbox.control.requests()
    return { requests: requests.length, quota: requests.filter(({ status }) => status !== 304).length }
  }
  try {
    await writeFile(
      join(folder.path, 'catchment.yaml'),
      `sources:
  - name: github
    integration: github
    config: { token: "\${env:GITHUB_TOKEN}", organizations: [acme, acme-labs], baseUrl: "${sandbox.url}" }
    kinds: [repository, pull-request, branch]
    schedule: { scan: "0 0 1 1 *", freshness: 1d }
`,
    )
    const checked = await cli(['check', '--json'], options)
    // Printed by the program that is tested; the shape is its own.
    const { sources } = JSON.parse(checked.stdout) as {
      sources: { forecast: { requests: number; quota: number; byKind: Record<string, number> } }[]
    }
    const forecast = sources[0]?.forecast
    expect(forecast?.byKind['pull-request']).toBeGreaterThan(repositories)
    await sandbox.control.clearRequests()
    const catchment = await startCatchment({ ...options, ready: false })
    try {
      const synced = await eventually(
        'everything is scanned',
        async () => {
          const { stdout, code } = await cli(['status', '--json'], options)
          return code === 0 && stdout.includes('"healthy": true') ? true : undefined
        },
        100_000,
      )
      expect(synced).toBe(true)
      const first = await counted()
      console.info('forecast', forecast, 'first scan', first)
      expect(Math.abs((forecast?.requests ?? 0) / first.requests - 1)).toBeLessThan(0.2)
      expect(Math.abs((forecast?.quota ?? 0) / first.quota - 1)).toBeLessThan(0.2)
      await sandbox.control.clearRequests()
      expect(await cli(['sync'], options)).toMatchObject({ code: 0 })
      const again = await counted()
      console.info('unchanged rescan', again)
      expect(again.quota).toBeLessThanOrEqual(first.quota / 20)
      // Nothing was pushed: branches are not even asked about.
      expect(again.requests).toBeLessThan(first.requests * 0.7)
    } finally {
      await catchment.stop()
    }
  } finally {
    await sandbox.stop()
    await folder.remove()
  }
}, 280_000)
