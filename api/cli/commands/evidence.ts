import type { DeliveryView } from '../../../core/catalog/query/deliveries.ts'
import type { QuarantineView } from '../../../core/catalog/query/quarantine.ts'
import type { RecordDetail } from '../../../core/catalog/query/records.ts'
import type { Client } from '../client.ts'
import { duration, type ListOptions, list, print, printJson, problemOf } from '../output.ts'
import { table } from '../table.ts'

/** Records that a mapping failed on, with the expression and what it said, and objects that could not be read or kept. */
export async function quarantine(client: Client, options: ListOptions): Promise<number> {
  const answer = await list<QuarantineView>(client, 'quarantine', options, ['source', 'kind'])
  if (options.json) {
    printJson(answer)
    return 0
  }
  const now = Date.now()
  print(
    table(
      ['record', 'since', 'mapping', 'field', 'expression', 'message'],
      answer.items.map(({ source, kind, key, partition, since, mapping, problem }) => [
        key === '' ? `${source}/${kind} in ${partition ?? ''}` : `${source}/${kind}/${key}`,
        duration(now - Date.parse(since)),
        placed(mapping, problem),
        problem.field,
        problem.expression,
        problem.message,
      ]),
      'Nothing is quarantined.',
    ),
  )
  if (answer.items.some(({ problem }) => problem.code !== 'item_refused'))
    print(
      'What they said before is kept. Look at one: catchment explain record:RECORD. Mend the expression, then: npm start -- --apply',
    )
  if (answer.items.some(({ problem }) => problem.code === 'item_refused'))
    print('Without a mapping: the object could not be read or kept. Every scan looks at it again.')
  if (answer.next !== undefined) print('There are more: --limit shows them.')
  return 0
}

function placed(mapping: string, { file, line }: QuarantineView['problem']): string {
  return file === undefined ? mapping : `${mapping} (${file}${line === undefined ? '' : `:${line}`})`
}

/** Webhook deliveries, newest first. */
export async function deliveries(client: Client, options: ListOptions & { readonly state?: string }): Promise<number> {
  const answer = await list<DeliveryView>(client, 'deliveries', options, ['source', 'state'])
  if (options.json) {
    printJson(answer)
    return 0
  }
  const now = Date.now()
  print(
    table(
      ['id', 'source', 'event', 'state', 'received', 'attempts', 'bytes', 'delivery', 'error'],
      answer.items.map((one) => [
        one.id,
        one.source,
        one.event,
        one.state,
        `${duration(now - Date.parse(one.receivedAt))} ago`,
        String(one.attempts),
        String(one.bytes),
        one.delivery,
        problemOf(one.error)?.message ?? '',
      ]),
      'No delivery is stored.',
    ),
  )
  if (answer.items.some(({ state }) => state === 'dead'))
    print('Dead ones are kept. Once what they stumbled over is mended: catchment deliveries replay ID...')
  if (answer.next !== undefined) print('There are older ones: --limit shows more.')
  return 0
}

export async function replay(
  client: Client,
  ids: readonly string[],
  options: { readonly json: boolean },
): Promise<number> {
  for (const id of ids) {
    await client.post(`/api/v1/deliveries/${encodeURIComponent(id)}/replay`)
    if (!options.json) print(`${id} is accepted again.`)
  }
  if (options.json) printJson({ replayed: ids })
  return 0
}

/** One record as mappings see it, and what became of it. */
export async function recordGet(
  client: Client,
  name: { readonly source: string; readonly kind: string; readonly key: string },
  options: { readonly json: boolean },
): Promise<number> {
  const path = [name.source, name.kind, name.key].map(encodeURIComponent).join('/')
  // The shape is the server's own, of the same version.
  const record = (await client.get(`/api/v1/records/${path}`)) as RecordDetail
  if (options.json) {
    printJson(record)
    return 0
  }
  print(`record ${record.source}/${record.kind}/${record.key}: ${record.state}`)
  const line = (label: string, text: string): void => print(`  ${label.padEnd(11)}${text}`)
  if (record.version !== null) line('version', record.version)
  if (record.gone !== null) line('gone', JSON.stringify(record.gone))
  for (const { name: partition, state, present } of record.partitions)
    line('in', `${partition} (${state}): ${present ? 'present' : 'no longer present'}`)
  for (const { mapping, reference, owning } of record.contributions)
    line('feeds', `${reference} by ${mapping}${owning ? '' : ' (fields only)'}`)
  if (record.contributions.length === 0)
    line('feeds', `nothing; why: catchment explain record:${record.source}/${record.kind}/${record.key}`)
  print(JSON.stringify(record.body, null, 2))
  return 0
}
