import { setTimeout as pause } from 'node:timers/promises'
import type { ScanView } from '../../../core/catalog/query/scans.ts'
import type { SourceView } from '../../../core/catalog/query/sources.ts'
import { CatchmentError } from '../../../core/sdk/index.ts'
import type { Client } from '../client.ts'
import { print, printJson, problemOf } from '../output.ts'

const ended = new Set(['complete', 'incomplete', 'held'])

/** Asks for a scan and, unless told not to, waits until every partition's scan that began after the request has ended. */
export async function sync(
  client: Client,
  source: string | undefined,
  kind: string | undefined,
  options: { readonly json: boolean; readonly wait: boolean; readonly timeout: string },
): Promise<number> {
  const items = await sources(client)
  const chosen = items.filter((item) => item.state === 'active' && (source === undefined || item.name === source))
  if (chosen.length === 0)
    throw new CatchmentError(source === undefined ? 'There is no active source.' : `There is no source ${source}.`, {
      code: 'source_unknown',
      hint: `Sources: ${items.map((item) => item.name).join(', ') || 'none'}`,
      exitCode: 2,
    })
  const before = new Map([...(await latest(client))].map(([name, scan]) => [name, scan.id]))
  for (const item of chosen)
    await client.post('/api/v1/scans', { source: item.name, ...(kind === undefined ? {} : { kind }) })
  if (!options.wait) {
    if (options.json) printJson({ requested: chosen.map((item) => item.name) })
    else print('Asked for. See how it goes with: catchment status')
    return 0
  }
  const names = new Set(chosen.map((item) => item.name))
  const deadline = Date.now() + Number(options.timeout) * 1000
  for (let idle = 0; ; await pause(200)) {
    const scans = await latest(client)
    const kinds = (await sources(client))
      .filter((item) => names.has(item.name))
      .flatMap((item) =>
        item.kinds.filter((each) => kind === undefined || each.name === kind).map((each) => ({ item, each })),
      )
    const partitions = kinds.flatMap(({ item, each }) =>
      each.partitions.map((partition) => ({ name: `${item.name} ${each.name} ${partition.name}`, partition })),
    )
    const fresh = partitions
      .map(({ name }) => scans.get(name))
      .filter((scan): scan is ScanView => scan !== undefined && before.get(nameOf(scan)) !== scan.id)
    const unfinished = partitions.filter(({ name, partition }) => {
      const scan = fresh.find((one) => nameOf(one) === name)
      // What cannot be read is not scanned.
      return scan === undefined ? partition.state !== 'unknown' : !ended.has(scan.state)
    })
    const paused = kinds.find(({ item }) => item.pausedUntil !== null)?.item
    const parked = paused !== undefined || fresh.some((scan) => scan.state === 'parked')
    // Between "taken up" and "begun" there is a moment in which neither shows.
    idle = unfinished.length === 0 && !kinds.some(({ each }) => each.scanRequested) ? idle + 1 : 0
    const late = Date.now() > deadline
    if (idle < 2 && !parked && !late) continue
    const unknown = partitions.filter(({ partition }) => partition.state === 'unknown')
    if (options.json)
      printJson({ scans: fresh, unknown: unknown.map(({ name, partition }) => ({ name, reason: partition.reason })) })
    else {
      for (const scan of fresh) print(line(scan))
      if (paused !== undefined)
        print(`${paused.name}: parked until ${paused.pausedUntil}: the rate limit is used up; it goes on by itself`)
      for (const { name, partition } of unknown)
        print(`${name}: unknown${partition.reason === undefined ? '' : `: ${partition.reason}`}`)
    }
    if (late && !parked)
      throw new CatchmentError('Not every scan ended in time; they go on.', {
        code: 'sync_timeout',
        hint: 'See how it goes with: catchment status',
      })
    const silent = kinds.find(
      ({ item, each }) =>
        !fresh.some((scan) => scan.source === item.name && scan.kind === each.name) &&
        // Of a kind that cannot be read it was just said why.
        (item.problem !== null || each.partitions.length === 0 || each.freshness !== 'unknown'),
    )
    if (silent !== undefined && !parked) throw notBegun(silent.item, silent.each.name)
    return !parked && unknown.length === 0 && fresh.every((scan) => scan.state === 'complete') ? 0 : 3
  }
}

/** A credential that is refused leaves no scan behind, and neither does a source that is away. */
function notBegun({ name, problem }: SourceView, kind: string): CatchmentError {
  const why = problemOf(problem)
  return new CatchmentError(`No scan of ${name} ${kind} could begin${why === undefined ? '.' : `: ${why.message}`}`, {
    code: 'scan_not_begun',
    hint: why?.hint ?? 'The log of the start says why. It is tried again every minute.',
    exitCode: 3,
  })
}

async function sources(client: Client): Promise<readonly SourceView[]> {
  // The shape is the server's own, of the same version.
  return ((await client.get('/api/v1/sources?limit=1000')) as { items: readonly SourceView[] }).items
}

function nameOf(scan: ScanView): string {
  return `${scan.source} ${scan.kind} ${scan.partition}`
}

/** The newest scan of each partition. */
async function latest(client: Client): Promise<ReadonlyMap<string, ScanView>> {
  const { items } = (await client.get('/api/v1/scans?limit=1000')) as { items: readonly ScanView[] }
  const found = new Map<string, ScanView>()
  for (const scan of items) if (!found.has(nameOf(scan))) found.set(nameOf(scan), scan)
  return found
}

function line(scan: ScanView): string {
  const parts = [`${scan.items} items`, `${scan.changed} changed`]
  if (scan.notModified > 0) parts.push(`${scan.notModified} of ${scan.pages} pages not modified`)
  if (scan.removed > 0) parts.push(`${scan.removed} removed`)
  if (scan.held > 0) parts.push(`${scan.held} held`)
  if (scan.parkedUntil !== null) parts.push(`until ${scan.parkedUntil}`)
  return `${nameOf(scan)}: ${scan.state}, ${parts.join(', ')}${scan.reason === null ? '' : ` (${scan.reason})`}`
}
