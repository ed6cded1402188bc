import type { ZodType } from 'zod'
import type { Json, JsonObject } from './json.ts'

/** The source's immutable id of a raw object (GitHub: the numeric id as text), never a name: names are re-used. */
export type Key = string

/** Orders two states of one object. Compared by code point, so ISO 8601 in UTC or left-padded numbers. */
export type Version = string

/** Where a listing goes on. Opaque to the engine, which stores it with the page it belongs to. */
export type Cursor = string

/** What `get` needs beside the key and what may change: names, paths. Stored with the record, replaced by each observation. */
export type Locator = JsonObject

/** The unit in which a listing is complete or not: an organisation, a namespace, an account-region. */
export interface Partition {
  /** Unique within the kind and stable; shown to people. */
  readonly name: string
  /** Set when the scope answered 401, 403 or 404: it is unknown, not empty. The engine neither lists nor deletes in it. */
  readonly unknown?: string
  /**
   * The object that the scope is a part of (a repository, for its pull requests), of a kind of the same source that is scanned
   * as well. When that record is proven gone, what the partition holds goes with it, under the guard; a partition that is
   * only left out is unknown and keeps what it holds. One that has another name while its parent is the same is renamed,
   * unless the parent has several.
   */
  readonly parent?: { readonly kind: string; readonly key: Key }
}

/** What the engine remembers of a page of the last complete scan of the same partition. */
export interface Known {
  /** Sent back to the source as If-None-Match, or what stands for it. */
  readonly validator: string
  /** The cursor that followed the page then. Absent: it was the last. */
  readonly next?: Cursor
}

export interface ListRequest {
  /** Its name, and its parent if it has one. */
  readonly partition: Partition
  /** Resume at this page. Absent: from the start. */
  readonly from?: Cursor
  /** The page of the last complete scan at this cursor, if its records still have the content they had then: of pages near the one that comes next. */
  known(cursor: Cursor): Known | undefined
  /** Aborts when the engine stops or loses its lease. */
  readonly signal: AbortSignal
}

/**
 * One page of a listing. The engine applies its items and commits its cursor in one transaction; meanwhile it asks for
 * the next ones, at most two ahead, so memory does not grow with the source.
 */
export interface Page {
  /** This page's own cursor; the first page has one, too. */
  readonly cursor: Cursor
  /** Raw items in source order, in the shape `Kind.canonical` reads. Empty with `notModified`. */
  readonly items: readonly Json[]
  /**
   * What the source answered, if the items are made of it alone (and of the partition, the cursor and the configuration): no
   * other answer and no clock has a part in them. The engine then knows a page that says byte for byte what it said at the
   * last scan, and does not ask for its items: see `lazyPage`.
   */
  readonly bytes?: Uint8Array
  /** Absent: this was the last page, and only then can the listing be complete. */
  readonly next?: Cursor
  readonly validator?: string
  /** The source said that the page is as `known(cursor)` remembers it. The engine takes its records as seen. */
  readonly notModified?: true
  /** A reason why this listing must not be taken as complete ("search results incomplete"). The engine deletes nothing. */
  readonly incomplete?: string
}

/** "This may have changed." Signals are hints: the engine decides what they prove. */
export type Signal =
  | {
      readonly type: 'stale'
      readonly kind: string
      readonly key: Key
      /** The partition that the object was seen in. */
      readonly partition: string
      /** Raw item. With `whole` (it has every field a listing gives) and `version` it is applied without a `get`. */
      readonly body?: Json
      readonly whole?: boolean
      readonly version?: Version
      readonly locator?: Locator
    }
  | {
      /** Believed only with a version strictly newer than the stored one; otherwise it is `stale` and `get` is asked. */
      readonly type: 'gone'
      readonly kind: string
      readonly key: Key
      readonly partition: string
      readonly version?: Version
      readonly locator?: Locator
    }
  | {
      /** List the kind (or the one partition) again soon. */
      readonly type: 'resync'
      readonly kind: string
      readonly partition?: string
    }

