import { MANUAL } from '../store.ts'

/** Unknown is never shown as healthy (I10). */
export type Freshness = 'fresh' | 'stale' | 'unknown'

export interface Judged {
  readonly freshness: Freshness
  /** Why it is not fresh. */
  readonly reason?: string
  /** What to do about it, and who. */
  readonly advice?: string
}

/**
 * In seconds, by source: for each configured kind, or one for whatever the source has. What is not named has no objective and
 * is unknown.
 */
export type Objectives = Readonly<Record<string, number | Readonly<Record<string, number>>>>

export function objectiveOf(objectives: Objectives, source: string, kind: string): number | undefined {
  const own = Object.hasOwn(objectives, source) ? objectives[source] : undefined
  return typeof own === 'object' ? (Object.hasOwn(own, kind) ? own[kind] : undefined) : own
}

export function objectivesOf(
  sources: readonly {
    readonly name: string
    readonly kinds: readonly string[]
    readonly schedule: {
      readonly freshnessSeconds: number
      readonly freshnessByKind?: Readonly<Record<string, number>>
    }
  }[],
): Objectives {
  return Object.fromEntries(
    sources.map(({ name, kinds, schedule }) => [
      name,
      Object.fromEntries(kinds.map((kind) => [kind, schedule.freshnessByKind?.[kind] ?? schedule.freshnessSeconds])),
    ]),
  )
}

export interface PartitionFacts {
  readonly source: string
  readonly kind: string
  readonly sourceState: 'active' | 'frozen'
  readonly state: 'unseen' | 'known' | 'unknown'
  readonly reason: string | null
  /** Milliseconds since the epoch. */
  readonly completeAt: number | undefined
  /** State and reason of the scan that was begun last. */
  readonly scan: { readonly state: string; readonly reason: string | null } | undefined
  /** Age of the oldest live event of the source that is not applied yet. */
  readonly lagSeconds: number
}

/** `objective` in seconds; undefined when the source or kind is not in the configuration. Pure. */
export function judge(facts: PartitionFacts, objective: number | undefined, now: number): Judged {
  // What people and the API write is as they wrote it: nothing has to be listed to know it.
  if (facts.source === MANUAL) return { freshness: 'fresh' }
  if (facts.sourceState === 'active' && objective === undefined) {
    return {
      freshness: 'unknown',
      reason: 'The kind is not in the configuration; what it last said is kept.',
      advice: `Put ${facts.kind} back into the kinds of ${facts.source} in catchment.yaml.`,
    }
  }
  if (facts.sourceState === 'frozen' || objective === undefined) {
    return {
      freshness: 'unknown',
      reason: 'The source is not in the configuration; what it last said is kept.',
      advice: `Put it back into catchment.yaml, or remove it: catchment source remove ${facts.source}`,
    }
  }
  if (facts.state === 'unknown') {
    return {
      freshness: 'unknown',
      reason: facts.reason ?? 'The source does not let us read it.',
      advice:
        'Give the credential access to it again (see: catchment check); until then its entities are kept as they were last seen.',
    }
  }
  const last = facts.scan === undefined ? '' : lastScan(facts.scan)
  if (facts.completeAt === undefined) {
    return {
      freshness: 'unknown',
      reason: `It has never been listed completely.${last}`,
      advice: advice(facts),
    }
  }
  const age = Math.max(0, Math.round((now - facts.completeAt) / 1000))
  if (age > objective) {
    return {
      freshness: 'stale',
      reason: `The last complete scan is ${duration(age)} old; the objective is ${duration(objective)}.${last}`,
      advice: advice(facts),
    }
  }
  if (facts.lagSeconds > objective) {
    return {
      freshness: 'stale',
      reason: `Live events wait since ${duration(facts.lagSeconds)}; the objective is ${duration(objective)}.`,
      advice: 'See the deliveries that wait; if their number grows, the database or the source is too slow.',
    }
  }
  return { freshness: 'fresh' }
}

const order: readonly Freshness[] = ['fresh', 'stale', 'unknown']

/** Of nothing at all: unknown. */
export function worst(all: readonly Freshness[]): Freshness {
  if (all.length === 0) return 'unknown'
  return all.reduce((one, other) => (order.indexOf(other) > order.indexOf(one) ? other : one))
}

function lastScan(scan: { readonly state: string; readonly reason: string | null }): string {
  const reason = scan.reason === null ? '' : `: ${scan.reason}`
  return scan.state === 'complete' ? '' : ` Last scan: ${scan.state}${reason}.`
}

function advice(facts: PartitionFacts): string {
  switch (facts.scan?.state) {
    case undefined:
      return `Wait for the first scan, or ask for it: catchment sync ${facts.source}`
    case 'running':
      return 'A scan is on its way.'
    case 'parked':
      return 'The source asked us to wait; the scan goes on by itself.'
    case 'held':
      return 'Look at what is held and approve or reject it: catchment held'
    default:
      return `Look at the reason, then scan again: catchment sync ${facts.source} ${facts.kind}`
  }
}

/** For people: `45 s`, `12 min`, `3 h`, `2 d`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86400)} d`
}
