import type { Store } from '../catalog/store.ts'
import type { Mappings } from '../model/mapping.ts'
import type { Check, Connection, HooksKept, Json, RawDelivery } from '../sdk/index.ts'
import type { Keeping } from './keep-less.ts'

/** Every effect of the engine beside the store and the connections comes in here, so that the simulator can grant them one at a time. */
export interface Ports {
  readonly store: Store
  readonly clock: {
    /** Milliseconds since the epoch. For schedules, waits and people; never for order. */
    now(): number
    /** Resolves early, without an error, when the signal aborts. */
    sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
  }
  /** Lets the process do what else waits, amid long work: answer a request, send the next rows. Absent: nothing waits. */
  readonly breathe?: () => Promise<void>
  /** 0 <= n < 1, for jitter. */
  random(): number
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>): void
  /** Progress for the terminal, status and metrics. Called synchronously; must not throw. */
  readonly onEvent?: (event: EngineEvent) => void
}

/** What a version of a source's mapping is made of. */
export interface MappingContent {
  readonly file: string
  readonly mapping: string
  readonly blueprints: readonly unknown[]
  readonly variables: Readonly<Record<string, string>>
}

export interface Version {
  readonly mappings: Mappings
  /** False: it cannot become the active one. */
  readonly usable: boolean
  readonly problems: readonly VersionProblem[]
  /** By kind: what its selectors make the source fetch beside the objects themselves. */
  readonly fetches: Readonly<Record<string, Json>>
}

export interface VersionProblem {
  readonly severity: 'error' | 'warning'
  readonly code: string
  readonly message: string
  readonly file: string
  readonly line: number
  readonly column: number
  readonly hint?: string | undefined
}

/** One configured source, ready to run. */
export interface SourceRuntime {
  readonly name: string
  readonly integration: string
  readonly connection: Connection
  readonly mappings: Mappings
  /** Of `mappings`; what `activateMapping` stores. */
  readonly mappingContent: MappingContent
  /** Lets the source follow whichever version is active, and plan others. Without it only `mappings` can run. */
  readonly versions?: {
    /** Never throws: what is wrong is in the answer. */
    compile(content: MappingContent): Version
    /** What the files say now. Throws when they cannot be read. */
    files(): MappingContent
  }
  /** Kinds to scan, in order. */
  readonly kinds: readonly string[]
  readonly schedule: {
    readonly scan: string
    readonly freshnessSeconds: number
    /** Of kinds with an objective of their own. */
    readonly freshnessByKind?: Readonly<Record<string, number>>
  }
  readonly guard: { readonly share: number; readonly minimum: number }
  readonly precedence: number
  readonly webhookSecret?: string
  /** What of its objects is not kept; the connection is one by `keepLess` then. Absent: all is kept. */
  readonly keeping?: Keeping
  /** Set where the configuration lets Catchment keep its webhooks at the source. */
  readonly hooks?: {
    /** Address of this source's deliveries. Known once the server listens. */
    readonly url: () => string
  }
  /** What listings have called so far, and what of it the source counts against its rate limit; for people. */
  readonly usage?: () => { readonly calls: number; readonly quota: number }
}

export type EngineEvent =
  | { readonly type: 'check'; readonly source: string; readonly check?: Check; readonly error?: Error }
  | {
      readonly type: 'scan'
      readonly source: string
      readonly kind: string
      readonly partition: string
      readonly scan: bigint
      readonly state: string
      readonly reason?: string
      readonly items: number
      readonly changed: number
      readonly pages: number
      readonly expected?: number
      readonly parkedUntil?: number
    }
  /** It is over, and the store has all that it did and cost. */
  | { readonly type: 'scanned'; readonly scan: bigint }
  | {
      readonly type: 'delivery'
      readonly source: string
      readonly event: string
      readonly outcome: 'accepted' | 'duplicate' | 'applied' | 'dead'
    }
  | {
      readonly type: 'changes'
      readonly source: string
      readonly created: number
      readonly updated: number
      readonly renamed: number
      readonly deleted: number
    }
  | ({ readonly type: 'hooks'; readonly source: string; readonly redelivered: number } & Pick<
      HooksKept,
      'done' | 'refused'
    >)
  | {
      readonly type: 'held'
      readonly source: string
      readonly kind: string
      readonly count: number
      readonly reason: string
    }

export interface Engine {
  /** Resumes open scans, then runs schedules, the inbox, doubts, the sequencer until `stop`. Resolves once all loops run. */
  start(): Promise<void>
  /** Finishes the batch in hand, gives the leases back. */
  stop(): Promise<void>
  /** Verify on the raw bytes, commit to the inbox, and only then resolve (I6). Throws DeliveryRefused, SourceUnknown (404), Backlogged (503). */
  deliver(
    source: string,
    delivery: RawDelivery,
  ): Promise<{ readonly outcome: 'accepted' | 'duplicate'; readonly id: string; readonly event: string }>
  /** Ask for a scan now. Resolves when it is asked for, not when it is done. Kind '' is every kind. */
  requestScan(source: string, kind: string): Promise<void>
  /** Tell the engine that something it polls for may be there (an approved hold, a changed mapping). */
  wake(): void
  readonly sources: readonly SourceRuntime[]
}