export type Got =
  | {
      readonly state: 'present'
      readonly body: Json
      /** Every partition this answer proves the object to be in. Default: the one that was asked about. */
      readonly partitions?: readonly string[]
    }
  /** The source said that the object is not in this partition, over a scope that the credential can still read. */
  | { readonly state: 'gone' }
  /** Anything that proves nothing: 403, 5xx, a 404 while the scope is unreadable. The engine keeps the record and asks again later. */
  | { readonly state: 'unknown'; readonly reason: string }

/** A type of raw object that an integration lists. All functions that take an item are pure and cheap: they run for every item of every scan. */
export interface Kind {
  readonly name: string
  /** `window`: absence from a listing proves nothing (incidents of the last 30 days). */
  readonly coverage: 'complete' | 'window'
  /** `shifting`: offsets move when items vanish, so absence needs `get` or a second complete scan. */
  readonly paging: 'stable' | 'shifting'
  /**
   * The declared fields in a fixed order, the same whether the item came from a list, a `get` or a webhook. This is what is
   * hashed, stored and shown to mappings.
   */
  canonical(item: Json): Json
  /** Throws `BadAnswer` when the item has none. */
  key(item: Json): Key
  version?(item: Json): Version | undefined
  locator(item: Json): Locator
  /**
   * Called at the start of each scan. A scope that cannot be read is returned with `unknown`, never left out. What is left out
   * is unknown while it holds live records, and dropped when it holds none.
   */
  partitions(signal: AbortSignal): Promise<readonly Partition[]>
  /** Called once per scan and partition. May throw RateLimited, ScopeUnreadable, BadAnswer, SourceUnavailable. */
  list(request: ListRequest): AsyncIterable<Page>
  /**
   * Does a mapping with these selector fields (those beside `query`) want this item? Pure. Asked for every mapping of the kind
   * before its `query`; absent: every mapping wants everything.
   */
  selects?(item: Json, selector: JsonObject): boolean
  /**
   * Asked about one object on doubt: after a signal without a usable body, before a deletion of a shifting kind, when two
   * observations disagree. The answer's own id must be `key` (names are re-used and renames redirect).
   */
  get?(key: Key, locator: Locator, partition: string, signal: AbortSignal): Promise<Got>
}

/** Answer of `Connection.check`. */
export interface Check {
  /** Who the credential is, for people: "octocat (classic token)". */
  readonly identity: string
  /** A digest of what the credential may see. When it changes, a 404 no longer proves that something is gone. */
  readonly fingerprint: string
  /** Permissions that are missing, by kind, in the vendor's words. */
  readonly missing: readonly { readonly kind: string; readonly permission: string }[]
  /** What a first full scan will cost, as far as a few calls can tell. */
  readonly forecast?: {
    /** Requests of a first scan of the default kinds, with those that go before each listing. */
    readonly calls: number
    /** Requests of one full listing, by kind. */
    readonly listings?: Readonly<Record<string, number>>
    /** Requests that go before each kind's listing. Asked again unchanged, they cost nothing of a rate limit that knows validators. */
    readonly look?: number
  }
}

