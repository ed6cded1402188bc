// From the sandbox to sources of one's own in the same folder, and what happens when the file is gone.
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { spawnSandbox } from '../../integrations/github/sandbox/spawn.ts'
import { cli, eventually, type Running, startCatchment, temporaryFolder } from './testing/catchment.ts'

const references = async (catchment: Running): Promise<readonly string[]> => {
  const { body } = await catchment.get('/api/v1/entities?limit=1000')
  return (body as { items: { reference: string }[] }).items.map(({ reference }) => reference)
}

it('sources of one’s own begin without the sandbox, and the sandbox is never mixed into them', async () => {
  const folder = await temporaryFolder()
  const own = await spawnSandbox({ data: join(folder.path, 'own'), repos: 6, seed: 7 })
  const file = join(folder.path, 'catchment.yaml')
  const options = { folder: folder.path, env: { GITHUB_TOKEN: own.token } }
  try {
    const played = await startCatchment({ ...options, args: ['--repos', '12'] })
    expect(await references(played)).toContain('service:acme/checkout')
    await played.stop()

    await writeFile(
      file,
      `sources:
  - name: github
    integration: github
    config: { token: "\${env:GITHUB_TOKEN}", organizations: [acme-labs], baseUrl: "${own.url}" }
    kinds: [organization, repository]
`,
    )
    const first = await startCatchment(options)
    expect(first.stderr()).toMatch(/The sandbox organisation is taken out of the catalog, with \d+ entities/)
    const mine = await eventually('it is scanned', async () => {
      const found = await references(first)
      return found.length > 1 ? found : undefined
    })
    expect(mine.filter((one) => !/^(organization:acme-labs|service:acme-labs\/)/.test(one))).toEqual([])
    expect(await cli(['status'], { folder: folder.path })).toMatchObject({ code: 0 })
    await first.stop()

    const again = await startCatchment(options)
    expect(again.stderr()).not.toContain('is taken out')
    expect(await references(again)).toEqual(mine)
    await again.stop()

    await rm(file)
    const refused = await cli(['start'], { folder: folder.path })
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('[sandbox_would_mix]') })
  } finally {
    await own.stop()
    await folder.remove()
  }
}, 120_000)
