import type { Fence } from '../catalog/batch.ts'
import type { Db } from '../catalog/db.ts'
import { PAUSE } from '../catalog/store.ts'
import type { PartitionRow, SourceRow } from '../catalog/stored.ts'
import type { Mappings } from '../model/mapping.ts'
import type { Kind } from '../sdk/index.ts'
import type { EngineEvent, Ports, SourceRuntime } from './engine.ts'
import { Quiet, Stopped } from './errors.ts'
import type { GuardRule } from './guard.ts'
import type { Mutex } from './mutex.ts'
import type { OnTransition } from './states.ts'

export interface EngineOptions {
  /**
   * Names this process in leases: unique among all that share the database at one time. One that keeps its name over a
   * restart takes its leases up again at once, instead of waiting until those of the process that crashed have run out.
   */
  readonly holder: string
  /** How long a lease lasts without renewal; so long another process waits after a crash. Default 15. */
  readonly leaseSeconds?: number
  /** Activate changed mapping files at start. Otherwise the active version has to be handed in. */
  readonly applyPending?: boolean
  /** Deliveries of one source that may wait before more are refused. Default 10,000. */
  readonly backlogLimit?: number
  /**
   * Days that an applied delivery is kept. Default 7: longer than senders send again (GitHub: 3 days), so that a copy is known
   * as one. A copy that comes later is applied once more, which changes nothing: its version is not newer.
   */
  readonly deliveryDays?: number
  /** Deliveries read at a time. Default 100. */
  readonly inboxBatch?: number
  /** Doubts asked about at a time, and how many of them side by side. Default 16 and 8. */
  readonly doubtBatch?: number
  readonly doubtConcurrency?: number
  /**
   * What a complete listing lacks is read so many at a time. Each reading compares the partition with all pages of the scan.
   * Default 5,000.
   */
  readonly sweepBatch?: number
  /** Longest wait for deliveries and doubts without a wake; what people ask for is looked for every fifth time. Default 1,000. */
  readonly pollMilliseconds?: number
  readonly onTransition?: OnTransition
  /** Tells of deliveries and commits of other processes at once; without it they are found by the poll. */
  readonly db?: Pick<Db, 'listen'>
}

export type Settings = Required<Omit<EngineOptions, 'onTransition' | 'db'>> & Pick<EngineOptions, 'onTransition'>

export function settingsOf(options: EngineOptions): Settings {
  return {
    leaseSeconds: 15,
    applyPending: false,
    backlogLimit: 10_000,
    deliveryDays: 7,
    inboxBatch: 100,
    doubtBatch: 16,
    doubtConcurrency: 8,
    sweepBatch: 5000,
    pollMilliseconds: 1000,
    ...options,
  }
}

export interface PartitionSession {
  row: PartitionRow
  /** Begin tick of the last scan that this process completed. */
  completeBegin?: bigint
}

export interface KindSession {
  readonly id: number
  readonly name: string
  readonly kind: Kind
  /** By name; partitions that a scan finds are added. */
  readonly partitions: Map<string, PartitionSession>
}

/** One source while this process holds its lease. Everything that is done to the source or written for it goes through one. */
export interface Session {
  readonly ports: Ports
  readonly runtime: SourceRuntime
  readonly settings: Settings
  readonly source: SourceRow
  readonly fence: Fence
  /** The active mapping version, which `mappings` compiles. */
  readonly mappingId: number
  readonly mappings: Mappings
  readonly kinds: ReadonlyMap<string, KindSession>
  /** Aborts when the engine stops or the lease is lost. */
  readonly signal: AbortSignal
  /** A commit asked for a scan. */
  readonly onScanRequest?: () => void
  /** One commit of a source at a time. */
  readonly write: Mutex
  /** Commits of this session that were not remaps (`others`), and those that placed or answered holds. */
  readonly turns: { others: number; holds: number }
  /** No call on this credential before (milliseconds since the epoch), and no listing before. */
  quietUntil: number
  scansQuietUntil: number
  /** When to look for partitions whose parents are gone (milliseconds since the epoch), and how often that was in vain. */
  readonly orphans: { lookAt: number; attempts: number }
  /** When to look for deliveries that may be forgotten (milliseconds since the epoch). */
  readonly forgetting: { lookAt: number }
  /** What the credential saw at the last check, and the tick of the check that found it changed (0: not in this session). */
  sees: { readonly fingerprint: string | undefined; readonly since: bigint }
}

/** What may be taken away: the configuration's rule, and the active mapping version's own. */
export function guardOf({ runtime: { guard }, mappings: { threshold } }: Session): GuardRule {
  return threshold === undefined ? guard : { ...guard, threshold }
}

export function now(session: Session): number {
  return session.ports.clock.now()
}

/** Items of a page that are worked on before others have their turn: a millisecond or two. */
export const breathEvery = 32

export function emit(session: Session, event: EngineEvent): void {
  session.ports.onEvent?.(event)
}

export function kindOf(session: Session, name: string): KindSession {
  const kind = session.kinds.get(name)
  if (kind === undefined) throw new Error(`The source "${session.runtime.name}" has no kind "${name}".`)
  return kind
}

/** Throws before a call that must not be made: the source asked us to wait, or we are to stop. */
export function mayCall(session: Session, what: 'scan' | 'live'): void {
  if (session.signal.aborted) throw new Stopped('stopped')
  const until = what === 'scan' ? Math.max(session.quietUntil, session.scansQuietUntil) : session.quietUntil
  if (now(session) < until) throw new Quiet(until)
}

/** The source asked for a pause: nothing goes out on this credential before its end; with `reserve` no listing. */
export async function keepQuiet(session: Session, until: number, reserve: boolean): Promise<void> {
  if (reserve) session.scansQuietUntil = Math.max(session.scansQuietUntil, until)
  if (reserve || until <= session.quietUntil) return
  session.quietUntil = until
  await session.ports.store.setSchedule(session.fence, session.source.id, PAUSE, until, false)
}

/** A call to the source that may never end: gives up when the session does. */
export async function untilStopped<Result>(session: Session, call: Promise<Result>): Promise<Result> {
  const { signal } = session
  if (signal.aborted) {
    call.catch(() => undefined)
    throw new Stopped('stopped')
  }
  let stop = (): void => undefined
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(new Stopped('stopped'))
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([call, stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
