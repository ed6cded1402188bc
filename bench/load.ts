import { openDatabase } from '../core/catalog/postgres/connect.ts'
import { runtimeOf, type Server, scanOnce, startServer } from './catalog.ts'
import { copyMerge } from './copy-merge.ts'
import { type Bench, interleave, round } from './harness.ts'
import { type Recording, record } from './recording.ts'
import { synthetic } from './synthetic.ts'

/** Entities a second, and a third of what the baseline does. */
const aim = 12_000

/**
 * A first scan through the whole path: listing, canonical form, hash, comparison, mapping, records, entities, search,
 * feed. The baseline gets the very rows that such a scan wrote, ready made, and has no secondary index to keep.
 */
export const load: Bench = {
  title: 'a first scan of N repositories, until all are searchable, against COPY and MERGE of the same rows',
  defaults: { n: 10_000, seconds: 0 },
  async run({ n }, say) {
    const server = await startServer()
    let recording: Recording | undefined
    try {
      recording = await record(server, n)
      say(`recorded ${Math.round(recording.bytes / 1e6)} MB of rows`)
      const rows = recording
      const measured = await interleave(
        { load: () => loadOnce(server, n), 'copy-merge': async () => n / (await copyMerge(server, rows)) },
        say,
      )
      const [value, baseline] = [Math.round(measured.load), Math.round(measured['copy-merge'])]
      if (baseline < aim) {
        say(`copy-merge alone writes ${baseline} a second here: the ${aim} that are aimed at are beyond this machine`)
      }
      return {
        value,
        unit: 'entities/s',
        baseline: { name: 'copy-merge', value: baseline, unit: 'entities/s' },
        bytesPerItem: round(recording.bytes / n),
      }
    } finally {
      await recording?.remove()
      await server.stop()
    }
  },
}

async function loadOnce(server: Server, n: number): Promise<number> {
  const database = await server.database()
  const db = await openDatabase(database.url)
  try {
    await db.query('CHECKPOINT')
    const seconds = await scanOnce(db, await runtimeOf(synthetic(n)))
    const found = await db.query<{ count: string }>(
      `SELECT count(*) FROM entities WHERE blueprint = 'service' AND deleted IS NULL AND search @@ 'acme'::tsquery`,
    )
    if (Number(found.rows[0]?.count) !== n) throw new Error(`${found.rows[0]?.count} of ${n} can be found`)
    return n / seconds
  } finally {
    await db.close()
    await database.drop()
  }
}
