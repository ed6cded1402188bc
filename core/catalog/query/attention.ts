import { MANUAL } from '../store.ts'
import { duration, type Freshness } from './freshness.ts'
import type { KindView, PartitionView, SourceView } from './sources.ts'

/** Something about a source or kind that a person should know, with what to do about it. */
export interface Attention {
  readonly source: string
  /** Null: the source as a whole. */
  readonly kind: string | null
  readonly what:
    | 'frozen'
    | 'refused'
    | 'parked'
    | 'unknown'
    | 'stale'
    | 'incomplete'
    | 'held'
    | 'quarantined'
    | 'pinned'
    | 'dead'
    | 'waiting'
    | 'pending'
    | 'applying'
    | 'webhook'
  /** A few words: `unknown: acme-labs: 403`, `214 held`. */
  readonly text: string
  /** A command, or what to do in words; empty when it passes by itself. */
  readonly next: string
  /** `status` ends with 3, and no alert may take it for well. */
  readonly unhealthy: boolean
}

/** The first few of many partitions are named. */
const named = 3

/** What needs a person or at least a look, the worst first. Pure. */
export function attentionOf(source: SourceView): readonly Attention[] {
  const { name } = source
  const about = (what: Attention['what'], text: string, next: string, unhealthy: boolean): Attention => ({
    source: name,
    kind: null,
    what,
    text,
    next,
    unhealthy,
  })
  const { waiting, lagSeconds, dead } = source.deliveries
  const whole: Attention[] = []
  if (source.state === 'frozen')
    whole.push(about('frozen', 'not in the configuration; kept as it was', `catchment source remove ${name}`, true))
  const problem = problemOf(source.problem)
  if (problem !== undefined) whole.push(about('refused', problem.message, problem.hint ?? 'catchment check', true))
  if (source.pausedUntil !== null)
    whole.push(about('parked', `${parked(source.pausedUntil)}: the rate limit is used up`, '', false))
  if (dead > 0)
    whole.push(
      about(
        'dead',
        `${dead} ${dead === 1 ? 'delivery' : 'deliveries'} set aside`,
        `catchment deliveries --source ${name} --state dead`,
        true,
      ),
    )
  if (waiting > 0)
    whole.push(
      about(
        'waiting',
        `${waiting} ${waiting === 1 ? 'delivery waits' : 'deliveries wait'}, the oldest for ${duration(lagSeconds)}`,
        `catchment deliveries --source ${name} --state accepted`,
        false,
      ),
    )
  const { webhooks, mapping } = source
  for (const { scope, reason } of webhooks?.refused ?? [])
    whole.push(about('webhook', `no webhook for ${scope}: ${reason}`, 'catchment check', false))
  // What nobody looks after keeps sending, and what it sends is refused or lost.
  if (webhooks?.managed === false)
    for (const { scope, id, remove } of webhooks.hooks)
      whole.push(
        about(
          'webhook',
          `webhook ${id} that Catchment made is still at ${scope}`,
          remove ?? `remove it at ${scope}`,
          false,
        ),
      )
  if (mapping !== undefined && mapping.applying !== null)
    whole.push(about('applying', `plan ${mapping.applying} is being applied`, '', false))
  if (mapping?.pending === null)
    whole.push(
      about('pending', 'its files cannot be read; the active version goes on', 'catchment config check', false),
    )
  else if (mapping !== undefined && mapping.pending.length > 0)
    whole.push(
      about(
        'pending',
        `version ${mapping.version} differs from the file: ${mapping.pending.join(', ')}`,
        `catchment plan --source ${name}`,
        false,
      ),
    )
  return [...whole, ...source.kinds.flatMap((kind) => ofKind(source, kind))]
}

function ofKind(source: SourceView, kind: KindView): readonly Attention[] {
  const found: Attention[] = []
  const scope = `--source ${source.name} --kind ${kind.name}`
  const add = (what: Attention['what'], text: string, next: string, unhealthy: boolean): void => {
    found.push({ source: source.name, kind: kind.name, what, text, next, unhealthy })
  }
  // What is wrong with the source as a whole is said once.
  if (source.state === 'active')
    for (const freshness of ['unknown', 'stale'] as const)
      for (const [reason, partitions] of byReason(kind.partitions.filter((each) => each.freshness === freshness)))
        add(freshness, `${freshness}: ${names(partitions)}: ${reason}`, partitions[0]?.advice ?? '', true)
  const listed = kind.partitions.length > 0 || source.name === MANUAL
  if (!listed && source.state === 'active' && source.problem === null)
    add('unknown', 'unknown: never listed', `catchment sync ${source.name} ${kind.name}`, true)
  for (const partition of kind.partitions) {
    const { scan, freshness } = partition
    if (freshness === 'fresh' && scan?.state === 'incomplete')
      add(
        'incomplete',
        `the last scan of ${partition.name} is incomplete: ${scan.reason ?? 'no reason was given'}`,
        `catchment scan show ${scan.id}`,
        false,
      )
  }
  if (kind.held > 0) add('held', `${kind.held} held`, `catchment held ${scope}`, true)
  if (kind.pinned > 0) add('pinned', `${kind.pinned} pinned: deviates from the source`, 'catchment pins', false)
  if (kind.quarantined > 0)
    add('quarantined', `${kind.quarantined} quarantined`, `catchment quarantine ${scope}`, false)
  return found
}

