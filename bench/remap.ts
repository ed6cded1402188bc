import type { Db } from '../core/catalog/db.ts'
import type { SourceRuntime } from '../core/sync/index.ts'
import { connected, fill, remapOnce, runtimeOf, startServer } from './catalog.ts'
import { copyMerge } from './copy-merge.ts'
import { type Bench, interleave, round } from './harness.ts'
import { type Recording, record } from './recording.ts'
import { type Synthetic, synthetic } from './synthetic.ts'

/** What is changed in the shipped mapping, and how many lines of the change feed it must make of n repositories. */
const edits = {
  property: {
    from: 'defaultBranch: .default_branch',
    to: 'defaultBranch: .default_branch | ascii_upcase',
    changes: (n: number) => n,
  },
  // Half of them go, which is why the guard is lifted here.
  selector: {
    from: '- kind: repository\n    entity:\n      identifier: .full_name',
    to: '- kind: repository\n    selector:\n      query: .id % 2 == 0\n    entity:\n      identifier: .full_name',
    changes: (n: number) => Math.floor(n / 2),
  },
  identifier: {
    from: 'identifier: .full_name',
    to: 'identifier: .full_name | ascii_upcase',
    changes: (n: number) => n,
  },
} as const

type Edit = keyof typeof edits

/**
 * A changed mapping over stored records, through the whole path: records, mapping, entities, search, feed. Each change is
 * made to the same loaded catalog. The baseline writes as many rows as the load did, ready made, without secondary indexes.
 */
export const remap: Bench = {
  title:
    'a changed property, selector or identifier over N stored repositories, against COPY and MERGE of as many rows',
  defaults: { n: 10_000, seconds: 0 },
  async run({ n }, say) {
    const server = await startServer()
    let recording: Recording | undefined
    try {
      const source = synthetic(n)
      const runtime = { ...(await runtimeOf(source)), guard: { share: 1, minimum: n } }
      const loaded = await server.database()
      const loadSeconds = await connected(loaded.url, (db) => fill(db, runtime))
      const loadCalls = source.calls
      recording = await record(server, n)
      const rows = recording
      const seen = { changes: {} as Record<string, number>, calls: 0 }
      const run = (edit: Edit) => async () => {
        const copy = await server.database(loaded.url)
        try {
          return await connected(copy.url, (db) => edited(db, source, runtime, edit, n, seen))
        } finally {
          await copy.drop()
        }
      }
      const measured = await interleave(
        {
          property: run('property'),
          selector: run('selector'),
          identifier: run('identifier'),
          'copy-merge': () => copyMerge(server, rows),
        },
        say,
      )
      const seconds = Object.fromEntries(Object.entries(measured).map(([name, value]) => [name, round(value)]))
      const { 'copy-merge': baseline = 0, ...kinds } = seconds
      const value = Math.max(...Object.values(kinds))
      return {
        value,
        unit: 's',
        baseline: { name: 'copy-merge', value: baseline, unit: 's' },
        ratio: round(baseline / value),
        seconds: kinds,
        loadSeconds: round(loadSeconds),
        changes: seen.changes,
        loadCalls,
        sourceCalls: seen.calls,
      }
    } finally {
      await recording?.remove()
      await server.stop()
    }
  },
}

async function edited(
  db: Db,
  source: Synthetic,
  runtime: SourceRuntime,
  edit: Edit,
  n: number,
  seen: { changes: Record<string, number>; calls: number },
): Promise<number> {
  const { from, to, changes } = edits[edit]
  const changed = await runtimeOf(source, (mapping) => mapping.replace(from, to))
  if (changed.mappings.hash === runtime.mappings.hash) throw new Error(`the shipped mapping has no "${from}"`)
  await db.query('CHECKPOINT')
  const before = await feedSize(db)
  const callsBefore = source.calls
  const seconds = await remapOnce(db, { ...changed, guard: runtime.guard })
  seen.calls += source.calls - callsBefore
  const made = (await feedSize(db)) - before
  seen.changes[edit] = made
  if (made < changes(n)) throw new Error(`${made} changes instead of ${changes(n)} for the ${edit}`)
  return seconds
}

async function feedSize(db: Db): Promise<number> {
  const { rows } = await db.query<{ size: string }>('SELECT coalesce(sum(size), 0) AS size FROM change_batches')
  return Number(rows[0]?.size)
}
