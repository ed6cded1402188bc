import type { Json, JsonObject } from '../model/json.ts'
import type { Hooks, HooksKept } from '../sdk/index.ts'
import type { Batch, Committed, Fence, ItemSetAside } from './batch.ts'
import type { Dependent } from './dependents.ts'
import type { KeepingBooks } from './keeping.ts'
import type { Activation, PlanBooks } from './plan-books.ts'
import type {
  ApprovedHold,
  Compared,
  Doubt,
  GuardWindow,
  InboxRow,
  MissingCounts,
  MissingRow,
  OpenHold,
  Orphan,
  OutdatedRecord,
  Parent,
  PartitionRow,
  ScanRow,
  SourceRow,
  StoredPage,
  StoredRecord,
} from './stored.ts'

/** What is to be known of a source's webhooks. */
export type HookState = Partial<Pick<HooksKept, 'refused' | 'remove'>> & {
  /** Catchment looks after them now. */
  readonly managed: boolean
}

/**
 * The store as the engine sees it: every method is one statement or one transaction over `Db`. Reading for people
 * (entities, search, explain, feed) is in `query/`. What it reads is in stored.ts, what it writes in batch.ts.
 */
export interface Store extends PlanBooks, KeepingBooks {
  tick(): Promise<bigint>

  // Leases: `acquire` answers undefined while another holder's lease has not expired; `renew` answers false once it was lost.
  acquireLease(name: string, holder: string, seconds: number): Promise<Fence | undefined>
  renewLease(fence: Fence, seconds: number): Promise<boolean>
  releaseLease(fence: Fence): Promise<void>

  // Configuration, remembered.
  saveSource(source: { name: string; integration: string; precedence: number }): Promise<SourceRow>
  /** The source `manual` is nobody's to freeze: it has no configuration of its own. */
  freezeSourcesExcept(names: readonly string[]): Promise<readonly string[]>
  /** Webhooks of ours at the source. */
  hooks(sourceId: number): Promise<Hooks>
  /** With `state`, what is to be known of them; members that are left out stay. */
  saveHooks(fence: Fence, sourceId: number, hooks: Hooks, state?: HookState): Promise<void>
  saveCheck(
    fence: Fence,
    sourceId: number,
    result: { identity: string; fingerprint: string } | { problem: JsonObject },
  ): Promise<void>
  activeMapping(sourceId: number): Promise<{ id: number; hash: string; content: Json } | undefined>
  activateMapping(
    sourceId: number,
    mapping: { hash: string; content: Json; blueprints: readonly Json[] },
    /** Default: at start. */
    by?: Activation,
  ): Promise<number>
  kind(sourceId: number, name: string): Promise<{ id: number; live: number }>
  /** Answers it as it was: one that was `dropped` is unseen again from now on. Without a fence: what is written over HTTP has no lease. */
  savePartition(fence: Fence | undefined, kindId: number, name: string, parent?: Parent): Promise<PartitionRow>
  /** Without those that were dropped. */
  partitions(kindId: number): Promise<readonly PartitionRow[]>
  setPartition(fence: Fence, partitionId: number, state: 'known' | 'unknown', reason?: string): Promise<void>
  /** No other partition of the kind has the name, unless it was dropped. */
  renamePartition(fence: Fence, partitionId: number, name: string): Promise<void>
  /** With what was asked about it. False: it holds live records or has an open scan, and stays. */
  dropPartition(fence: Fence, partitionId: number): Promise<boolean>
  orphans(sourceId: number): Promise<readonly Orphan[]>
  dependents(sourceId: number): Promise<readonly Dependent[]>
  returning(sourceId: number, all: boolean): Promise<readonly Dependent[]>
  dependentHolds(
    sourceId: number,
  ): Promise<readonly { readonly kindId: number; readonly recordId: bigint; readonly what: string }[]>
  /** Live presences of a partition that no hold keeps, in the order of the records' ids. `confirmed`: end tick of what showed it last. */
  children(
    partitionId: number,
    after: bigint,
    limit: number,
  ): Promise<readonly { readonly recordId: bigint; readonly confirmed: bigint }[]>

  // Records.
  compare(
    kindId: number,
    partitionId: number,
    mappingId: number,
    /** `hashes`: 16 bytes a key. */
    items: { readonly keys: readonly string[]; readonly hashes: Buffer },
    /** It is for a page of a scan: earlier pages of the partition are then known to be older, and are not searched. */
    scanning?: boolean,
  ): Promise<Compared>
  /**
   * Has the page that the partition's last complete scan had at this place one of these seals, and are its records still live
   * in the partition with the content and mapping version they had then? `asOf`: for `PageWrite.asOf`. `items`: how many
   * records. `sameBytes`: it has that seal.
   */
  unchangedPage(
    kindId: number,
    partitionId: number,
    mappingId: number,
    page: {
      readonly number: number
      readonly cursor: string
      readonly seal: Buffer | undefined
      readonly bytesSeal: Buffer | undefined
    },
  ): Promise<{ readonly asOf: bigint; readonly items: number; readonly sameBytes: boolean } | undefined>
  /** Live or gone, whatever its content. */
  record(kindId: number, key: string): Promise<StoredRecord | undefined>
  /** The same with its canonical JSON text, to map it again; undefined where only the hash is kept. */
  recordById(recordId: bigint): Promise<{ record: StoredRecord; body: string | undefined } | undefined>
  /** Live records of the source made with another mapping version, in id order after `after`: `limit`, or as many as memory is to hold. Without those whose bodies are not kept. */
  outdated(sourceId: number, mappingId: number, after: bigint, limit: number): Promise<readonly OutdatedRecord[]>
  /** Throws StaleDecision, MappingMoved, FenceLost, Unstorable. */
  commit(batch: Batch): Promise<Committed>

