import type { JsonObject } from '../model/json.ts'
import type { ItemDraft } from '../model/mapping.ts'
import type { Document } from './document.ts'

/** Taken from the database's `tick` sequence before a request (begin) and after its answer (end). */
export interface Span {
  readonly begin: bigint
  readonly end: bigint
}

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

/** A live record that another mapping version was over, as far as mapping it again needs it. */
export interface OutdatedRecord
  extends Pick<StoredRecord, 'id' | 'key' | 'version' | 'hash' | 'mappingId' | 'drafts' | 'holds'> {
  readonly kindId: number
  /** Entities as they were read with it: what a commit finds in the same state under its lock it need not read again. */
  readonly entities: readonly KnownEntity[]
  /** Canonical JSON text. */
  readonly body: string
  /** What it wants (see RecordWrite), as `blueprint:identifier`. */
  readonly wanted: readonly string[]
  /** Nothing of it is quarantined, and its entities are derived by the blueprints' rules as they are now: if it says the same again, nothing is to be written. */
  readonly settled: boolean
}

/** What an entity said, and in which version of its row. */
export interface KnownEntity {
  readonly id: bigint
  /** The transaction that wrote the row. */
  readonly row: string
  readonly document: Document
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
  readonly state: 'unseen' | 'known' | 'unknown' | 'dropped'
  readonly reason: string | undefined
  readonly completeScan: bigint | undefined
  readonly completeAt: Date | undefined
  /** What the credential could see at the last complete scan. */
  readonly fingerprint: string | undefined
  readonly parent: Parent | undefined
}

/** The record that a partition hangs on, of a kind of the same source. */
export interface Parent {
  readonly kind: string
  readonly key: string
}

/** A partition that holds live records although the record that it hangs on is gone. */
export interface Orphan {
  readonly kind: string
  readonly partition: string
  readonly parent: Parent
  /** Of the parent's tombstone. */
  readonly locator: JsonObject
  /** End tick of the parent's tombstone. */
  readonly goneAt: bigint
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
  /** How many records are on it. */
  readonly items: number
}

/** A live presence that a scan did not see. */
export interface MissingRow {
  readonly recordId: bigint
  readonly key: string
  readonly locator: JsonObject
  /** End tick of its last confirmation. */
  readonly confirmed: bigint
  /** Greatest begin tick of what showed it to the credential: a page or an answer. The bodies of deliveries show it to nobody. */
  readonly shown: bigint
  /** It has a hold that is pending, approved or rejected. */
  readonly held: boolean
  /** The partition's last complete scan did not see it either. */
  readonly missedBefore: boolean
}

export interface MissingCounts {
  /** Without a hold. */
  readonly open: number
  /** Of those, the ones that were shown to the credential only before it saw what it sees now. */
  readonly hidden: number
  /** Those that this scan has held already: its sweep was interrupted, or something moved during it. */
  readonly held: number
  /** Records on the scan's pages, and live presences of the partition; 0 when nothing is missing. */
  readonly seen: number
  readonly live: number
}

export interface ApprovedHold {
  readonly id: bigint
  readonly recordId: bigint
  readonly partitionId: number | undefined
  readonly what: string
  /** End tick of the presence's last confirmation; undefined when it has ended. */
  readonly confirmed: bigint | undefined
  /** Who approved it. */
  readonly by: string
}

export interface InboxRow {
  readonly id: bigint
  readonly delivery: string
  readonly event: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly attempts: number
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
