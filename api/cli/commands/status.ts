import { attentionOf, type StatusLine, statusLines } from '../../../core/catalog/query/attention.ts'
import type { SourceView } from '../../../core/catalog/query/sources.ts'
import type { Client } from '../client.ts'
import { print, printJson } from '../output.ts'
import { table, terminalWidth, wrap } from '../table.ts'
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
    print(describeStatus(items, now, terminalWidth()))
    if (total.required > 0) print(`! ${total.required} required relations lead nowhere: catchment dangling --required`)
    if (conflicts.items.length > 0) print(`! ${conflicts.items.length} names are claimed twice: catchment conflicts`)
    if (items.length > 0) print(healthy ? 'Healthy.' : 'Not healthy: see the lines with a next step.')
  }
  return healthy ? 0 : 3
}

const columns = ['source', 'kind', 'records', 'state']

/** `width`: of the terminal, if there is one. */
export function describeStatus(sources: readonly SourceView[], now: number, width: number | undefined): string {
  const empty = 'No source is configured.'
  const wide = table([...columns, 'next'], rows(sources, now), empty, Number.POSITIVE_INFINITY)
  const fits = width === undefined || wide.split('\n').every((line) => line.length <= width)
  return fits ? wide : stacked(sources, now, width)
}

/** On a narrow terminal what needs a look stands below its kind, and commands stay on a line of their own. */
function stacked(sources: readonly SourceView[], now: number, width: number): string {
  const all = sources.flatMap((source) => statusLines(source, now))
  const own = all.map(({ source, kind, records, text }) =>
    records === null ? undefined : [source, kind ?? '', String(records), text],
  )
  const [head = '', ...kinds] = table(
    columns,
    own.flatMap((row) => (row === undefined ? [] : [row])),
    '',
    width,
  ).split('\n')
  const below = ({ source, kind, text, next }: StatusLine): string[] => [
    `${kind === null ? source : ' '} ${wrap(`! ${text}`, width - (kind === null ? source.length : 1) - 1, '    ')}`,
    ...(next === '' ? [] : [`    ${wrap(next, width - 4, '    ')}`]),
  ]
  return [head, ...all.flatMap((line, index) => (own[index] === undefined ? below(line) : (kinds.shift() ?? '')))].join(
    '\n',
  )
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
