import type { ScanView } from '../../../core/catalog/query/scans.ts'
import type { Client } from '../client.ts'
import { duration, type ListOptions, list, print, printJson } from '../output.ts'
import { table } from '../table.ts'

export interface ScansOptions extends ListOptions {
  readonly partition?: string
  readonly state?: string
}

/** Newest first. */
export async function scans(client: Client, options: ScansOptions): Promise<number> {
  const answer = await list<ScanView>(client, 'scans', options, ['source', 'kind', 'partition', 'state'])
  if (options.json) {
    printJson(answer)
    return 0
  }
  const now = Date.now()
  print(
    table(
      ['id', 'source', 'kind', 'partition', 'state', 'began', 'took', 'items', 'changed', 'removed', 'held', 'why'],
      answer.items.map((scan) => [
        scan.id,
        scan.source,
        scan.kind,
        scan.partition,
        scan.state,
        `${duration(now - Date.parse(scan.startedAt))} ago`,
        took(scan, now),
        String(scan.items),
        String(scan.changed),
        String(scan.removed),
        String(scan.held),
        scan.reason ?? '',
      ]),
      'No scan has begun yet.',
    ),
  )
  if (answer.next !== undefined) print('There are older ones: --limit shows more. One in full: catchment scan show ID')
  return 0
}

/** Everything that is known of one scan, and what to do when it proved nothing. */
export async function scanShow(client: Client, id: string, options: { readonly json: boolean }): Promise<number> {
  // The shape is the server's own, of the same version.
  const scan = (await client.get(`/api/v1/scans/${encodeURIComponent(id)}`)) as ScanView
  if (options.json) {
    printJson(scan)
    return 0
  }
  const now = Date.now()
  print(`scan ${scan.id}: ${scan.source} ${scan.kind} ${scan.partition}`)
  const line = (label: string, text: string): void => print(`  ${label.padEnd(11)}${text}`)
  line('state', scan.state + (scan.reason === null ? '' : `: ${scan.reason}`))
  line('began', `${scan.startedAt}, ${scan.endedAt === null ? 'running for' : 'took'} ${took(scan, now)}`)
  if (scan.parkedUntil !== null) line('parked', `until ${scan.parkedUntil}: the source asked to wait`)
  line('pages', `${scan.pages}${scan.notModified > 0 ? `, of which ${scan.notModified} had not changed` : ''}`)
  line('calls', `${scan.calls}, of which ${scan.quota} counted against the rate limit`)
  line('items', `${scan.items}${scan.expected === null ? '' : ` (the last complete scan had ${scan.expected})`}`)
  line('changed', String(scan.changed))
  line('removed', String(scan.removed))
  if (scan.held > 0) line('held', `${scan.held}: catchment held --source ${scan.source} --kind ${scan.kind}`)
  if (scan.failed > 0) line('failed', `${scan.failed} items could not be read; the log names them`)
  if (scan.progress !== null && scan.progress.share !== null)
    line('progress', `${Math.floor(scan.progress.share * 100)} %, ${scan.progress.rate} items/s`)
  if (scan.state === 'incomplete')
    print(`  It proved nothing and took nothing away. Again: catchment sync ${scan.source} ${scan.kind}`)
  return 0
}

function took(scan: ScanView, now: number): string {
  return duration((scan.endedAt === null ? now : Date.parse(scan.endedAt)) - Date.parse(scan.startedAt))
}
