import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { spawnSandbox } from '../../integrations/github/sandbox/spawn.ts'
import { cli, eventually, startCatchment, temporaryFolder } from './testing/catchment.ts'

const mapping = (title: string): string => `resources:
  - kind: repository
    entity:
      identifier: .full_name
      title: ${title}
      blueprint: '"service"'
`

const repositories = 60

it('an apply goes on where it was after SIGKILL, asks no source, and changes each entity once', async () => {
  const folder = await temporaryFolder()
  const sandbox = await spawnSandbox({ data: join(folder.path, 'github'), repos: repositories })
  const options = { folder: folder.path, env: { GITHUB_TOKEN: sandbox.token } }
  const file = join(folder.path, 'mapping.yaml')
  await writeFile(
    join(folder.path, 'catchment.yaml'),
    `sources:
  - name: github
    integration: github
    config: { token: "\${env:GITHUB_TOKEN}", organizations: [acme], baseUrl: "${sandbox.url}", pageSize: 100 }
    kinds: [repository]
    schedule: { scan: "0 0 1 1 *" }
    mapping: ./mapping.yaml
`,
  )
  await writeFile(file, mapping('.name'))
  const first = await startCatchment(options)
  try {
    await writeFile(file, mapping('.name + "!"'))
    const made = await cli(['plan', '--json'], options)
    const [plan] = (JSON.parse(made.stdout) as { plans: { id: string; counts: { changes: number } }[] }).plans
    expect(plan?.counts.changes).toBeGreaterThan(repositories / 2)
    await sandbox.control.clearRequests()
    // As soon as it is under way, wherever that is.
    await first.post(`/api/v1/plans/${plan?.id}/apply`)
    await eventually('the apply is under way', async () => {
      const { body } = await first.get(`/api/v1/plans/${plan?.id}`)
      return (body as { state: string }).state.startsWith('appl') ? true : undefined
    })
  } finally {
    await first.kill()
  }
  const second = await startCatchment(options)
  try {
    const id = await eventually('the plan is carried out', async () => {
      const { body } = await second.get('/api/v1/plans?state=applied&limit=1')
      return (body as { items: { id: string }[] }).items[0]?.id
    })
    const { body } = await second.get(`/api/v1/plans/${id}`)
    const { counts, progress } = body as { counts: { feed: number }; progress: { done: { updated: number } } }
    expect(progress.done).toEqual({ updated: counts.feed })
    const { body: page } = await second.get('/api/v1/entities?blueprint=service&limit=1000')
    for (const { title } of (page as { items: { title: string }[] }).items) expect(title).toMatch(/!$/)
    const requests = await sandbox.control.requests()
    expect(requests.counts.listings - requests.counts.notModifiedListings).toBe(0)
  } finally {
    await second.stop()
    await sandbox.stop()
    await folder.remove()
  }
}, 240_000)
