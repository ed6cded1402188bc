import type { ConflictView } from '../../../core/catalog/query/conflicts.ts'
import type { DanglingView } from '../../../core/catalog/query/dangling.ts'
import type { RelatedView } from '../../../core/catalog/query/related.ts'
import type { Client } from '../client.ts'
import { print, printJson } from '../output.ts'
import { table } from '../table.ts'
import { entityPath } from './entities.ts'

export interface RelatedOptions {
  readonly json: boolean
  readonly depth: string
  readonly direction: string
  readonly limit: string
}

/** What is related to an entity, a line each, the near ones first. */
export async function related(client: Client, text: string, options: RelatedOptions): Promise<number> {
  const { depth, direction, limit } = options
  const query = new URLSearchParams({ depth, direction, limit })
  // The shape is the server's own, of the same version.
  const answer = (await client.get(`${entityPath(text)}/related?${query.toString()}`)) as {
    readonly reference: string
    readonly items: readonly RelatedView[]
    readonly truncated?: true
  }
  if (options.json) {
    printJson(answer)
    return 0
  }
  const rows = answer.items.map(({ reference, title, depth: far, by }) => [
    String(far),
    reference,
    title ?? '',
    by
      .map((step) =>
        step.direction === 'out' ? `${step.from} -${step.relation}->` : `-${step.relation}-> ${step.from}`,
      )
      .join(', '),
  ])
  print(table(['depth', 'entity', 'title', 'by'], rows, `Nothing is related to ${answer.reference}.`))
  if (answer.truncated === true) print(`There are more than ${limit}: add --limit, or ask for one --direction.`)
  return 0
}

/** Names that several records claim and only one may have. */
export async function conflicts(client: Client, options: { readonly json: boolean }): Promise<number> {
  // The shape is the server's own, of the same version.
  const answer = (await client.get('/api/v1/conflicts')) as { readonly items: readonly ConflictView[] }
  if (options.json) {
    printJson(answer)
    return 0
  }
  const rows = answer.items.flatMap(({ reference, claims }) =>
    claims.map(({ source, kind, key, wins }, index) => [
      index === 0 ? reference : '',
      `record:${source}/${kind}/${key}`,
      wins ? 'heard' : 'not heard',
    ]),
  )
  print(table(['entity', 'claimed by', ''], rows, 'No name is claimed twice that only one may have.'))
  return 0
}

export interface DanglingAnswer {
  readonly items: readonly DanglingView[]
  readonly total: { readonly required: number; readonly other: number }
  readonly behind: number
  readonly next?: string
}

/** Relations that lead nowhere although they must. Exit status 0 in any case: it may be the source that is wrong. */
export async function dangling(
  client: Client,
  options: { readonly json: boolean; readonly blueprint?: string; readonly required: boolean; readonly limit: string },
): Promise<number> {
  const query = new URLSearchParams({ limit: options.limit })
  if (options.blueprint !== undefined) query.set('blueprint', options.blueprint)
  if (options.required) query.set('required', 'true')
  // The shape is the server's own, of the same version.
  const answer = (await client.get(`/api/v1/dangling?${query.toString()}`)) as DanglingAnswer
  if (options.json) {
    printJson(answer)
    return 0
  }
  const rows = answer.items.map(({ reference, relation, required, detail }) => [
    reference,
    relation,
    required ? 'required' : '',
    detail,
  ])
  print(table(['entity', 'relation', '', 'what is wrong'], rows, 'Every relation that must lead somewhere does.'))
  if (answer.next !== undefined) print('There are more: add --limit.')
  if (answer.behind > 0) print(`${answer.behind} changes have not been looked at yet.`)
  return 0
}