/** A line of `status` and of the first page: a source and kind, or what needs a look about it. */
export interface StatusLine {
  readonly source: string
  /** Null: the source as a whole. */
  readonly kind: string | null
  /** Null: not the line of the kind itself, but what needs a look. */
  readonly records: number | null
  readonly text: string
  readonly next: string
  readonly unhealthy: boolean
}

export function statusLines(source: SourceView, now: number): readonly StatusLine[] {
  const attention = attentionOf(source)
  const about = (kind: string | null): readonly StatusLine[] =>
    attention
      .filter((one) => one.kind === kind)
      .map(({ text, next, unhealthy }) => ({ source: source.name, kind, records: null, text, next, unhealthy }))
  return [
    ...about(null),
    ...source.kinds.flatMap((kind): readonly StatusLine[] => {
      const text = kindState(kind, source, now)
      const own = { source: source.name, kind: kind.name, records: kind.records, text, next: '', unhealthy: false }
      return [own, ...about(kind.name)]
    }),
  ]
}

/** How a kind is in the fewest words: `fresh 40 s`, `scanning 38 % 2 min left`, `unknown`. The oldest partition counts. */
export function kindState(kind: KindView, source: SourceView, now: number): string {
  if (source.name === MANUAL) return 'written over HTTP'
  const running = kind.partitions.filter((each) => each.scan?.progress !== null && each.scan !== null)
  const parkedOne = running.find((each) => each.scan?.state === 'parked')
  const waits = parkedOne?.scan?.parkedUntil ?? source.pausedUntil
  if (waits !== null && waits !== undefined) return parked(waits)
  if (running.length > 0) return scanning(running, now)
  const groups = order.flatMap((freshness) => {
    const partitions = kind.partitions.filter((each) => each.freshness === freshness)
    return partitions.length === 0 ? [] : [{ freshness, partitions }]
  })
  if (groups.length === 0) return kind.freshness
  if (groups.length === 1) return groups.map(aged).join('')
  // One that cannot be read neither hides nor spoils the others.
  return groups.map((group) => `${group.partitions.length} ${aged(group)}`).join(', ')
}

const order = ['unknown', 'stale', 'fresh'] as const

function aged({ freshness, partitions }: { freshness: Freshness; partitions: readonly PartitionView[] }): string {
  const ages = partitions.flatMap(({ ageSeconds }) => ageSeconds ?? [])
  return freshness === 'unknown' || ages.length === 0 ? freshness : `${freshness} ${duration(Math.max(...ages))}`
}

function scanning(running: readonly PartitionView[], now: number): string {
  const sum = (of: (view: PartitionView) => number | null | undefined): number =>
    running.reduce((total, view) => total + (of(view) ?? 0), 0)
  const items = sum(({ scan }) => scan?.items)
  // Of partitions without a scan before, nobody knows how much there is.
  const known = running.every(({ scan }) => scan?.expected !== null)
  const expected = sum(({ scan }) => scan?.expected)
  const ends = running.flatMap(({ scan }) => scan?.progress?.endsAt ?? [])
  const left = ends.length === running.length ? Math.max(...ends.map((end) => Date.parse(end))) - now : undefined
  return [
    'scanning',
    known && expected > 0 ? `${Math.floor((Math.min(items, expected) * 100) / expected)} %` : `${items} items`,
    left === undefined ? '' : `${duration(Math.max(0, left / 1000))} left`,
  ]
    .filter((part) => part !== '')
    .join(' ')
}

function parked(until: string): string {
  return `parked until ${until.slice(11, 19)} UTC`
}

function names(partitions: readonly PartitionView[]): string {
  const shown = partitions.slice(0, named).map(({ name }) => name)
  const rest = partitions.length - shown.length
  return `${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

function byReason(partitions: readonly PartitionView[]): ReadonlyMap<string, readonly PartitionView[]> {
  return Map.groupBy(partitions, ({ reason }) => (reason ?? 'no reason was given').replace(/\.$/, ''))
}

/** The problem that the last check of a credential left, as it is stored. */
function problemOf(stored: unknown): { readonly message: string; readonly hint?: string } | undefined {
  if (typeof stored !== 'object' || stored === null || !('message' in stored)) return undefined
  return { message: String(stored.message), ...('hint' in stored ? { hint: String(stored.hint) } : {}) }
}
