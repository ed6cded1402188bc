import { attentionOf, statusLines } from '../../../core/catalog/query/attention.ts'
import type { SourceView } from '../../../core/catalog/query/sources.ts'
import type { Client } from '../client.ts'
import { print, printJson, table } from '../output.ts'
import type { DanglingAnswer } from './related.ts'

/**
 * The page an operator lives on: a line for each source and kind, and below it what needs a look, each with the next command.
 * Exit status 3 when something is unknown, stale, held, refused or set aside.
 */
export async function status(client: Client, options: { readonly json: boolean }): Promise<number> {
  // The shape is the server's own, of the same version.
  const { items } = (await client.get('/api/v1/sources?limit=1000')) as { items: readonly SourceView[] }
  const { total, behind } = (await client.get('/api/v1/dangling?limit=1')) as DanglingAnswer
  const conflicts = (await client.get('/api/v1/conflicts')) as { readonly items: readonly unknown[] }
  const now = Date.now()
  const attention = items.flatMap((source) => attentionOf(source))
  // Without any source nothing is unknown: there is nothing to be known.
  const healthy = !attention.some(({ unhealthy }) => unhealthy)
  if (options.json)
    printJson({
      healthy,
      attention,
      sources: items,
      relations: { dangling: total, behind, conflicts: conflicts.items.length },
    })
  else {
    print(table(['source', 'kind', 'records', 'state', 'next'], rows(items, now), 'No source is configured.'))
    if (total.required > 0) print(`! ${total.required} required relations lead nowhere: catchment dangling --required`)
    if (conflicts.items.length > 0) print(`! ${conflicts.items.length} names are claimed twice: catchment conflicts`)
    if (items.length > 0) print(healthy ? 'Healthy.' : 'Not healthy: see the lines with a next step.')
  }
  return healthy ? 0 : 3
}

function rows(sources: readonly SourceView[], now: number): readonly (readonly string[])[] {
  return sources.flatMap((source) =>
    statusLines(source, now).map((line, index) =>
      line.records === null
        ? [index === 0 && line.kind === null ? source.name : '', '', '', `! ${line.text}`, line.next]
        : [source.name, line.kind ?? '', String(line.records), line.text, line.next],
    ),
  )
}
