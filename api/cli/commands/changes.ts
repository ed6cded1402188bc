import type { ChangeView } from '../../../core/catalog/query/changes.ts'
import { causeText } from '../../cause.ts'
import type { Client } from '../client.ts'
import { print } from '../output.ts'

export interface ChangesOptions {
  readonly json: boolean
  readonly follow: boolean
  readonly after?: string
  readonly blueprint?: string
  readonly operation?: string
  readonly limit: string
}

interface Page {
  readonly items: readonly ChangeView[]
  readonly next: string
  readonly position: string
}

/** Less than the client waits for an answer. */
const patience = 20

/** What happened, oldest first, a line each; with `follow` until it is ended. `--json`: a line of JSON each. */
export async function changes(client: Client, options: ChangesOptions): Promise<number> {
  const read = async (after: string, wait: number): Promise<Page> => {
    const query = new URLSearchParams({ after, wait: String(wait), limit: options.limit })
    if (options.blueprint !== undefined) query.set('blueprint', options.blueprint)
    if (options.operation !== undefined) query.set('operation', options.operation)
    // The shape is the server's own, of the same version.
    return (await client.get(`/api/v1/changes?${query.toString()}`)) as Page
  }
  const say = (page: Page): void => {
    for (const change of page.items) print(options.json ? JSON.stringify(change) : line(change))
  }
  const first = await read(options.after ?? (options.follow ? 'now' : 'start'), 0)
  say(first)
  if (!options.follow) {
    if (!options.json && first.items.length > 0) print(`Go on with: catchment changes --after ${first.position}`)
    else if (!options.json) print('Nothing happened.')
    return 0
  }
  for (let { next } = first; ; ) {
    const page = await read(next, patience)
    say(page)
    next = page.next
  }
}

function line(change: ChangeView): string {
  const before = change.patch?.['identifier']
  const formerly = Array.isArray(before) ? ` (was ${String(before[0])})` : ''
  const fields = change.operation === 'updated' ? `  ${Object.keys(change.patch ?? {}).join(', ')}` : ''
  return `${change.at}  ${change.operation.padEnd(8)}  ${change.reference}${formerly}${fields}  ${causeText(change.cause)}`
}
