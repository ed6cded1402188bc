import { setTimeout as pause } from 'node:timers/promises'
import { type Running, startCatchment, temporaryFolder } from '../api/cli/testing/catchment.ts'
import type { Bench } from './harness.ts'

/** Milliseconds from the answer of the source's REST call until `GET` of the entity says the new truth. */
async function visible(catchment: Running, name: string, wanted: number): Promise<number> {
  const from = performance.now()
  for (;;) {
    const { status } = await catchment.get(`/api/v1/entities/service/${encodeURIComponent(`acme/${name}`)}`)
    if (status === wanted) return performance.now() - from
    if (performance.now() - from > 30_000) throw new Error(`${name} is not ${wanted} after 30 s`)
    await pause(2)
  }
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.NaN
}

/** One change at a time, through the whole program: REST at the source, signed webhook, inbox, commit, API. */
export const live: Bench = {
  title: 'how soon a change at the source is visible over HTTP',
  defaults: { n: 50, seconds: 60 },
  async run({ n }, say) {
    const folder = await temporaryFolder()
    const catchment = await startCatchment({ folder: folder.path })
    const taken: number[] = []
    const plain: number[] = []
    try {
      for (let step = 0; step < n; step++) {
        const name = `bench-${Math.floor(step / 3)}`
        if (step % 3 === 0) await catchment.github('POST', '/orgs/acme/repos', { name })
        else if (step % 3 === 1) await catchment.github('PATCH', `/repos/acme/${name}`, { name: `${name}-renamed` })
        else await catchment.github('DELETE', `/repos/acme/${name}-renamed`)
        const [subject, wanted] =
          step % 3 === 0 ? [name, 200] : step % 3 === 1 ? [`${name}-renamed`, 200] : [`${name}-renamed`, 404]
        taken.push(await visible(catchment, subject, wanted))
        const from = performance.now()
        await catchment.get('/api/v1/entities/organization/acme')
        plain.push(performance.now() - from)
      }
    } finally {
      await catchment.stop()
      await folder.remove()
    }
    const p95 = percentile(taken, 0.95)
    say(
      `visible after p50 ${Math.round(percentile(taken, 0.5))} ms, p95 ${Math.round(p95)} ms, max ${Math.round(Math.max(...taken))} ms`,
    )
    return {
      value: 1000 / p95,
      unit: 'changes/s at p95',
      baseline: { name: 'one GET', value: 1000 / percentile(plain, 0.95), unit: 'calls/s at p95' },
      p50Milliseconds: Math.round(percentile(taken, 0.5)),
      p95Milliseconds: Math.round(p95),
    }
  },
}
