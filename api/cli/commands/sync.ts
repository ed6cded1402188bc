import { setTimeout as pause } from 'node:timers/promises'
import type { ScanView } from '../../../core/catalog/query/scans.ts'
import type { SourceView } from '../../../core/catalog/query/sources.ts'
import { CatchmentError } from '../../../core/sdk/index.ts'
import type { Client } from '../client.ts'
import { print, printJson } from '../output.ts'

const ended = new Set(['complete', 'incomplete', 'held'])

/** Asks for a scan and, unless told not to, waits until every partition's scan that began after the request has ended. */
export async function sync(
  client: Client,
  source: string | undefined,
  kind: string | undefined,
  options: { readonly json: boolean; readonly wait: boolean; readonly timeout: string },
): Promise<number> {
  // The shapes are the server's own, of the same version.
  const { items } = (await client.get('/api/v1/sources?limit=1000')) as { items: readonly SourceView[] }
  const chosen = items.filter((item) => item.state === 'active' && (source === undefined || item.name === source))
  if (chosen.length === 0)
    throw new CatchmentError(source === undefined ? 'There is no active source.' : `There is no source ${source}.`, {
      code: 'source_unknown',
      hint: `Sources: ${items.map((item) => item.name).join(', ') || 'none'}`,
      exitCode: 2,
    })
  const before = await latest(client)
  for (const item of chosen)
    await client.post('/api/v1/scans', { source: item.name, ...(kind === undefined ? {} : { kind }) })
  if (!options.wait) {
    if (options.json) printJson({ requested: chosen.map((item) => item.name) })
    else print('Asked for. See how it goes with: catchment status')
    return 0
  }
  const deadline = Date.now() + Number(options.timeout) * 1000
  const expected = chosen.flatMap((item) =>
    item.kinds
      .filter((each) => kind === undefined || each.name === kind)
      .flatMap((each) => each.partitions.map((partition) => `${item.name} ${each.name} ${partition.name}`)),
  )
  for (;;) {
    const now = await latest(client)
    const done = expected.map((name) => now.get(name)).filter((scan) => scan !== undefined)
    const fresh = done.filter(
      (scan) => before.get(nameOf(scan))?.id !== scan.id || !ended.has(before.get(nameOf(scan))?.state ?? ''),
    )
    const finished = fresh.filter((scan) => ended.has(scan.state))
    const parked = fresh.find((scan) => scan.state === 'parked')
    if (finished.length >= expected.length || Date.now() > deadline || parked !== undefined) {
      if (options.json) printJson({ scans: fresh })
      else for (const scan of fresh) print(line(scan))
      if (parked !== undefined) return 3
      if (finished.length < expected.length)
        throw new CatchmentError('Not every scan ended in time; they go on.', {
          code: 'sync_timeout',
          hint: 'See how it goes with: catchment status',
        })
      return finished.every((scan) => scan.state === 'complete') ? 0 : 3
    }
    await pause(200)
  }
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
