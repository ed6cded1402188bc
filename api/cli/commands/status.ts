import type { SourceView } from '../../../core/catalog/query/sources.ts'
import type { Client } from '../client.ts'
import { duration, print, printJson, problemOf, table } from '../output.ts'

type PartitionView = SourceView['kinds'][number]['partitions'][number]

/** What a partition is doing or how fresh it is, in the fewest words: "fresh 40 s", "scanning 38 % 2 min left", "unknown: ...". */
export function partitionState(partition: PartitionView, pausedUntil: string | null, now: number): string {
  const { scan } = partition
  if (pausedUntil !== null) return `parked until ${pausedUntil.slice(11, 19)} UTC: rate limit`
  if (scan?.state === 'parked')
    return `parked${scan.parkedUntil === null ? '' : ` until ${scan.parkedUntil.slice(11, 19)} UTC`}: rate limit`
  if (scan?.state === 'running') {
    const share = scan.progress?.share
    const ends = scan.progress?.endsAt
    return [
      'scanning',
      share === null || share === undefined ? `${scan.items} items` : `${Math.floor(share * 100)} %`,
      ends === null || ends === undefined ? '' : `${duration(Date.parse(ends) - now)} left`,
    ]
      .filter((part) => part !== '')
      .join(' ')
  }
  const age = partition.ageSeconds === null ? '' : ` ${duration(partition.ageSeconds * 1000)}`
  return `${partition.freshness}${age}${partition.reason === undefined ? '' : `: ${partition.reason}`}`
}

function nextStep(source: SourceView, kind: SourceView['kinds'][number], partition: PartitionView): string {
  if (partition.held > 0) return `catchment held --source ${source.name} --kind ${kind.name}`
  if (partition.advice !== undefined) return partition.advice
  return ''
}

/** A line for each source, kind and partition. Exit status 3 when something is held or unknown. */
export async function status(client: Client, options: { readonly json: boolean }): Promise<number> {
  // The shape is the server's own, of the same version.
  const { items } = (await client.get('/api/v1/sources?limit=1000')) as { items: readonly SourceView[] }
  const unhealthy = items.some(
    (source) =>
      source.problem !== null ||
      source.deliveries.dead > 0 ||
      source.kinds.some((kind) => kind.held > 0 || kind.freshness === 'unknown'),
  )
  if (options.json) {
    printJson({ healthy: !unhealthy, sources: items })
    return unhealthy ? 3 : 0
  }
  const now = Date.now()
  const rows = items.flatMap((source) =>
    source.kinds.flatMap((kind) =>
      kind.partitions.map((partition) => [
        source.name,
        kind.name,
        partition.name,
        String(kind.records),
        partitionState(partition, source.pausedUntil, now),
        [
          partition.held > 0 ? `${partition.held} held` : '',
          kind.quarantined > 0 ? `${kind.quarantined} quarantined` : '',
        ]
          .filter((part) => part !== '')
          .join(', '),
        nextStep(source, kind, partition),
      ]),
    ),
  )
  print(
    table(
      ['source', 'kind', 'partition', 'records', 'state', 'attention', 'next'],
      rows,
      'No source has been scanned yet.',
    ),
  )
  for (const source of items) {
    const problem = problemOf(source.problem)
    if (problem !== undefined)
      print(`${source.name}: ${problem.message}${problem.hint === undefined ? '' : `\n  ${problem.hint}`}`)
    if (source.state === 'frozen')
      print(
        `${source.name}: no longer in the configuration; kept as it was. Remove it with: catchment source remove ${source.name}`,
      )
    const { waiting, lagSeconds, dead } = source.deliveries
    if (waiting > 0) print(`${source.name}: ${waiting} deliveries wait, the oldest for ${duration(lagSeconds * 1000)}`)
    if (dead > 0) print(`${source.name}: ${dead} deliveries were set aside; GET /api/v1/deliveries?state=dead says why`)
  }
  return unhealthy ? 3 : 0
}
