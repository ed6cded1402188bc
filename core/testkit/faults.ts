import type { Mix } from './mix.ts'
import type { Random } from './random.ts'

/** Every fault that the simulation makes, with how often where it can happen. The names are those of the JSON line. */
export const faultOdds = {
  // Of one answer.
  'answer-slow': 0.08,
  'listing-slow': 0.12,
  // Of one listing.
  'listing-scope-404': 0.04,
  'listing-half': 0.05,
  'listing-empty': 0.04,
  'listing-html': 0.04,
  'listing-exception': 0.03,
  'listing-unavailable': 0.04,
  'listing-incomplete-flag': 0.05,
  'listing-rate-limited': 0.05,
  'listing-credential-refused': 0.02,
  'listing-ends-early': 0.03,
  'page-lost': 0.04,
  'page-repeated': 0.03,
  'page-items-repeated': 0.04,
  'page-cursor-loop': 0.03,
  'item-poison': 0.04,
  'item-keyless': 0.03,
  // Of one page of a shifting listing, after the first: an object is created, and moves the rest.
  'listing-stirred': 0.3,
  // Of one `get`.
  'get-unknown': 0.1,
  'get-unavailable': 0.05,
  'get-rate-limited': 0.04,
  'get-html': 0.03,
  'get-wrong-object': 0.03,
  // Of one `check` or `partitions`.
  'check-unavailable': 0.03,
  'check-rate-limited': 0.03,
  'check-credential-refused': 0.02,
  'partition-unreadable': 0.08,
  'partition-forgotten': 0.08,
  // Of one delivery.
  'delivery-lost': 0.15,
  'delivery-repeated': 0.12,
  'delivery-late': 0.15,
  'delivery-forged': 0.05,
  'delivery-poison': 0.04,
  'delivery-resync': 0.03,
  // Of one statement.
  'statement-conflict': 0.002,
  'connection-dropped': 0.0008,
  'commit-answer-lost': 0.04,
  // Of one step.
  crash: 0.0012,
  'engine-stopped': 0.0004,
  'worker-paused': 0.0012,
  'clock-stepped': 0.001,
  'permission-lost': 0.0012,
  'mapping-changed': 0.0006,
} as const

/** What happens by itself, without a throw of the dice. */
export const countedFaults = ['page-shifted', 'delivery-reordered', 'backlog-full', 'lease-taken-over'] as const

export type FaultName = keyof typeof faultOdds | (typeof countedFaults)[number]

export interface Faults {
  /** None happens while this is false. */
  on: boolean
  readonly counts: Readonly<Record<FaultName, number>>
  count(name: FaultName): void
  /** Throws the dice for a fault, and counts it when it falls. */
  happens(name: keyof typeof faultOdds): boolean
  /** At most one of several; whoever makes it counts it. */
  oneOf(names: readonly (keyof typeof faultOdds)[]): keyof typeof faultOdds | undefined
}

export function createFaults(random: Random, mix: Mix): Faults {
  const names = [...Object.keys(faultOdds), ...countedFaults] as FaultName[]
  const counts = Object.fromEntries(names.map((name) => [name, 0])) as Record<FaultName, number>
  const thrown = new Map<FaultName, number>()
  /** What has not happened yet gets likelier with each throw, so that hardly any run of a minute lacks one. */
  const throwOdds = (name: keyof typeof faultOdds): number => {
    const odds = mix.odds[name] ?? faultOdds[name] * mix.others
    if (counts[name] > 0 || mix.even === 0) return odds
    const before = thrown.get(name) ?? 0
    thrown.set(name, before + 1)
    return odds * (1 + 3 * odds * before)
  }
  const faults: Faults = {
    on: true,
    counts,
    count(name) {
      counts[name] += 1
    },
    happens(name) {
      if (!faults.on || !random.chance(throwOdds(name))) return false
      counts[name] += 1
      return true
    },
    oneOf(some) {
      if (!faults.on) return undefined
      const fallen = random.pickWeighted(some.map((name) => [name, throwOdds(name)] as const))
      if (fallen === undefined || !random.chance(mix.even)) return fallen
      // Of several that happened as seldom, any: one that waits for its moment must not keep the others back.
      const least = Math.min(...some.map((name) => counts[name]))
      return random.pick(some.filter((name) => counts[name] === least))
    },
  }
  return faults
}
