import type { HeldView } from '../../../core/catalog/query/held.ts'
import type { Client } from '../client.ts'
import { duration, print, printJson } from '../output.ts'
import { table } from '../table.ts'

export interface HeldOptions {
  readonly json: boolean
  readonly source?: string
  readonly kind?: string
}

export async function held(client: Client, options: HeldOptions): Promise<number> {
  const query = new URLSearchParams({ limit: '1000' })
  if (options.source !== undefined) query.set('source', options.source)
  if (options.kind !== undefined) query.set('kind', options.kind)
  // The shape is the server's own, of the same version.
  const answer = (await client.get(`/api/v1/held?${query.toString()}`)) as { items: readonly HeldView[]; next?: string }
  if (options.json) {
    printJson(answer)
    return 0
  }
  const now = Date.now()
  print(
    table(
      ['id', 'source', 'kind', 'partition', 'entity', 'what', 'since', 'reason'],
      answer.items.map((item) => [
        item.id,
        item.source,
        item.kind,
        item.partition ?? '',
        item.entities.join(', ') || item.key,
        item.what,
        duration(now - Date.parse(item.heldAt)),
        item.reason,
      ]),
      'Nothing is held.',
    ),
  )
  if (answer.items.length > 0)
    print(
      'Take them away: catchment held approve ID...   Keep them: catchment held reject ID...   (--all for every one)',
    )
  return 0
}

/** Ids one by one, or everything pending of a source or kind with `--all`. */
export async function decide(
  client: Client,
  decision: 'approve' | 'reject',
  ids: readonly string[],
  options: HeldOptions & { readonly all?: boolean },
): Promise<number> {
  if (options.all === true) {
    const filter = {
      ...(options.source === undefined ? {} : { source: options.source }),
      ...(options.kind === undefined ? {} : { kind: options.kind }),
    }
    // The shape is the server's own, of the same version.
    const answer = (await client.post(`/api/v1/held/${decision}`, filter)) as { decided: number }
    if (options.json) printJson(answer)
    else print(`${answer.decided} ${decision === 'approve' ? 'approved' : 'rejected'}.`)
    return 0
  }
  for (const id of ids) {
    await client.post(`/api/v1/held/${encodeURIComponent(id)}/${decision}`)
    if (!options.json) print(`${id} ${decision === 'approve' ? 'approved' : 'rejected'}.`)
  }
  if (options.json) printJson({ decided: ids.length })
  return 0
}
