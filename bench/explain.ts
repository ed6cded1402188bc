import type { Db } from '../core/catalog/db.ts'
import { getEntity } from '../core/catalog/query/entity.ts'
import { explain as explainReference } from '../core/catalog/query/explain.ts'
import type { SourceRuntime } from '../core/sync/index.ts'
import { connected, fill, runtimeOf, startServer } from './catalog.ts'
import { type Bench, round } from './harness.ts'
import { synthetic } from './synthetic.ts'

const times = 100
/** Of all that is there, spread over the catalog. */
const step = 7919

/**
 * "Why is it here, or not here?" for what is there, by reference and by its address, for what is not, and for words that
 * name nothing exactly, one question at a time. The baseline reads the same entities.
 */
export const explain: Bench = {
  title: 'the 95th percentile of an explanation among N entities, against reading an entity',
  defaults: { n: 10_000, seconds: 0 },
  async run({ n }, say) {
    const server = await startServer()
    try {
      const runtime = await runtimeOf(synthetic(n))
      const { url } = await server.database()
      return await connected(url, async (db) => {
        await fill(db, runtime)
        const names = await someNames(db, n)
        const questions = {
          present: names.map((name) => `service:${name}`),
          address: names.map((name) => `https://github.com/${name}`),
          absent: names.map((name) => `service:${name}-gone`),
          nowhere: names.map((_, index) => `service:elsewhere/nothing-${index}`),
          words: names.map((name) => name.replace(/^.*\//, '').replaceAll('-', ' ')),
        }
        const p95: Record<string, number> = {}
        for (const [kind, asked] of Object.entries(questions)) {
          p95[kind] = await percentile(asked, (reference) => ask(db, runtime, reference))
          say(`${kind.padEnd(10)}${p95[kind]} ms`)
        }
        const baseline = await percentile(names, (name) => getEntity(db, 'service', name))
        const value = Math.max(...Object.values(p95))
        return {
          value,
          unit: 'ms',
          baseline: { name: 'get-entity', value: baseline, unit: 'ms' },
          ratio: round(baseline / value),
          p95Milliseconds: p95,
        }
      })
    } finally {
      await server.stop()
    }
  },
}

function ask(db: Db, { mappings }: SourceRuntime, reference: string): Promise<unknown> {
  const now = Date.now()
  return explainReference(
    db,
    reference,
    (_source, kind, text) => mappings.apply(kind, JSON.parse(text), { now: Math.floor(now / 1000), text }),
    { about: () => mappings.about, objectives: {}, now },
  )
}

async function someNames(db: Db, n: number): Promise<readonly string[]> {
  const { rows } = await db.query<{ identifier: string }>(
    `SELECT identifier FROM entities WHERE blueprint = 'service' AND deleted IS NULL ORDER BY id`,
  )
  return Array.from({ length: times }, (_, index) => rows[(index * step) % n]?.identifier ?? '')
}

/** Milliseconds, after a few to warm up. */
async function percentile<T>(of: readonly T[], work: (each: T) => Promise<unknown>): Promise<number> {
  for (const each of of.slice(0, 5)) await work(each)
  const taken: number[] = []
  for (const each of of) {
    const from = performance.now()
    await work(each)
    taken.push(performance.now() - from)
  }
  return round(taken.toSorted((a, b) => a - b)[Math.ceil(taken.length * 0.95) - 1] ?? Number.NaN)
}
