import { readFileSync } from 'node:fs'
import { createStore } from '../catalog/postgres-store.ts'
import { compileMappings, parseBlueprints } from '../mapping/index.ts'
import type { Asked, Connection, Integration, Json, JsonObject, RawDelivery } from '../sdk/index.ts'
import { createReceiver } from '../sync/deliver.ts'
import { settleDoubts } from '../sync/doubts.ts'
import { runDueScans } from '../sync/due-scans.ts'
import type { Ports, SourceRuntime } from '../sync/engine.ts'
import { carryOutHolds } from '../sync/holds.ts'
import { settleInbox } from '../sync/inbox.ts'
import { openSession } from '../sync/open-session.ts'
import { letOrphansGo } from '../sync/orphans.ts'
import { settingsOf } from '../sync/session.ts'
import { freshDatabase } from './database.ts'

/** A catalog of one source, with the mapping that its integration ships, over the real engine and a database of its own. */
export interface LivingCatalog {
  /** Scans what is due: everything at first, then what somebody asked for. */
  scan(): Promise<void>
  /** Takes a delivery in as the server does, and applies it with everything that follows from it. Throws DeliveryRefused. */
  deliver(delivery: RawDelivery): Promise<void>
  /** Every entity as JSON, by `blueprint:identifier`. */
  entities(): Promise<ReadonlyMap<string, string>>
  close(): Promise<void>
}

interface Options<Config> {
  readonly integration: Integration<Config>
  /** `asked` is what the shipped mapping asks of the source. */
  readonly connect: (asked: Asked) => Connection
  /** Only these are scanned, and deliveries about others change nothing. */
  readonly kinds: readonly string[]
  readonly secret: string
  readonly now: () => number
}

export async function openLivingCatalog<Config>(options: Options<Config>): Promise<LivingCatalog> {
  const { integration, kinds, secret, now } = options
  const { connection, runtimeOf } = shippedSource(options)
  const database = await freshDatabase()
  const store = createStore(database.db)
  const ports: Ports = {
    store,
    clock: { now, sleep: () => Promise.resolve() },
    random: () => 0.5,
    log: () => undefined,
  }
  const named = { name: integration.name, integration: integration.name, precedence: 0 }
  const settings = settingsOf({ holder: 'living catalog' })
  const fence = await store.acquireLease(`source:${integration.name}`, settings.holder, 3600)
  if (fence === undefined) throw new Error('the lease is held')
  const source = await store.saveSource(named)
  const runtime: SourceRuntime = {
    ...runtimeOf(named),
    kinds,
    schedule: { scan: '0 0 1 1 *', freshnessSeconds: 3600 },
    guard: { share: 1, minimum: 1_000_000 },
    webhookSecret: secret,
  }
  const { signal } = new AbortController()
  const session = await openSession({ ports, runtime, settings, source, fence, signal })
  const receive = createReceiver(ports, runtime, settings, source)

  const settle = async (): Promise<void> => {
    for (let done = 1; done > 0; ) {
      done = (await settleInbox(session)) + (await carryOutHolds(session)) + (await settleDoubts(session))
      done += await letOrphansGo(session)
    }
  }
  const scan = async (): Promise<void> => {
    await runDueScans(session, { resume: false })
    await settle()
  }
  return {
    scan,
    async deliver(delivery) {
      await receive(delivery)
      await settle()
      await scan()
    },
    async entities() {
      const { rows } = await database.db.query<{ name: string; said: JsonObject }>(
        `SELECT blueprint || ':' || identifier AS name, jsonb_build_object('title', title, 'team', team, 'properties', properties,
           'relations', relations) AS said
         FROM entities WHERE deleted IS NULL AND NOT stub ORDER BY 1`,
      )
      return new Map(rows.map(({ name, said }) => [name, JSON.stringify(said)]))
    },
    async close() {
      await connection.close?.()
      await database.drop()
    },
  }
}

function shippedSource<Config>({ integration, connect }: Options<Config>) {
  const folder = new URL(`../../mappings/${integration.name}/`, import.meta.url)
  const text = (name: string): string => readFileSync(new URL(name, folder), 'utf8')
  const { blueprints } = parseBlueprints('blueprints.yaml', text('blueprints.yaml'))
  const compile = (to?: Connection) =>
    compileMappings({
      file: 'mapping.yaml',
      text: text('mapping.yaml'),
      blueprints,
      ...(to === undefined ? {} : { kinds: to.kinds.map(({ name }) => name) }),
      aliases: integration.aliases,
      selects: (name, item, selector) =>
        to?.kinds.find((kind) => kind.name === name)?.selects?.(item, selector) ?? true,
    })
  const selectors = Map.groupBy(compile().resources, ({ kind }) => kind)
  const asked: Asked = {
    selectors: Object.fromEntries(
      [...selectors].map(([kind, resources]) => [kind, resources.map(({ selectorFields }) => selectorFields)]),
    ),
    options: {},
  }
  const connection = connect(asked)
  const { mappings } = compile(connection)
  // Blueprints are JSON by their type's own description.
  const documents = blueprints as unknown as readonly Json[]
  const mappingContent = { file: 'mapping.yaml', mapping: mappings.hash, blueprints: documents, variables: {} }
  return {
    connection,
    runtimeOf: (named: Pick<SourceRuntime, 'name' | 'integration' | 'precedence'>) => ({
      ...named,
      connection,
      mappings,
      mappingContent,
    }),
  }
}
