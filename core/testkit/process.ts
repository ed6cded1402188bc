import { createStore } from '../catalog/postgres-store.ts'
import type { Store } from '../catalog/store.ts'
import { RateLimited } from '../sdk/index.ts'
import { createEngine, type Engine, type EngineEvent, type OnTransition, type SourceRuntime } from '../sync/index.ts'
import type { Versions } from './auditor-map.ts'
import type { GatedDatabase } from './gated-db.ts'
import type { Planted } from './plants.ts'
import type { Random } from './random.ts'
import type { Owner, Scheduler } from './scheduler.ts'
import { blueprints, simulatedMappings } from './simulated-mappings.ts'
import { connectSimulated } from './simulated-source.ts'
import type { Caller, SourceState } from './simulated-state.ts'
import { secret } from './simulated-webhook.ts'
import { kindsOf, type SourceName } from './thing.ts'

export const guardRule = { share: 0.25, minimum: 2 } as const

export interface Process {
  readonly owner: Owner
  readonly engine: Engine
  /** What its clock is off by, in milliseconds; may change at any time. */
  skew: number
  started: boolean
  stopping: boolean
  /** Its start did not succeed: it ends, and another one takes its place. */
  failed: boolean
}

export interface Surroundings {
  readonly scheduler: Scheduler
  readonly database: GatedDatabase
  readonly random: Random
  readonly states: Readonly<Record<SourceName, SourceState>>
  readonly versions: Versions
  readonly plant: Planted | undefined
  readonly onEvent: (process: Process, event: EngineEvent) => void
  readonly onTransition: OnTransition
  readonly onLease: (source: string, owner: Owner | undefined) => void
  /** It called the source before the end of a pause that it had been told of. */
  readonly onEarlyCall: (text: string) => void
  readonly onLog: (process: Process, text: string) => void
}

/** One process of Catchment: the shipped engine over ports that wait for the scheduler. */
export function startProcess(name: string, around: Surroundings): Process {
  const { scheduler, database, random, plant } = around
  const owner: Owner = { name, dead: false, pausedUntil: 0 }
  const own = random.fork()
  const process: { -readonly [Key in keyof Process]: Process[Key] } = {
    owner,
    skew: 0,
    started: false,
    stopping: false,
    failed: false,
    // Replaced below: the engine's ports need the process that it is part of.
    engine: undefined as unknown as Engine,
  }
  const now = (): number => scheduler.now + process.skew
  const store = watched(createStore(database.of(owner)), owner, around)
  const ports = {
    store: plant?.store?.(store, database.plain) ?? store,
    clock: {
      now,
      sleep: (milliseconds: number, signal?: AbortSignal) => scheduler.sleep(owner, milliseconds, signal),
    },
    random: () => own.next(),
    log: (_level: string, message: string, fields?: Readonly<Record<string, unknown>>) =>
      around.onLog(process, `${message} ${JSON.stringify(fields ?? {})}`),
    onEvent: (event: EngineEvent) => around.onEvent(process, event),
  }
  const runtimes = (['alpha', 'beta'] as const).map((source) => runtimeOf(source, owner, now, around))
  process.engine = createEngine(ports, runtimes, {
    holder: name,
    leaseSeconds: 10,
    applyPending: true,
    backlogLimit: 6,
    deliveryDays: 1,
    inboxBatch: 4,
    doubtBatch: 6,
    doubtConcurrency: 2,
    pollMilliseconds: 1000,
    onTransition: around.onTransition,
  })
  return process
}

/** The lease that a commit is made under goes with its statements, so that the auditor can look whose it is. */
function watched(store: Store, owner: Owner, { database, onLease }: Surroundings): Store {
  return {
    ...store,
    commit: (batch) => database.noting(batch.fence, () => store.commit(batch)),
    async acquireLease(name, ...rest) {
      const fence = await store.acquireLease(name, ...rest)
      if (fence !== undefined) onLease(name, owner)
      return fence
    },
    async releaseLease(fence) {
      await store.releaseLease(fence)
      onLease(fence.lease, undefined)
    },
  }
}

function runtimeOf(source: SourceName, owner: Owner, now: () => number, around: Surroundings): SourceRuntime {
  const { plant, versions, states } = around
  const version = versions[source]
  const mappings = simulatedMappings(source, version)
  const connection = connectSimulated(states[source], caller(owner, now, around))
  return {
    name: source,
    integration: 'simulated',
    connection: plant?.connection?.(connection) ?? connection,
    mappings,
    mappingContent: { file: 'simulated', mapping: version, blueprints, variables: {} },
    kinds: kindsOf[source],
    schedule: { scan: '0 * * * *', freshnessSeconds: 60 },
    guard: guardRule,
    precedence: source === 'alpha' ? 0 : 1,
    webhookSecret: secret,
  }
}

/** A request that goes out with one grant and an answer that arrives with another: anything may happen in between. */
function caller(owner: Owner, now: () => number, { scheduler, random, states, onEarlyCall }: Surroundings): Caller {
  const { faults } = states.alpha
  let [quiet, quietForScans] = [0, 0]
  return {
    async call<T>(label: string, answer: () => T): Promise<T> {
      const until = / (list|partitions)/u.test(label) ? Math.max(quiet, quietForScans) : quiet
      if (now() < until) onEarlyCall(`${owner.name} asks ${label} ${until - now()} ms before it may`)
      let reply: (() => T) | undefined
      await scheduler.gate({ owner, label, start: () => Promise.resolve(void (reply = attempt(answer))) })
      const hear = async (): Promise<T> => {
        if (reply === undefined) throw new Error('an answer came before its request')
        return reply()
      }
      try {
        let due: number | undefined
        // Long enough that what was listed is asked about, answered and committed meanwhile.
        if (label.includes(' list ') && faults.happens('listing-slow')) due = scheduler.now + 600 + random.below(2000)
        else if (faults.happens('answer-slow')) due = scheduler.now + 200 + random.below(1200)
        return await scheduler.gate<T>({ owner, label: `${label} answers`, start: hear }, due)
      } catch (error) {
        if (error instanceof RateLimited) {
          if (error.reserve) quietForScans = Math.max(quietForScans, error.retryAt)
          else quiet = Math.max(quiet, error.retryAt)
        }
        throw error
      }
    },
  }
}

function attempt<T>(work: () => T): () => T {
  try {
    const value = work()
    return () => value
  } catch (error) {
    return () => {
      throw error
    }
  }
}
