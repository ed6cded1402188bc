import { createStore } from '../../catalog/postgres-store.ts'
import type { Store } from '../../catalog/store.ts'
import type { MappingOutput, Mappings } from '../../model/mapping.ts'
import { isObject, type Json, type Signal } from '../../sdk/index.ts'
import { freshDatabase } from '../../testkit/database.ts'
import { createReceiver } from '../deliver.ts'
import { settleDoubts } from '../doubts.ts'
import type { EngineEvent, Ports, SourceRuntime } from '../engine.ts'
import { carryOutHolds } from '../holds.ts'
import { settleInbox } from '../inbox.ts'
import { openSession } from '../open-session.ts'
import { type EngineOptions, type Session, settingsOf } from '../session.ts'
import type { OnTransition } from '../states.ts'
import type { TestSource } from './source.ts'

/** The mapping of the tests: a thing is a service of its name, unless it is hidden; colour "bad" fails. */
export function testMappings(version = '1', select: (body: Record<string, Json>) => boolean = () => true): Mappings {
  return {
    hash: `hash-${version}`,
    kinds: ['thing'],
    apply(kind, body): readonly MappingOutput[] {
      if (kind !== 'thing' || !isObject(body)) return []
      if (body['hidden'] === true || !select(body))
        return [{ mapping: 'm', state: 'deselected', expression: '.hidden | not' }]
      const bad = body['color'] === 'bad'
      const failed = bad
        ? [
            {
              code: 'expression_failed' as const,
              mapping: 'm',
              field: 'properties.color',
              expression: '.color',
              message: 'it is bad',
            },
          ]
        : []
      const properties = bad ? { version } : { color: body['color'] ?? null, version }
      const name = typeof body['name'] === 'string' ? body['name'] : ''
      const draft = {
        blueprint: 'service',
        identifier: name,
        title: name,
        team: [],
        properties,
        relations: {},
        failed,
      }
      return [{ mapping: 'm', state: 'selected', drafts: [{ item: '0', owning: true, draft }], quarantined: [] }]
    },
  }
}

export type Rig = Awaited<ReturnType<typeof createRig>>

/** One source over a fresh database, with a clock that the test moves. */
export async function createRig(
  source: TestSource | ((clock: () => number) => TestSource),
  options: {
    readonly runtime?: Partial<SourceRuntime>
    readonly engine?: Partial<EngineOptions>
    onTransition?: OnTransition
  } = {},
) {
  const database = await freshDatabase()
  const store = createStore(database.db)
  const clock = { time: Date.parse('2026-01-01T00:00:00Z') }
  const events: EngineEvent[] = []
  const logs: string[] = []
  const made = typeof source === 'function' ? source(() => clock.time) : source
  const ports = (over: Partial<Store> = {}): Ports => ({
    store: { ...store, ...over },
    clock: { now: () => clock.time, sleep: () => Promise.resolve() },
    random: () => 0.5,
    log: (level, message, fields) => void logs.push(`${level} ${message} ${JSON.stringify(fields)}`),
    onEvent: (event) => void events.push(event),
  })
  const runtime = (change: Partial<SourceRuntime> = {}): SourceRuntime => ({
    name: 'test',
    integration: 'test',
    connection: made.connection,
    mappings: testMappings(),
    mappingContent: { file: 'test.yaml', mapping: 'm', blueprints: [], variables: {} },
    kinds: ['thing'],
    schedule: { scan: '*/30 * * * *', freshnessSeconds: 3600 },
    guard: { share: 0.25, minimum: 5 },
    precedence: 0,
    webhookSecret: 'secret',
    ...options.runtime,
    ...change,
  })
  let deliveries = 0
  let sessions = 0

  /** A session of a new holder; the one before keeps its fence, but no longer its lease. */
  async function session(
    change: {
      runtime?: Partial<SourceRuntime>
      store?: Partial<Store>
      signal?: AbortSignal
      engine?: Partial<EngineOptions>
    } = {},
  ): Promise<Session> {
    await database.db.query(`UPDATE leases SET expires_at = '-infinity'`)
    const settings = settingsOf({
      holder: `holder ${++sessions}`,
      ...options.engine,
      ...change.engine,
      ...(options.onTransition === undefined ? {} : { onTransition: options.onTransition }),
    })
    const fence = await store.acquireLease('source:test', settings.holder, 600)
    if (fence === undefined) throw new Error('the lease is held')
    const row = await store.saveSource({ name: 'test', integration: 'test', precedence: 0 })
    const signal = change.signal ?? new AbortController().signal
    return openSession({
      ports: ports(change.store),
      runtime: runtime(change.runtime),
      settings,
      source: row,
      fence,
      signal,
    })
  }

  async function deliver(...signals: readonly Signal[]): Promise<string> {
    deliveries += 1
    return deliverAs(`d${deliveries}`, signals)
  }

  async function deliverAs(
    id: string,
    signals: readonly Signal[] | string,
    to: SourceRuntime = runtime(),
  ): Promise<string> {
    const row = await store.saveSource({ name: 'test', integration: 'test', precedence: 0 })
    const receive = createReceiver(ports(), to, settingsOf({ holder: 'x', ...options.engine }), row)
    const answer = await receive({
      headers: { signature: 'secret' },
      body: Buffer.from(JSON.stringify({ id, signals })),
    })
    return answer.outcome
  }

  /** Applies what was delivered and asks what is in doubt until nothing is left to do now. */
  async function settle(on: Session): Promise<void> {
    while ((await settleInbox(on)) + (await carryOutHolds(on)) + (await settleDoubts(on)) > 0);
  }

  /** Names of services, with their colours. */
  async function catalog(): Promise<Record<string, Json>> {
    const { rows } = await database.db.query<{ identifier: string; color: Json }>(
      `SELECT identifier, properties -> 'color' AS color FROM entities WHERE deleted IS NULL AND NOT stub ORDER BY identifier`,
    )
    return Object.fromEntries(rows.map(({ identifier, color }) => [identifier, color]))
  }

  /** What the catalog has to be. */
  function truth(): Record<string, Json> {
    const things = [...made.things.values()].filter(({ hidden }) => !hidden)
    return Object.fromEntries(things.map(({ name, color }) => [name, color]))
  }

  async function query<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await database.db.query<Row>(text, values)).rows
  }

  async function scans(): Promise<string[]> {
    const rows = await query<{ name: string; state: string; reason: string | null }>(
      'SELECT p.name, s.state, s.reason FROM scans s JOIN partitions p ON p.id = s.partition_id ORDER BY s.id',
    )
    return rows.map(({ name, state, reason }) => `${name} ${state}${reason === null ? '' : `: ${reason}`}`)
  }

  async function holds(): Promise<string[]> {
    const rows = await query<{ key: string; what: string; state: string }>(
      'SELECT r.key, h.what, h.state FROM held h JOIN records r ON r.id = h.record_id ORDER BY h.id',
    )
    return rows.map(({ key, what, state }) => `${key} ${what} ${state}`)
  }

  return {
    source: made,
    store,
    clock,
    events,
    logs,
    ports,
    runtime,
    session,
    deliver,
    deliverAs,
    settle,
    catalog,
    truth,
    query,
    scans,
    holds,
    db: database.db,
    drop: () => database.drop(),
  }
}
