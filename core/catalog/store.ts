import type { Json, JsonObject } from '../model/json.ts'
import type { ItemDraft } from '../model/mapping.ts'
import type { Problem } from '../model/problem.ts'

/** Taken from the database's `tick` sequence before a request (begin) and after its answer (end). */
export interface Span {
  readonly begin: bigint
  readonly end: bigint
}

/** Proof that the writer still holds its lease; every commit checks it as its last statement (I9). */
export interface Fence {
  readonly lease: string
  readonly token: bigint
}

/** Why something happened, as the change feed and explain show it. */
export type Cause =
  | { readonly type: 'scan'; readonly scan: string; readonly partition: string }
  | { readonly type: 'delivery'; readonly delivery: string; readonly event: string }
  | { readonly type: 'get'; readonly reason: string }
  | { readonly type: 'remap'; readonly mapping: number }
  | { readonly type: 'person'; readonly who: string; readonly what: string }

/** What is stored about one key, as far as a decision needs it. Absent keys have no entry. */
export interface StoredRecord {
  readonly id: bigint
  readonly key: string
  readonly state: 'live' | 'gone'
  readonly version: string | undefined
  /** 16 bytes as hex. */
  readonly hash: string
  /** The newest watermark known: the record's own, or that of a page of a scan that saw it. */
  readonly span: Span
  readonly mappingId: number
  readonly locator: JsonObject
  /** Per partition: is it (still) present there, and when was that last confirmed (presences and scan pages). */
  readonly presences: readonly { readonly partitionId: number; readonly ended: boolean; readonly span: Span }[]
  /** What its contributions say now; what a failed expression or a guard keeps is taken from here (I4, I8). */
  readonly drafts: readonly (ItemDraft & { readonly mapping: string; readonly entityId: bigint })[]
  /** Holds on it that still matter: undecided, approved but not carried out, rejected and not yet seen again. */
  readonly holds: readonly OpenHold[]
}

export interface OpenHold {
  readonly what: string
  readonly partitionId: number | undefined
  readonly state: 'pending' | 'approved' | 'rejected'
}

/** Answer of `compare`, in the order of the keys asked about. */
export interface Compared {
  /** Record id of each key whose content, mapping version, liveness and presence in the partition are as asked: nothing to write. */
  readonly same: ReadonlyMap<number, bigint>
  /** By index: the others that are stored. An index in neither map is new. */
  readonly stored: ReadonlyMap<number, StoredRecord>
  /** To hand on as `PageWrite.asOf`: while no other commit wrote records of the kind, `same` need not be looked at again. */
  readonly asOf: bigint
}

/** A record to insert or replace. The store checks `expected` under the record's lock and throws StaleDecision if it moved. */
export interface RecordWrite {
  readonly key: string
  /** What the decision was based on: absent for a key that was not stored. */
  readonly expected?: {
    readonly id: bigint
    readonly hash: string
    readonly end: bigint
    readonly state: 'live' | 'gone'
  }
  readonly version: string | undefined
  readonly hash: string
  /** Canonical JSON text. */
  readonly body: string
  readonly locator: JsonObject
  /**
   * Replaces the record's watermark; a presence takes the greater begin and the greater end. The body of a signal was
   * made nobody knows when, so its span begins at 0.
   */
  readonly span: Span
  /** Partitions that this observation proves presence in. Those not named stay as they are. */
  readonly presences: readonly number[]
  /** Everything the record says from now on; what is stored and not in here is withdrawn. */
  readonly drafts: readonly (ItemDraft & { readonly mapping: string })[]
  readonly quarantined: readonly { readonly mapping: string; readonly item: string; readonly problem: Problem }[]
}

/** An observation that changed nothing, made outside a scan: it still moves the watermark. */
export interface Confirmation {
  readonly recordId: bigint
  readonly partitionId: number
  /** What was seen: StaleDecision if the record no longer has it. */
  readonly hash?: string
  readonly span: Span
}

