import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../core/catalog/db.ts'
import { openDatabase } from '../core/catalog/postgres/connect.ts'
import { startEmbedded } from '../core/catalog/postgres/embedded.ts'
import { migrate } from '../core/catalog/postgres/migrate.ts'
import { createStore } from '../core/catalog/postgres-store.ts'
import { compileMappings, parseBlueprints } from '../core/mapping/index.ts'
import { openSession, remap, runScan, type SourceRuntime, settingsOf } from '../core/sync/index.ts'
import { createDatabase, dropDatabase, withDatabase } from '../core/testkit/database.ts'
import type { Synthetic } from './synthetic.ts'

export interface Server {
  /** A migrated, empty database, or a copy of another one that nobody is connected to. */
  database(of?: string): Promise<{ readonly url: string; drop(): Promise<void> }>
  readonly pid: number
  stop(): Promise<void>
}

/** The embedded server as it ships, on a directory of its own: `fsync` on, nothing tuned for the bench. */
export async function startServer(): Promise<Server> {
  const dataDir = await mkdtemp(join(tmpdir(), 'catchment-bench-'))
  const server = await startEmbedded({ dataDir, log: () => undefined })
  let number = 0
  await createDatabase(server.url, 'template_bench')
  const template = await openDatabase(withDatabase(server.url, 'template_bench'))
  await migrate(template)
  await template.close()
  return {
    pid: server.pid,
    async database(of) {
      const name = `bench_${++number}`
      const template = of === undefined ? 'template_bench' : new URL(of).pathname.slice(1)
      await createDatabase(server.url, name, { template })
      return { url: withDatabase(server.url, name), drop: () => dropDatabase(server.url, name) }
    },
    async stop() {
      await server.stop()
      await rm(server.directory, { recursive: true, force: true })
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** The shipped mapping, as it is or edited, and the shipped blueprints over the synthetic source. */
export async function runtimeOf(
  { connection }: Pick<Synthetic, 'connection'>,
  edit = (mapping: string): string => mapping,
): Promise<SourceRuntime> {
  const folder = new URL('../mappings/github/', import.meta.url)
  const mapping = edit(await readFile(new URL('mapping.yaml', folder), 'utf8'))
  const parsed = parseBlueprints('blueprints.yaml', await readFile(new URL('blueprints.yaml', folder), 'utf8'))
  const { mappings, diagnostics } = compileMappings({
    file: 'mapping.yaml',
    text: mapping,
    blueprints: parsed.blueprints,
  })
  if (diagnostics.some(({ severity }) => severity === 'error')) throw new Error('the shipped mapping has errors')
  return {
    name: 'bench',
    integration: 'synthetic',
    connection,
    mappings,
    mappingContent: { file: 'mapping.yaml', mapping, blueprints: parsed.blueprints, variables: {} },
    kinds: ['repository'],
    schedule: { scan: '0 * * * *', freshnessSeconds: 3600 },
    guard: { share: 0.25, minimum: 5 },
    precedence: 0,
  }
}

/** One scan of the source by the shipped engine. Answers the seconds it took. */
export function scanOnce(db: Db, runtime: SourceRuntime): Promise<number> {
  return inSession(db, runtime, (session) => runScan(session, 'repository'))
}

/** A catalog that a scan has filled, with the statistics that it has after a while. Answers the seconds of the scan. */
export async function fill(db: Db, runtime: SourceRuntime): Promise<number> {
  const seconds = await scanOnce(db, runtime)
  await db.query('VACUUM ANALYZE')
  return seconds
}

/** Closes the connections that the work had. */
export async function connected<T>(url: string, work: (db: Db) => Promise<T>): Promise<T> {
  const db = await openDatabase(url)
  try {
    return await work(db)
  } finally {
    await db.close()
  }
}

/** The runtime's mapping becomes the active one, over the stored records. Answers the seconds it took. */
export function remapOnce(db: Db, runtime: SourceRuntime): Promise<number> {
  return inSession(db, runtime, remap)
}

async function inSession(
  db: Db,
  runtime: SourceRuntime,
  work: (session: Awaited<ReturnType<typeof openSession>>) => Promise<unknown>,
): Promise<number> {
  const store = createStore(db)
  const { name, integration, precedence } = runtime
  const source = await store.saveSource({ name, integration, precedence })
  const fence = await store.acquireLease('source:bench', 'bench', 3600)
  if (fence === undefined) throw new Error('the lease is taken')
  const ports = {
    store,
    clock: { now: () => Date.now(), sleep: (milliseconds: number) => sleep(milliseconds) },
    breathe: () => setImmediate(),
    random: () => Math.random(),
    log: (level: string, message: string, fields?: unknown) => {
      if (level === 'error' || level === 'warn') console.error(message, fields)
    },
  }
  const session = await openSession({
    ports,
    runtime,
    settings: settingsOf({ holder: 'bench', applyPending: true }),
    source,
    fence,
    signal: new AbortController().signal,
  })
  const start = performance.now()
  await work(session)
  const seconds = (performance.now() - start) / 1000
  await store.releaseLease(fence)
  return seconds
}
