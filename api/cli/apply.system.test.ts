import { expect, it } from 'vitest'
import { cli, eventually, startCatchment } from './testing/catchment.ts'
import { organisation, titled } from './testing/organisation.ts'

const repositories = 60

it('an apply goes on where it was after SIGKILL, asks no source, and changes each entity once', async () => {
  const { sandbox, options, configure, write, remove } = await organisation(repositories)
  await configure('schedule: { scan: "0 0 1 1 *" }', 'mapping: ./mapping.yaml')
  await write('mapping.yaml', titled('.name'))
  const first = await startCatchment(options)
  try {
    await write('mapping.yaml', titled('.name + "!"'))
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
    await remove()
  }
}, 240_000)
