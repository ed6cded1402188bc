import type { EntityFreshness } from '../../../core/catalog/query/entity-freshness.ts'
import type { EntityView } from '../../../core/catalog/query/view.ts'
import { CatchmentError } from '../../../core/sdk/index.ts'
import type { Client } from '../client.ts'
import { csv } from '../csv.ts'
import { print, printJson } from '../output.ts'
import { usage } from '../run.ts'
import { table } from '../table.ts'

export interface SearchOptions {
  readonly json: boolean
  readonly csv: boolean
  readonly count: boolean
  readonly blueprint?: string
  readonly limit?: string
  readonly asOf?: string
}

type Entity = EntityView & Partial<EntityFreshness>

interface Answer {
  readonly items: readonly Entity[]
  readonly next?: string
  readonly total?: number
}

/** Of one answer of the server. */
const mostAtOnce = 1000

export async function search(client: Client, words: readonly string[], options: SearchOptions): Promise<number> {
  if ([options.json, options.csv].every(Boolean)) throw usage('Either --json or --csv.')
  const line = words.join(' ')
  const read = async (more: Readonly<Record<string, string>>): Promise<Answer> => {
    const query = new URLSearchParams(more)
    if (line.trim() !== '') query.set('q', line)
    if (options.blueprint !== undefined) query.set('blueprint', options.blueprint)
    if (options.asOf !== undefined) query.set('asOf', options.asOf)
    try {
      // The shape is the server's own, of the same version.
      return (await client.get(`/api/v1/entities?${query.toString()}`)) as Answer
    } catch (error) {
      throw pointed(error, line)
    }
  }
  if (options.count) {
    const { total = 0 } = await read({ count: 'true', limit: '1' })
    if (options.json) printJson({ total })
    else print(String(total))
    return 0
  }
  const items = await collect(read, options)
  if (options.csv) return printCsv(items.items)
  if (options.json) printJson(items)
  else printTable(items)
  return 0
}

/** Pages until there are as many as asked for. */
async function collect(
  read: (more: Readonly<Record<string, string>>) => Promise<Answer>,
  options: SearchOptions,
): Promise<Answer> {
  const wanted = options.limit === undefined ? (options.csv ? Number.POSITIVE_INFINITY : 50) : Number(options.limit)
  if (Number.isNaN(wanted) || wanted < 1) throw usage(`--limit wants a number, not "${options.limit}".`)
  const page = (got: number): string => String(Math.min(mostAtOnce, wanted - got))
  let answer = await read({ limit: page(0) })
  while (answer.next !== undefined && answer.items.length < wanted) {
    const more = await read({ limit: page(answer.items.length), cursor: answer.next })
    answer = { ...more, items: [...answer.items, ...more.items] }
  }
  return answer
}

function printTable(answer: Answer): void {
  const rows = answer.items.map((entity) => [
    entity.reference,
    entity.title ?? '',
    entity.team.join(', '),
    entity.freshness === 'fresh' ? '' : (entity.freshness ?? ''),
  ])
  print(table(['reference', 'title', 'team', ''], rows, 'Nothing found. Why: catchment explain NAME'))
  if (answer.next !== undefined) print('There are more: --limit N, --count says how many.')
}

function printCsv(items: readonly Entity[]): number {
  const properties = [...new Set(items.flatMap((entity) => Object.keys(entity.properties)))].toSorted()
  const relations = [...new Set(items.flatMap((entity) => Object.keys(entity.relations)))].toSorted()
  const fixed = ['reference', 'blueprint', 'identifier', 'title', 'team', 'updatedAt', 'freshness'] as const
  print(csv([...fixed, ...properties, ...relations.map((name) => `-> ${name}`)]))
  for (const entity of items)
    print(
      csv([
        ...fixed.map((name) => entity[name]),
        ...properties.map((name) => entity.properties[name]),
        ...relations.map((name) => entity.relations[name]),
      ]),
    )
  return 0
}

/** The line again, with a mark under what the server does not understand. */
function pointed(error: unknown, line: string): unknown {
  if (!(error instanceof CatchmentError) || typeof error.details['position'] !== 'number') return error
  const { position, length } = error.details
  const mark = '^'.repeat(Math.max(1, Math.min(typeof length === 'number' ? length : 1, line.length - position + 1)))
  const place = `${line}\n  ${' '.repeat(position - 1)}${mark}`
  return new CatchmentError(error.message, {
    code: error.code,
    exitCode: 2,
    hint: error.hint === undefined ? place : `${place}\n  ${error.hint}`,
  })
}
