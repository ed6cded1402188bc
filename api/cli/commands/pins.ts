import type { Pinned } from '../../../core/catalog/query/pinned.ts'
import type { Client } from '../client.ts'
import { duration, list, print, printJson } from '../output.ts'
import { table } from '../table.ts'
import { entityPath } from './entities.ts'

export async function undo(
  client: Client,
  text: string,
  options: { readonly json: boolean; readonly reason?: string },
): Promise<number> {
  const body = options.reason === undefined ? {} : { reason: options.reason }
  // The shape is the server's own, of the same version.
  const answer = (await client.post(`${entityPath(text)}/undo`, body)) as Pinned
  if (options.json) printJson(answer)
  else {
    print(`${answer.reference} is back as it was, and pinned until ${answer.source} shows it again.`)
    print(`End the pin with: catchment unpin ${answer.reference}`)
  }
  return 0
}

export async function unpin(client: Client, text: string, options: { readonly json: boolean }): Promise<number> {
  // The shape is the server's own, of the same version.
  const answer = (await client.delete(`${entityPath(text)}/pin`)) as { reference: string; exists: boolean }
  if (options.json) printJson(answer)
  else
    print(
      answer.exists
        ? `${answer.reference} is not pinned any more; a source says it.`
        : `${answer.reference} is not pinned any more, and deleted: no source shows it.`,
    )
  return 0
}

export async function pins(
  client: Client,
  options: { readonly json: boolean; readonly limit: string },
): Promise<number> {
  const answer = await list<Pinned>(client, 'pins', options, [])
  if (options.json) {
    printJson(answer)
    return 0
  }
  const now = Date.now()
  print(
    table(
      ['reference', 'title', 'by', 'since', 'reason', 'source', 'kind'],
      answer.items.map((item) => [
        item.reference,
        item.title ?? '',
        item.who,
        duration(now - Date.parse(item.at)),
        item.reason ?? '',
        item.source,
        item.kind,
      ]),
      'Nothing is pinned.',
    ),
  )
  if (answer.next !== undefined) print('There is more: add --limit')
  return 0
}