/**
 * Ends one presence; the last one takes the record, its contributions, and entities that nothing owns any more. Applied
 * after the batch's writes, so that a record may move between partitions in one batch. Every removal counts for the
 * guard, but not an approved one: a person's decision must not make the guard hold everything else for a day.
 */
export interface Removal {
  readonly recordId: bigint
  readonly partitionId: number
  /** End tick of the presence's last confirmation the decision saw; if it has moved, StaleDecision. */
  readonly confirmed: bigint
  /** Tick of the proof: observations that began before it do not revive the presence. */
  readonly span: Span
  readonly version?: string
  readonly reason: 'absent' | 'gone' | 'get' | 'approved'
}

export interface Hold {
  readonly recordId: bigint
  readonly partitionId?: number
  /** 'presence', 'contribution MAPPING/ITEM' or 'property MAPPING/ITEM/NAME'. */
  readonly what: string
  readonly reason: string
  readonly scan?: bigint
}

export interface PageWrite {
  readonly scan: bigint
  readonly page: number
  readonly cursor: string
  readonly next?: string
  readonly validator?: string
  readonly span: Span
  /**
   * Keys in the order of the page with what compare said; the store knows the ids of those it writes in the same commit.
   * `refused` items (no key, an observation that lost) count as seen all the same when their key is stored.
   */
  readonly keys: readonly string[]
  /** '' for a refused item, so that the page cannot pass for unmodified later. */
  readonly hashes: readonly string[]
  /** With `notModified`: the remembered page's record ids in order; keys and hashes are empty, its digest is taken over. */
  readonly known: ReadonlyMap<number, bigint>
  /** Of the comparison `known` is from. A page whose known records moved since is a StaleDecision; without it they are all checked. */
  readonly asOf?: bigint
  readonly notModified: boolean
  readonly counts: { readonly items: number; readonly changed: number; readonly failed: number }
}

export interface Doubt {
  readonly kindId: number
  readonly key: string
  readonly partitionId: number
  readonly locator: JsonObject
  readonly reason: string
  readonly serial: bigint
  readonly signed: boolean
  readonly attempts: number
}

/** One transaction. Order inside: records (locked by key), presences, entities (locked by id before their contributions are read), changes, bookkeeping, fence. */
export interface Batch {
  readonly sourceId: number
  readonly kindId: number
  readonly fence: Fence
  /** The mapping version the drafts were made with; refused (MappingMoved) when it is no longer the active one. */
  readonly mappingId: number
  readonly cause: Cause
  /** Milliseconds since the epoch, from the engine's clock: for the guard's hours and for people, never for order. */
  readonly now: number
  readonly writes?: readonly RecordWrite[]
  readonly confirmations?: readonly Confirmation[]
  readonly removals?: readonly Removal[]
  readonly holds?: readonly Hold[]
  /** Holds that are answered: seen again (dissolved), or carried out after a person's approval or the source's signed word (released). */
  readonly settledHolds?: readonly {
    readonly recordId: bigint
    readonly what: string
    readonly partitionId?: number
    readonly state: 'dissolved' | 'released'
  }[]
  readonly page?: PageWrite
  /** Inbox rows this transaction settles. */
  readonly deliveries?: readonly { readonly id: bigint; readonly error?: JsonObject }[]
  readonly doubts?: readonly Omit<Doubt, 'attempts'>[]
  /** Removed unless a later signal raised the serial. */
  readonly settledDoubts?: readonly { readonly key: string; readonly partitionId: number; readonly serial: bigint }[]
  /** Scan requests that a resync signal made; '' is every kind. */
  readonly requestedScans?: readonly string[]
  /** Beyond removals: what the guard must count (deselected contributions, properties that turned null). */
  readonly taken?: { readonly contributions: number; readonly nulled: Readonly<Record<string, number>> }
}

export interface Committed {
  readonly created: number
  readonly updated: number
  readonly deleted: number
  /** Entities whose names changed. */
  readonly renamed: number
  /** Batch id in the change feed, if anything changed. */
  readonly batch?: bigint
}

/** What `GuardWindow` and the guard's decision work on: the last 24 hours of one kind. */
export interface GuardWindow {
  readonly high: number
  readonly live: number
  readonly removed: number
  readonly nulled: Readonly<Record<string, number>>
}

