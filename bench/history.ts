import { hash } from 'node:crypto'
import type { Db } from '../core/catalog/db.ts'
import type { Document } from '../core/catalog/document.ts'
import { documentFrom, type StoredDocument } from '../core/catalog/entities.ts'
import { openDatabase } from '../core/catalog/postgres/connect.ts'
import { createStore } from '../core/catalog/postgres-store.ts'
import { getEntity } from '../core/catalog/query/entity.ts'
import { getEntityAsOf } from '../core/catalog/query/then.ts'
import { documentOfVersion, versionsOf } from '../core/catalog/query/versions.ts'
import type { SourceRuntime } from '../core/sync/index.ts'
import { runtimeOf, scanOnce, startServer } from './catalog.ts'
import { type Edited, edited } from './edits.ts'
import { type Bench, round } from './harness.ts'
import { synthetic } from './synthetic.ts'

/** Rounds of changes, and the share of all items that each of a round touches: as many versions in all from each. */
const phases = [
  { rounds: 1, share: 1 },
  { rounds: 10, share: 0.1 },
  { rounds: 100, share: 0.01 },
]

/** One version as a reader found it right after the scan that made it. */
interface Kept {
  readonly id: string
  readonly revision: string
  readonly seq: bigint
  readonly digest: string
}

/**
 * What history costs on disk and in reads. All items are changed once, a tenth of them ten times more, a hundredth a
 * hundred times more, each change by a scan; a scan touches at most a tenth, and VACUUM runs when a fifth has changed, as
 * autovacuum would. Every version is rebuilt in the end and held beside what was read when it was new.
 */
export const history: Bench = {
  title: 'bytes on disk of N entities and of each further version, all rebuilt; reads as of a time beside plain ones',
  defaults: { n: 10_000, seconds: 0 },
  async run({ n }, say) {
    const server = await startServer()
    try {
      const { url } = await server.database()
      const db = await openDatabase(url)
      const source = edited(synthetic(n))
      const runtime = await runtimeOf(source)
      const world: World = { n, db, source, runtime, kept: [], revision: 0n, dead: 0 }
      const empty = await bytesOnDisk(db)
      await scanned(world)
      const first = await bytesOnDisk(db)
      say(`first version: ${Math.round((first - empty) / n)} bytes an entity`)
      const perVersion: Record<string, number> = {}
      for (const { rounds, share } of phases) {
        const before = { bytes: await bytesOnDisk(db), versions: world.kept.length }
        await change(world, Math.max(1, Math.round(n * share)), rounds)
        const made = world.kept.length - before.versions
        const bytes = Math.round(((await bytesOnDisk(db)) - before.bytes) / made)
        perVersion[`${rounds}`] = bytes
        say(`changed ${rounds} times: ${made} versions, ${bytes} bytes each`)
      }
      await compareAll(world, say)
      const reads = await readTimes(db)
      return {
        value: Math.round(first / n),
        unit: 'bytes/entity',
        baseline: { name: 'raw item', value: await itemBytes(db), unit: 'bytes' },
        ratio: round((await itemBytes(db)) / (first / n)),
        bytesPerVersion: perVersion,
        historyBytesPerVersion: Math.round((await historyBytes(db)) / world.kept.length),
        versions: world.kept.length,
        rebuilt: world.kept.length,
        asOfP95Milliseconds: reads.asOf,
        plainP95Milliseconds: reads.plain,
      }
    } finally {
      await server.stop()
    }
  },
}

interface World {
  readonly n: number
  readonly db: Db
  readonly source: Edited
  readonly runtime: SourceRuntime
  readonly kept: Kept[]
  revision: bigint
  /** Versions since the last VACUUM. */
  dead: number
}

async function change(world: World, items: number, rounds: number): Promise<void> {
  const slice = Math.max(1, Math.ceil(items / 10))
  const slices = rounds === 1 ? Math.ceil(items / slice) : 1
  for (let turn = 0; turn < rounds * slices; turn++) {
    const [from, to] = slices === 1 ? [0, items] : [turn * slice, Math.min(items, (turn + 1) * slice)]
    for (let item = from; item < to; item++) {
      world.source.versions.set(item, (world.source.versions.get(item) ?? 0) + 1)
    }
    await scanned(world)
  }
}

