import type { Json, JsonObject } from '../../model/json.ts'
import type { MappingOutput, MappingsAbout, Part } from '../../model/mapping.ts'
import type { Problem } from '../../model/problem.ts'
import type { ChangeView } from './changes.ts'
import type { Freshness, Objectives } from './freshness.ts'
import type { HeldView } from './held.ts'

/**
 * What became of a name. `present`; `renamed`: present under another name; `deleted`; `quarantined`: its record is here, a
 * mapping failed on it, or the object was refused as it could not be read or kept; `deselected`: its record is here, the selector is false; `unmapped`: its record is here, no mapping
 * makes this entity of it; `record`: a record was asked for; `unknown`: it may lie where we cannot look; `ambiguous`: see
 * `candidates`; `never_seen`.
 */
export const explainedStates = [
  'present',
  'renamed',
  'deleted',
  'quarantined',
  'deselected',
  'unmapped',
  'record',
  'held',
  'replaced',
  'unknown',
  'frozen',
  'ambiguous',
  'never_seen',
] as const

/** Why something is not in the catalog, or (held) is there only because a guard keeps it. */
export const causes = [
  'never_seen',
  'selector_false',
  'selector_failed',
  'identifier_failed',
  'item_refused',
  'held',
  'deleted',
  'replaced',
  'partition_unknown',
  'source_frozen',
] as const

export interface Explanation {
  /** One of the ten; null when it is there, or its record is and makes something else. */
  readonly cause: (typeof causes)[number] | null
  /** Commands that lead on, the best first. */
  readonly next: readonly string[]
  /** Where each field of a present entity comes from. */
  readonly fields: readonly ExplainedField[]
  /** As it was asked for. */
  readonly reference: string
  readonly state: (typeof explainedStates)[number]
  /** One sentence that answers the question, for people. */
  readonly summary: string
  /** More of what is known, a sentence each. */
  readonly notes: readonly string[]
  readonly entity?: ExplainedEntity
  readonly contributions: readonly ExplainedContribution[]
  /** Deletions and changes of it that wait for a person. */
  readonly held: readonly HeldView[]
  /** Its latest changes with their causes, newest first. */
  readonly changes: readonly ChangeView[]
  /** Records that may be it, and what the mappings say of them now. */
  readonly records: readonly ExplainedRecord[]
  /** References to ask about instead. */
  readonly candidates: readonly string[]
}

/** The parts that only some explanations have. */
export const nothing = {
  cause: null,
  next: [],
  fields: [],
  notes: [],
  contributions: [],
  held: [],
  changes: [],
  records: [],
  candidates: [],
}

export interface ExplainedField {
  /** `identifier`, `title`, `team`, `properties.NAME` or `relations.NAME`. */
  readonly field: string
  readonly value: Json
  readonly source: string
  readonly kind: string
  readonly key: string
  readonly partitions: readonly string[]
  readonly mapping: string
  /** As the mapping file has it; absent where no file says it. */
  readonly expression?: string
  readonly file?: string
  readonly line?: number
  /** What confirmed it last: a scan, a delivery. */
  readonly confirmedBy: string
  readonly freshness: Freshness
}

/** What the configured mappings and objectives add to what the database knows. */
export interface Insight {
  about(source: string): MappingsAbout | undefined
  readonly objectives: Objectives
  /** Milliseconds since the epoch. */
  readonly now: number
}

export const noInsight: Insight = { about: () => undefined, objectives: {}, now: 0 }

export interface ExplainedEntity {
  readonly reference: string
  readonly title: string | null
  readonly revision: number
  readonly updatedAt: string
  readonly failed: readonly Problem[]
  /** Set when it is not in the catalog any more: why, by what, when. */
  readonly deleted: Json
}

export interface ExplainedContribution {
  readonly source: string
  readonly kind: string
  readonly key: string
  readonly recordState: 'live' | 'gone'
  readonly version: string | null
  readonly locator: JsonObject
  readonly mapping: string
  readonly item: string
  readonly mappingVersion: number
  /** A weak one adds fields but does not make the entity exist. */
  readonly owning: boolean
  readonly partitions: readonly {
    readonly name: string
    readonly state: string
    readonly reason: string | null
    readonly present: boolean
    readonly freshness: Freshness
    /** The partition's last complete scan. */
    readonly scan: string | null
    readonly scannedAt: string | null
  }[]
  readonly problems: readonly Problem[]
}

export interface ExplainedRecord {
  readonly source: string
  readonly kind: string
  readonly key: string
  readonly state: 'live' | 'gone'
  readonly locator: JsonObject
  readonly gone: Json
  readonly feeds: readonly string[]
  readonly mappings: readonly ExplainedMapping[]
}

export interface ExplainedMapping {
  readonly mapping: string
  readonly outcome: 'selected' | 'deselected' | 'quarantined'
  /** References of what it makes of the record. */
  readonly entities: readonly string[]
  /** The selector that is false. */
  readonly expression?: string
  /** What the parts of it gave. */
  readonly parts?: readonly Part[]
  readonly problem?: Problem
}

/** Runs the active mappings over a stored body, a JSON text; undefined when the source is not in the configuration. */
export type Evaluate = (source: string, kind: string, text: string) => readonly MappingOutput[] | undefined