export interface SourceRow {
  readonly id: number
  readonly name: string
  readonly integration: string
  readonly state: 'active' | 'frozen'
  readonly fingerprint: string | undefined
  readonly mappingId: number | undefined
}

export interface PartitionRow {
  readonly id: number
  readonly kindId: number
  readonly name: string
  readonly state: 'unseen' | 'known' | 'unknown'
  readonly reason: string | undefined
  readonly completeScan: bigint | undefined
  readonly completeAt: Date | undefined
  /** What the credential could see at the last complete scan. */
  readonly fingerprint: string | undefined
}

export interface ScanRow {
  readonly id: bigint
  readonly partitionId: number
  readonly state: string
  readonly reason: string | undefined
  readonly begin: bigint
  readonly fingerprint: string | undefined
  readonly pages: number
  readonly parkedUntil: Date | undefined
  readonly expected: number | undefined
}

export interface StoredPage {
  readonly page: number
  readonly cursor: string
  readonly next: string | undefined
  readonly validator: string | undefined
  readonly records: readonly bigint[]
}

export interface InboxRow {
  readonly id: bigint
  readonly delivery: string
  readonly event: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly attempts: number
}

/**
 * The store as the engine sees it: every method is one statement or one transaction over `Db`. Reading for people
 * (entities, search, explain, feed) is in `query.ts`.
 */
export interface Store {
  tick(): Promise<bigint>

  // Leases: `acquire` answers undefined while another holder's lease has not expired; `renew` answers false once it was lost.
  acquireLease(name: string, holder: string, seconds: number): Promise<Fence | undefined>
  renewLease(fence: Fence, seconds: number): Promise<boolean>
  releaseLease(fence: Fence): Promise<void>

  // Configuration, remembered.
  saveSource(source: { name: string; integration: string; precedence: number }): Promise<SourceRow>
  freezeSourcesExcept(names: readonly string[]): Promise<readonly string[]>
  saveCheck(
    sourceId: number,
    result: { identity: string; fingerprint: string } | { problem: JsonObject },
  ): Promise<void>
  activeMapping(sourceId: number): Promise<{ id: number; hash: string; content: Json } | undefined>
  activateMapping(
    sourceId: number,
    mapping: { hash: string; content: Json; blueprints: readonly Json[] },
  ): Promise<number>
  kind(sourceId: number, name: string): Promise<{ id: number; live: number }>
  savePartition(kindId: number, name: string): Promise<PartitionRow>
  partitions(kindId: number): Promise<readonly PartitionRow[]>
  setPartition(partitionId: number, state: 'known' | 'unknown', reason?: string): Promise<void>

  // Records.
  compare(
    kindId: number,
    partitionId: number,
    mappingId: number,
    items: readonly { key: string; hash: string }[],
    /** It is for a page of a scan: earlier pages of the partition are then known to be older, and are not searched. */
    scanning?: boolean,
  ): Promise<Compared>
  /** Live or gone, whatever its content. */
  record(kindId: number, key: string): Promise<StoredRecord | undefined>
  /** The same with its canonical JSON text, to map it again. */
  recordById(recordId: bigint): Promise<{ record: StoredRecord; body: string } | undefined>
  /** Live records of the source made with another mapping version, in id order after `after`. `body` is canonical JSON text. */
  outdated(
    sourceId: number,
    mappingId: number,
    after: bigint,
    limit: number,
  ): Promise<readonly { kind: string; kindId: number; record: StoredRecord; body: string }[]>
  /** Throws StaleDecision, MappingMoved, FenceLost, Unstorable. */
  commit(batch: Batch): Promise<Committed>