/** A delivery as it came over HTTP. `body` is the raw bytes: a signature covers those, not what a parser made of them. */
export interface RawDelivery {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export interface VerifiedDelivery {
  /** The source's own id of the delivery: two with the same id have one effect. */
  readonly id: string
  /** For people: "repository.renamed". */
  readonly event: string
}

/** Where a source is to send its deliveries, and the secret that signs them. */
export interface HookTarget {
  readonly url: string
  readonly secret: string
}

/** The source's own ids of the webhooks that are ours, by the scope they lie in: `{ "acme": "12" }`. */
export type Hooks = Readonly<Record<string, string>>

export interface HooksKept {
  readonly hooks: Hooks
  readonly done: readonly { readonly scope: string; readonly what: 'created' | 'repaired' | 'removed' }[]
  /** Where there is none now, and why. */
  readonly refused: readonly { readonly scope: string; readonly reason: string }[]
  /** By scope: a command with which a person removes the webhook there, should Catchment no longer look after it. */
  readonly remove?: Readonly<Record<string, string>>
}

/** The only thing that writes to a source. The engine calls it where the configuration says `webhooks.manage: true`, never else. */
export interface HookKeeper {
  /**
   * Called at start and every few minutes. Afterwards each scope has exactly one webhook of ours, which leads to the target.
   * `known`: those of the last call, which may lead elsewhere by now. Nobody else's is touched. May throw like a listing.
   */
  keep(target: HookTarget, known: Hooks, signal: AbortSignal): Promise<HooksKept>
  /** Called after `keep`: asks for what was never delivered once more. Answers how many deliveries. */
  redeliver(hooks: Hooks, signal: AbortSignal): Promise<number>
}

export interface Connection {
  readonly kinds: readonly Kind[]
  /** Called at start, before each scan, and before a 404 is believed. Throws CredentialRefused, RateLimited, SourceUnavailable. */
  check(signal: AbortSignal): Promise<Check>
  readonly webhook?: {
    /** Called before anything is stored. Throws DeliveryRefused. `secret` is the source's `webhooks.secret`. */
    verify(delivery: RawDelivery, secret: string): Promise<VerifiedDelivery>
    /** Called once the delivery is safely in the inbox. Pure. An exception sets it aside as a dead letter. */
    signals(delivery: RawDelivery): readonly Signal[]
    readonly hooks?: HookKeeper
    /** What a person does who makes the webhook, one step a line. `url`: where deliveries go. For `check` and `init`. Pure. */
    instructions?(url: string): readonly string[]
  }
  close?(): Promise<void>
}

/** How urgent a call is. All callers of one credential share its rate budget, and the less urgent stop first. */
export type Priority = 'live' | 'action' | 'confirm' | 'scan'

/**
 * Request header that tells `Tools.fetch` the priority of this one call. It is taken off before the request leaves. A
 * listing sends `scan`, so that it stops before the reserve is eaten; a call without the header is `live`.
 */
export const PRIORITY_HEADER = 'x-catchment-priority'

/**
 * Request header that names the allowance that the call counts against, where a credential has several: an App has one for
 * each installation, GraphQL has its own. Taken off before the request leaves. Without it: the credential's one.
 */
export const BUDGET_HEADER = 'x-catchment-budget'

/** Request header that says of a POST that it only reads: it may be sent again, as a GET. Taken off before it leaves. */
export const READS_HEADER = 'x-catchment-reads'

/** What a mapping file asks of its source. A kind fetches for all of its mappings together; `Kind.selects` tells them apart. */
export interface Asked {
  /** Of each kind the fields beside `query`, one block for each of its mappings that has any. */
  readonly selectors: Readonly<Record<string, readonly JsonObject[]>>
  /** Keys at the root of the file that belong to an integration. */
  readonly options: JsonObject
}

/** What the engine gives to an integration. */
export interface Tools {
  /** fetch with a deadline, retries of safe requests, the configured proxy and certificate authority, and the credential's shared rate budget. */
  readonly fetch: typeof globalThis.fetch
  /** Static message, data as fields. Never secrets. */
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>): void
  /** Milliseconds since the epoch. */
  now(): number
  /** Absolute path of the folder of the configuration file, for paths in `config`. Absent: there is none. */
  readonly folder?: string
  /** Absent: nothing beside the objects themselves. */
  readonly asked?: Asked
}

export interface Integration<Config = unknown> {
  readonly name: string
  /** Parses the source's `config` block; its descriptions are the documentation. */
  readonly config: ZodType<Config>
  /** Kinds that are scanned where the configuration names none: few and cheap. What costs more is asked for by name. */
  readonly defaultKinds: readonly string[]
  /** Other names that mapping files have for a kind: `{ "code-scanning-alerts": "code-scanning-alert" }`. */
  readonly aliases?: Readonly<Record<string, string>>
  /** Keys at the root of a mapping file that it reads as `Asked.options`; others are said to be ignored. */
  readonly options?: readonly string[]
  /** Opens nothing yet: the first call goes out with `check`. */
  connect(config: Config, tools: Tools): Connection
}
