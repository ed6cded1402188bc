import type { Document } from './document.ts'
import type { Ranked } from './merge.ts'

/** An entity that is not deleted, locked. */
export interface EntityRow {
  readonly id: bigint
  readonly blueprint: string
  readonly identifier: string
  /** The record that it hangs on; null for a stub: nothing owns it. */
  readonly anchor: bigint | null
  /** A stub that no relation wants either: it does not exist for readers. */
  readonly hidden: boolean
  readonly document: Document
  /** Digest of the blueprint's rules that its search vector and refs were made by. */
  readonly derived: number
  readonly revision: bigint
  /** Milliseconds since the epoch. */
  readonly updatedAt: number
}

export interface Contribution extends Ranked {
  readonly recordId: bigint
  readonly owning: boolean
  readonly blueprint: string
  readonly identifier: string
}

export interface StoredContribution extends Contribution {
  readonly entityId: bigint
  /** It keeps a draft of its own, because it does not say exactly what the entity says. */
  readonly hasDraft: boolean
  /** It stands for all contributions of the entity, of records that are not replaced, that say exactly what the entity says. */
  readonly stands: boolean
}

/** What says one name, and the row that goes by it. */
export interface Group {
  readonly blueprint: string
  readonly identifier: string
  readonly members: Contribution[]
  owned: boolean
  /** Not owned, and there for readers all the same. */
  wanted: boolean
  row: EntityRow | undefined
  /** Its row was deleted. */
  restored?: boolean
}

export function nameOf({ blueprint, identifier }: { readonly blueprint: string; readonly identifier: string }): string {
  return `${blueprint}:${identifier}`
}
