import { type Kind, RateLimited } from '../sdk/index.ts'
import type { Faults } from './faults.ts'
import type { Random } from './random.ts'
import { type KindName, partitionNames, type SourceName, type Thing } from './thing.ts'
import type { World } from './world.ts'

/** One source as everybody sees it, whoever is connected. */
export interface SourceState {
  readonly name: SourceName
  readonly world: World
  readonly random: Random
  readonly faults: Faults
  /** Partitions of which the credential sees only a part. */
  readonly blind: Set<string>
  /**
   * Counts changes of what the credential may see. There and back again is a new number: a permission that was gone for
   * exactly one call leaves no trace that anybody could find.
   */
  epoch: number
  /** Milliseconds since the epoch, as the source knows them. */
  now(): number
  /** So many may vanish of a kind before the guard holds everything: a listing that lies within that is believed. */
  believable(kind: KindName): number
  /** Keys that the catalog holds in a partition: what it does not hold, no listing can hide. */
  stored(kind: KindName, partition: string): ReadonlySet<string>
}

/** One process's connection to it. */
export interface Caller {
  /** The request goes out with the first grant and is answered then; its answer arrives with the second. */
  call<T>(label: string, answer: () => T): Promise<T>
}

export interface KindTraits {
  readonly versioned: boolean
  readonly paging: Kind['paging']
  readonly coverage: Kind['coverage']
  readonly get: boolean
  /** Pages come as bytes, without validators. */
  readonly bytes?: true
}

export const traits: Readonly<Record<KindName, KindTraits>> = {
  repo: { versioned: true, paging: 'shifting', coverage: 'complete', get: true },
  person: { versioned: false, paging: 'stable', coverage: 'complete', get: true },
  service: { versioned: true, paging: 'stable', coverage: 'complete', get: true, bytes: true },
  team: { versioned: false, paging: 'shifting', coverage: 'complete', get: false, bytes: true },
  branch: { versioned: true, paging: 'stable', coverage: 'complete', get: true },
  incident: { versioned: true, paging: 'stable', coverage: 'window', get: true },
}

export function versionOf(serial: number): string {
  return String(serial).padStart(8, '0')
}

export function limited(state: SourceState): RateLimited {
  const until = state.now() + 1000 + state.random.below(30_000)
  const reserve = state.random.chance(0.3)
  return new RateLimited('429', until, { reserve })
}

/** What is visible of a partition to this credential, in the order of creation. */
export function visible(state: SourceState, kind: KindName, partition: string): readonly Thing[] {
  const there = state.world.living(kind, partition)
  if (kind === 'branch') return scopeOf(state, partition) === undefined ? [] : there
  // The hash of the key decides, so that the same ones are hidden as long as it lasts.
  return state.blind.has(partition) ? there.filter(({ key }) => key.charCodeAt(key.length - 1) % 2 === 0) : there
}

/** The repository whose branches a partition lists, if the credential sees it. */
export function scopeOf(state: SourceState, partition: string): Thing | undefined {
  return partitionNames.flatMap((name) => visible(state, 'repo', name)).find(({ key }) => key === partition)
}
