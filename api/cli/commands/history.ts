import type { DiffView, FieldChange, HistoryView } from '../../../core/catalog/query/history.ts'
import { causeText } from '../../cause.ts'
import type { Client } from '../client.ts'
import { print, printJson } from '../output.ts'
import { entityPath, show } from './entities.ts'

export interface HistoryOptions {
  readonly json: boolean
  readonly limit: string
  readonly asOf?: string
}

/** Newest first; what each version changed on lines of its own. */
export async function history(client: Client, text: string, options: HistoryOptions): Promise<number> {
  const query = new URLSearchParams({ limit: options.limit })
  if (options.asOf !== undefined) query.set('asOf', options.asOf)
  // The shape is the server's own, of the same version.
  const answer = (await client.get(`${entityPath(text)}/history?${query.toString()}`)) as HistoryView
  if (options.json) {
    printJson(answer)
    return 0
  }
  print(`${answer.reference}${answer.state === 'deleted' ? '  (deleted)' : ''}`)
  for (const version of answer.items) {
    const name = version.reference === answer.reference ? '' : ` as ${version.reference}`
    print(`  ${version.at}  revision ${version.revision}  ${version.operation}${name}  ${causeText(version.cause)}`)
    if (version.changes === null) print('      here the kept history begins')
    else if (version.operation !== 'deleted') for (const change of version.changes) print(`      ${line(change)}`)
  }
  if (answer.next !== undefined)
    print(`There is more: add --limit, or page with GET ${entityPath(text)}/history?cursor=...`)
  for (const other of answer.others)
    print(`Another entity went by this name until ${other.at}: catchment history ${text} --as-of ${other.revision}`)
  return 0
}

function line({ field, before, after }: FieldChange): string {
  return before === null ? `${field}: ${show(after)}` : `${field}: ${show(before)} -> ${show(after)}`
}

/** What differs between two moments. Exit status 0 in any case. */
export async function diff(
  client: Client,
  text: string,
  options: { readonly json: boolean; readonly from?: string; readonly to?: string },
): Promise<number> {
  const query = new URLSearchParams()
  if (options.from !== undefined) query.set('from', options.from)
  if (options.to !== undefined) query.set('to', options.to)
  // The shape is the server's own, of the same version.
  const answer = (await client.get(`${entityPath(text)}/diff?${query.toString()}`)) as DiffView
  if (options.json) {
    printJson(answer)
    return 0
  }
  print(answer.reference)
  print(`  from ${sideText(answer.from)}`)
  print(`  to   ${sideText(answer.to)}`)
  if (answer.changes.length === 0) print('  Nothing differs.')
  for (const change of answer.changes) print(`  ${change.field}: ${show(change.before)} -> ${show(change.after)}`)
  return 0
}

function sideText({ version, at }: DiffView['from']): string {
  if (version === null) return `${at ?? 'before'}: not in the catalog`
  return `revision ${version.revision} of ${version.at}`
}