  // Scans. States are those of the table in docs/sync-spec.md.
  beginScan(scan: { partitionId: number; fingerprint?: string; now: number }): Promise<ScanRow>
  /** The partition's scan that has not ended, if any: a restart resumes it. */
  openScan(partitionId: number): Promise<ScanRow | undefined>
  /** An absent reason keeps the stored one; an absent parkedUntil clears it. */
  setScan(
    fence: Fence,
    scanId: bigint,
    change: { state: string; reason?: string; parkedUntil?: number; ended?: number; held?: number; removed?: number },
  ): Promise<void>
  /** Ends it as complete (a later setScan may say held) and makes it the partition's last complete one; older scans' pages are dropped. */
  completeScan(fence: Fence, scanId: bigint, now: number): Promise<void>
  /**
   * Begin tick of the first of the partition's scans since which every one of them was made by a credential that saw what
   * `fingerprint` stands for. Undefined: not even the last one was.
   */
  seesSince(partitionId: number, fingerprint: string): Promise<bigint | undefined>
  pages(scanId: bigint): Promise<readonly StoredPage[]>
  /** Pages with a validator of the last complete scan whose records are all live in the partition and still have the content they had then. */
  validPages(partitionId: number): Promise<readonly StoredPage[]>
  /**
   * Live presences of the partition that are on none of the scan's pages and whose begin tick is below the scan's. One
   * whose end (`confirmed`) is above the scan's begin was confirmed by something that may be older than the scan (the
   * body of a signal): the engine asks about those. `held`: it has a hold that is pending, approved or rejected.
   * `missedBefore`: the partition's last complete scan did not see it either.
   */
  missing(scanId: bigint): Promise<
    readonly {
      recordId: bigint
      key: string
      locator: JsonObject
      confirmed: bigint
      /** Greatest begin tick of what showed it to the credential; the bodies of signals show it to nobody. */
      shown: bigint
      version: string | undefined
      held: boolean
      missedBefore: boolean
    }[]
  >
  /** Holds (pending, approved or rejected) on presences of this partition whose record the scan saw. */
  seenHolds(
    scanId: bigint,
  ): Promise<readonly { recordId: bigint; what: string; partitionId: number; state: OpenHold['state'] }[]>
  livePresences(partitionId: number): Promise<number>

  // Guard and holds.
  guardWindow(kindId: number, now: number): Promise<GuardWindow>
  /** Holds a person approved that still have to be carried out. */
  approvedHolds(kindId: number): Promise<
    readonly {
      recordId: bigint
      partitionId: number | undefined
      what: string
      confirmed: bigint | undefined
      /** Who approved it. */
      by: string
    }[]
  >

  // Live.
  /** Returns only after commit. `duplicate` when it is stored and was not set aside; one that was set aside is accepted again. */
  accept(
    sourceId: number,
    delivery: { id: string; event: string; headers: Readonly<Record<string, string>>; body: Buffer },
  ): Promise<'accepted' | 'duplicate'>
  backlog(sourceId: number): Promise<number>
  accepted(sourceId: number, limit: number): Promise<readonly InboxRow[]>
  setAside(fence: Fence, inboxId: bigint, error: JsonObject): Promise<void>
  dueDoubts(
    sourceId: number,
    now: number,
    limit: number,
  ): Promise<readonly (Doubt & { kind: string; partition: string })[]>
  postponeDoubt(doubt: Doubt, until: number, reason: string): Promise<void>

  // Schedule.
  schedule(sourceId: number, kind: string): Promise<{ next: number; requested: boolean } | undefined>
  setSchedule(fence: Fence, sourceId: number, kind: string, next: number, requested: boolean): Promise<void>
  requestScan(sourceId: number, kind: string): Promise<void>

  /** Gives committed batches their places in the feed, in an order that keeps each entity's revisions in order. Returns how many changes. */
  sequence(): Promise<number>
}

/** A record or presence moved between the decision and its commit: decide again. */
export class StaleDecision extends Error {}
/** The lease went to somebody else: stop; nothing was written. */
export class FenceLost extends Error {}
/** Another mapping version is active now: map again. */
export class MappingMoved extends Error {}
/** The database cannot hold what the batch contains (a name beyond what an index takes): trying again does not help. */
export class Unstorable extends Error {}

/** Where a pause that the source asked for is remembered, so that a restart keeps it: a schedule row of no kind. */
export const PAUSE = '(pause)'
