import type { JsonObject } from '../model/json.ts'
import type { ItemDraft } from '../model/mapping.ts'
import type { Problem } from '../model/problem.ts'
import type { Doubt, KnownEntity, Span } from './stored.ts'

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
  | { readonly type: 'remap'; readonly mapping: number; readonly plan?: string }
  | { readonly type: 'person'; readonly who: string; readonly what: string }

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
  /** Canonical JSON text; undefined: only the hash is kept. */
  readonly body: string | undefined
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
  /** Names that its relations lead to and that shall exist as stubs while nothing owns them. Absent: none. */
  readonly wanted?: readonly { readonly blueprint: string; readonly identifier: string }[]
  readonly quarantined: readonly { readonly mapping: string; readonly item: string; readonly problem: Problem }[]
}

/**
 * What a stored record says by another mapping version. Nothing was observed, so body, watermark and presences stay as they
 * are. StaleDecision when the record is no longer live or is another than was mapped.
 */
export interface RecordRemap extends Pick<RecordWrite, 'key' | 'version' | 'drafts' | 'quarantined' | 'wanted'> {
  readonly expected: { readonly id: bigint; readonly hash: string; readonly mappingId: number }
  /** It says what it said, and its entities are derived as they should be: only its mapping version is written. */
  readonly same: boolean
  /** As they were read; none where nothing is known. */
  readonly entities?: readonly KnownEntity[]
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
 * guard, but not what a person approved or did: their decision must not make the guard hold everything else for a day.
 */
export interface Removal {
  readonly recordId: bigint
  readonly partitionId: number
  /** End tick of the presence's last confirmation the decision saw; if it has moved, StaleDecision. */
  readonly confirmed: bigint
  /** Tick of the proof: observations that began before it do not revive the presence. */
  readonly span: Span
  readonly version?: string
  readonly reason: 'absent' | 'gone' | 'get' | 'parent' | 'approved' | 'person'
}

export interface Hold {
  readonly recordId: bigint
  readonly partitionId?: number
  /** 'presence', 'contribution MAPPING/ITEM', 'property MAPPING/ITEM/NAME' or 'dependent MAPPING/ITEM'. */
  readonly what: string
  readonly reason: string
  readonly scan?: bigint
}

/** A contribution whose entity depends on what was deleted. */
export interface Mute {
  readonly recordId: bigint
  readonly mapping: string
  readonly item: string
  /** That it owned. */
  readonly entityId: bigint
  readonly relation: string
  /** What the relation leads to. */
  readonly blueprint: string
  readonly identifier: string
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
  /** 16 bytes a key; zeros for a refused item, so that the page cannot pass for unmodified later. */
  readonly hashes: Buffer
  readonly known: ReadonlyMap<number, bigint>
  /** Of the comparison `known` is from. A page whose known records moved since is a StaleDecision; without it they are all checked. */
  readonly asOf?: bigint
  /** Of keys, hashes and mapping version, if nothing was refused: the next scan may know the page by it. */
  readonly seal?: Buffer
  /** Of the bytes that `seal` was made of, if the source gave them: it is kept where the seal is. */
  readonly bytesSeal?: Buffer
  /**
   * It is a page of the partition's last complete scan once more, and its records are taken over from there: `keys`,
   * `hashes` and `known` are empty. StaleDecision when they are no longer what they were.
   */
  readonly remembered?: {
    /** Its number there. */
    readonly page: number
    /** The source said so; otherwise it has the same seal. */
    readonly unmodified: boolean
  }
  readonly counts: { readonly items: number; readonly changed: number; readonly failed: number }
  /** Items of it that could not be read or kept. */
  readonly setAside?: readonly ItemSetAside[]
}

/** An object that no record can be made of. */
export interface ItemSetAside {
  /** As it is, however long; '' when it has none. */
  readonly key: string
  /** Tells items without a key apart: page and index. */
  readonly place: string
  readonly locator: JsonObject
  readonly field: 'key' | 'body'
  readonly message: string
}

/** One transaction. Order inside: records (locked by key), presences, entities (locked by id before their contributions are read), changes, bookkeeping, fence. */
export interface Batch {
  readonly sourceId: number
  readonly kindId: number
  /** Absent: what a person writes. It is one transaction from reading to writing and continues nothing. */
  readonly fence?: Fence
  /** The mapping version the drafts were made with; refused (MappingMoved) when it is no longer the active one. */
  readonly mappingId: number
  readonly cause: Cause
  /** Milliseconds since the epoch, from the engine's clock: for the guard's hours and for people, never for order. */
  readonly now: number
  readonly writes?: readonly RecordWrite[]
  readonly remaps?: readonly RecordRemap[]
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
  /** What a person does: the record keeps a deleted entity as it was (see pins.ts), or no longer. */
  readonly pin?: {
    readonly do: 'pin' | 'unpin'
    readonly recordId: bigint
    readonly entityId: bigint
    readonly reason?: string
  }
  /** Contributions that own nothing from now on, or own again. Of stored records, which the batch does not write. */
  readonly mute?: readonly Mute[]
  readonly unmute?: readonly Mute[]
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