/** A scan, its changes in the feed, and what a reader finds then. */
async function scanned(world: World): Promise<void> {
  const { db, runtime, kept } = world
  await scanOnce(db, runtime)
  while ((await createStore(db).sequence()) > 0);
  const { rows } = await db.query<StoredDocument & { id: string; revision: string; seq: string }>(
    `SELECT e.id, e.revision, e.title, e.team, e.properties, e.relations, e.failed, b.base + c.position AS seq
     FROM entities e JOIN changes c ON c.entity_id = e.id AND c.revision = e.revision JOIN change_batches b ON b.id = c.batch
     WHERE e.revision > $1::bigint AND e.deleted IS NULL AND NOT e.stub`,
    [world.revision.toString()],
  )
  for (const row of rows) {
    const { id, revision, seq } = row
    kept.push({ id, revision, seq: BigInt(seq), digest: digest(documentFrom(row)) })
    if (BigInt(revision) > world.revision) world.revision = BigInt(revision)
  }
  world.dead += rows.length
  if (world.dead < world.n / 5) return
  world.dead = 0
  await db.query('VACUUM')
}

async function compareAll({ db, kept }: World, say: (line: string) => void): Promise<void> {
  const from = performance.now()
  for (let at = 0; at < kept.length; at += 500) {
    const part = kept.slice(at, at + 500)
    const versions = await versionsOf(db, part)
    for (const [index, { id, revision, digest: expected }] of part.entries()) {
      const version = versions[index]
      if (
        version === undefined ||
        version.row.revision !== revision ||
        digest(documentOfVersion(version)) !== expected
      ) {
        throw new Error(`revision ${revision} of entity ${id} is not what was read when it was new`)
      }
    }
  }
  const { rows } = await db.query<{ count: string }>('SELECT count(*) FROM changes')
  if (Number(rows[0]?.count) !== kept.length) throw new Error(`${rows[0]?.count} changes, ${kept.length} were compared`)
  say(`${kept.length} versions rebuilt and compared in ${Math.round(performance.now() - from)} ms`)
}

/** The order of properties says nothing; what is nested in them comes from jsonb, which has one. */
function digest({ title, team, properties, relations, failed }: Document): string {
  const sorted = (members: object): unknown => Object.entries(members).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return hash('md5', JSON.stringify([title, team, sorted(properties), sorted(relations), failed]))
}

/** Every table of the catalog with its indexes and its large values. */
async function bytesOnDisk(db: Db): Promise<number> {
  await db.query('VACUUM')
  return sizeOf(db, 'true')
}

function historyBytes(db: Db): Promise<number> {
  return sizeOf(db, `c.relname LIKE 'change%'`)
}

async function sizeOf(db: Db, which: string): Promise<number> {
  const { rows } = await db.query<{ bytes: string }>(
    `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) AS bytes FROM pg_class c
     WHERE c.relkind IN ('r', 'm') AND c.relnamespace = 'public'::regnamespace AND ${which}`,
  )
  return Number(rows[0]?.bytes)
}

async function itemBytes(db: Db): Promise<number> {
  const { rows } = await db.query<{ bytes: string }>('SELECT avg(length(body)) AS bytes FROM bodies')
  return Math.round(Number(rows[0]?.bytes))
}

/** The same entities in turns, at places of the feed spread over all of it. */
async function readTimes(db: Db): Promise<{ readonly asOf: number; readonly plain: number }> {
  const { rows } = await db.query<{ identifier: string; place: string }>(
    `SELECT e.identifier, f.epoch || ':' || f.next * (1 + e.id % 97) / 98 AS place FROM entities e CROSS JOIN feed f
     WHERE e.blueprint = 'service' AND e.deleted IS NULL ORDER BY e.id % 101, e.id LIMIT 2000`,
  )
  const asOf: number[] = []
  const plain: number[] = []
  for (const { identifier, place } of rows) {
    const start = performance.now()
    await getEntity(db, 'service', identifier)
    const between = performance.now()
    await getEntityAsOf(db, { blueprint: 'service', identifier }, place)
    plain.push(between - start)
    asOf.push(performance.now() - between)
  }
  return { asOf: p95(asOf), plain: p95(plain) }
}

function p95(values: readonly number[]): number {
  return round(values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? Number.NaN)
}
