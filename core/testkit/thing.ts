import type { JsonObject } from '../sdk/index.ts'

/** The sources of the simulation and the kinds of each; what each kind is like is in simulated-source.ts. */
export const kindsOf = {
  alpha: ['repo', 'person', 'branch'],
  beta: ['service', 'team', 'incident'],
} as const satisfies Readonly<Record<string, readonly KindName[]>>

export type SourceName = 'alpha' | 'beta'
export type KindName = 'repo' | 'person' | 'branch' | 'service' | 'team' | 'incident'

/** Of every kind but branches, each of whose partitions is the list of one repository's. */
export const partitionNames: readonly string[] = ['p1', 'p2']

/** What is true of one object at its source. */
export interface Thing {
  readonly source: SourceName
  readonly kind: KindName
  /** Immutable id; never used again. */
  readonly key: string
  name: string
  /** A number that may be null. */
  stars: number | null
  tier: string | null
  owner: string
  labels: readonly string[]
  archived: boolean
  /** The expression of a mapping that fails on it. */
  weird: '' | 'property' | 'identifier' | 'selector'
  /** A window kind does not list it any more, though it exists. */
  aged: boolean
  /** Where it is, with the serial at which it came there. Empty: it does not exist (now). */
  readonly partitions: Map<string, number>
  /** Where it was when it was last deleted. */
  left: string
  /** Serial at which it was created or last restored. */
  born: number
  /** Serial of its last change: its version. */
  serial: number
}

/** Says what happened, so that the source may send a delivery about it. */
export interface Happening {
  readonly thing: Thing
  readonly partition: string
  readonly what: 'changed' | 'gone'
  /** As it was then. */
  readonly item: JsonObject
  readonly serial: number
}

/** An object as its source answers it, with members that the canonical form leaves out. */
export function itemOf(thing: Thing): JsonObject {
  const { key, name, stars, tier, owner, labels, archived, weird, born, serial } = thing
  return { noise: serial % 7, key, name, stars, tier, owner, labels, archived, weird, born, serial }
}

/** Some repositories have branches: a partition each, which is called by the repository's key and goes with it. */
export function hasBranches({ kind, key }: Thing): boolean {
  return kind === 'repo' && Number(key.slice('repo-'.length)) % 3 === 0
}
