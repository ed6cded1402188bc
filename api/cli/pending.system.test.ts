import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { spawnSandbox } from '../../integrations/github/sandbox/spawn.ts'
import { cli, eventually, type Running, startCatchment, temporaryFolder } from './testing/catchment.ts'

const mapping = (title: string): string => `resources:
  - kind: repository
    entity:
      identifier: .full_name
      title: ${title}
      blueprint: '"service"'
      properties:
        language: .language
`

it('a changed mapping file is pending until it is applied, and a broken one leaves the active version alone', async () => {
  const folder = await temporaryFolder()
  const sandbox = await spawnSandbox({ data: join(folder.path, 'github'), repos: 12 })
  const env = { GITHUB_TOKEN: sandbox.token }
  const options = { folder: folder.path, env }
  const file = join(folder.path, 'mapping.yaml')
  await writeFile(
    join(folder.path, 'catchment.yaml'),
    `sources:
  - name: github
    integration: github
    config: { token: "\${env:GITHUB_TOKEN}", organizations: [acme], baseUrl: "${sandbox.url}" }
    kinds: [repository]
    mapping: ./mapping.yaml
`,
  )
  const title = async (catchment: Running): Promise<unknown> => {
    const { body } = await catchment.get('/api/v1/entities?blueprint=service&limit=1&q=checkout')
    return (body as { items: { title: string }[] }).items[0]?.title
  }
  try {
    await writeFile(file, mapping('.name'))
    const first = await startCatchment(options)
    expect(await title(first)).toBe('checkout')
    await first.stop()

    await writeFile(file, mapping('.name + "!"'))
    const second = await startCatchment(options)
    expect(second.stderr()).toContain('has changed; the active version goes on')
    expect(await title(second)).toBe('checkout')
    await second.stop()

    await writeFile(file, mapping('.name | |'))
    const third = await startCatchment(options)
    expect(third.stderr()).toContain('has mistakes; the active version goes on')
    expect(third.stderr()).toMatch(/mapping\.yaml:5:\d+: /)
    expect(await title(third)).toBe('checkout')
    await third.stop()
    const refused = await cli(['start', '--apply'], options)
    expect(refused).toMatchObject({ code: 2 })
    expect(refused.stderr).toContain('[mapping_invalid]')

    await writeFile(file, mapping('.name + "!"'))
    await sandbox.control.clearRequests()
    const fourth = await startCatchment({ ...options, args: ['--apply'] })
    await eventually('the new title', async () => ((await title(fourth)) === 'checkout!' ? true : undefined))
    // The records are here: nothing is listed to map them again.
    const { counts } = await sandbox.control.requests()
    expect(counts.listings - counts.notModifiedListings).toBe(0)
    await fourth.stop()
  } finally {
    await sandbox.stop()
    await folder.remove()
  }
}, 240_000)