  // Scans. States are those of the table in docs/sync-spec.md.
  beginScan(fence: Fence, scan: { partitionId: number; fingerprint?: string; now: number }): Promise<ScanRow>
  /** The partition's scan that has not ended, if any: a restart resumes it. */
  openScan(partitionId: number): Promise<ScanRow | undefined>
  /** An absent reason keeps the stored one; an absent parkedUntil clears it. */
  setScan(
    fence: Fence,
    scanId: bigint,
    change: { state: string; reason?: string; parkedUntil?: number; ended?: number; held?: number; removed?: number },
  ): Promise<void>
  /** Adds to what the scan has cost. */
  countCalls(fence: Fence, scanId: bigint, more: { calls: number; quota: number }): Promise<void>
  /** Ends it as complete (a later setScan may say held) and makes it the partition's last complete one; older scans' pages are dropped. */
  completeScan(fence: Fence, scanId: bigint, now: number): Promise<void>
  /** The scan has read all of the partition: what was set aside before it and not by it can be read now, or is gone. */
  forgetSetAside(fence: Fence, scanId: bigint): Promise<void>
  /**
   * Begin tick of the first of the partition's scans since which every one of them was made by a credential that saw what
   * `fingerprint` stands for. Undefined: not even the last one was.
   */
  seesSince(partitionId: number, fingerprint: string): Promise<bigint | undefined>
  /** The last committed pages of a scan, in order. */
  lastPages(scanId: bigint, limit: number): Promise<readonly StoredPage[]>
  /**
   * Of the pages of the last complete scan numbered `from` to `from + limit - 1`, those with a validator whose records are
   * all live in the partition and still have the content they had then.
   */
  validPages(partitionId: number, from: number, limit: number): Promise<readonly StoredPage[]>
  /**
   * Live presences of the partition that are on none of the scan's pages and whose begin tick is below the scan's: the
   * first whose records' ids are above `after`, in the order of their keys. One whose end (`confirmed`) is above the scan's begin was confirmed by
   * something that may be older than the scan (the body of a signal): the engine asks about those.
   */
  missing(scanId: bigint, after: bigint, limit: number): Promise<readonly MissingRow[]>
  /** What there is of them, without any of them. `seesSince` undefined: all of them are hidden. */
  countMissing(scanId: bigint, seesSince: bigint | undefined): Promise<MissingCounts>
  /** Holds (pending, approved or rejected) on presences of this partition whose record the scan saw, oldest first. */
  seenHolds(
    scanId: bigint,
    limit: number,
  ): Promise<readonly { recordId: bigint; what: string; partitionId: number; state: OpenHold['state'] }[]>

  // Guard and holds.
  guardWindow(kindId: number, now: number): Promise<GuardWindow>
  /** Holds a person approved that still have to be carried out, oldest first: those after `after`, or those of a record. */
  approvedHolds(
    kindId: number,
    of: { readonly after: bigint; readonly limit: number } | { readonly recordId: bigint },
  ): Promise<readonly ApprovedHold[]>

  // Live.
  /** Returns only after commit. `duplicate` when it is stored and was not set aside; one that was set aside is accepted again. */
  accept(
    sourceId: number,
    delivery: { id: string; event: string; headers: Readonly<Record<string, string>>; body: Buffer },
  ): Promise<'accepted' | 'duplicate'>
  backlog(sourceId: number): Promise<number>
  accepted(sourceId: number, limit: number): Promise<readonly InboxRow[]>
  /** `about`: the object of the delivery that is to blame, if that is known. `now`: milliseconds. */
  setAside(
    fence: Fence,
    inboxId: bigint,
    error: JsonObject,
    about?: { readonly partitionId: number; readonly item: ItemSetAside; readonly now: number },
  ): Promise<void>
  /** Forgets some deliveries that were applied before (milliseconds since the epoch), oldest first. Answers how many. */
  forgetDeliveries(fence: Fence, sourceId: number, before: number, limit: number): Promise<number>
  dueDoubts(
    sourceId: number,
    now: number,
    limit: number,
  ): Promise<readonly (Doubt & { kind: string; partition: string })[]>
  postponeDoubt(fence: Fence, doubt: Doubt, until: number, reason: string): Promise<void>

  // Schedule.
  schedule(sourceId: number, kind: string): Promise<{ next: number; requested: boolean } | undefined>
  setSchedule(fence: Fence, sourceId: number, kind: string, next: number, requested: boolean): Promise<void>
  requestScan(sourceId: number, kind: string): Promise<void>

  /** Gives committed batches their places in the feed, in an order that keeps each entity's revisions in order. Returns how many changes. */
  sequence(): Promise<number>
  /** Settles what relations lead to, behind the feed. Returns how much was done; 0: all is settled. */
  settleRelations(): Promise<number>
}

/** Where a pause that the source asked for is remembered, so that a restart keeps it: a schedule row of no kind. */
export const PAUSE = '(pause)'

/** The source of what people and programs write over HTTP: its name, and that of its integration. No configured source may have it. */
export const MANUAL = 'manual'
