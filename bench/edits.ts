import type { Connection, Json, JsonObject, Kind } from '../core/sdk/index.ts'
import type { Synthetic } from './synthetic.ts'

/** The synthetic source whose items change: each as often as `versions` says of its number. */
export interface Edited {
  readonly connection: Connection
  /** Item number -> how often it was changed; absent: never. */
  readonly versions: Map<number, number>
}

const firstId = 100_000_000

/** What a change may touch; each shows in the entity that the shipped mapping makes. */
const fields: readonly ((item: JsonObject, version: number) => JsonObject)[] = [
  (_, version) => ({
    description: `Revision ${version} keeps its promises and the pager silent, as agreed in review.`,
  }),
  (_, version) => ({ homepage: `https://docs.acme.example/services/v${version}` }),
  (item) => ({ archived: item['archived'] !== true }),
  (_, version) => ({ stargazers_count: 200 + version }),
  (_, version) => ({ default_branch: `release-${version}` }),
  (item, version) => ({ topics: [...topicsOf(item), `tier-${1 + (version % 3)}`] }),
]

function topicsOf(item: JsonObject): readonly Json[] {
  const topics = item['topics']
  return Array.isArray(topics) ? topics.filter((topic) => typeof topic === 'string' && !topic.startsWith('tier-')) : []
}

/** A change touches one to three fields, chosen by item and version alone, and moves the item's own version. */
export function edited({ connection }: Synthetic): Edited {
  const versions = new Map<number, number>()
  const [kind] = connection.kinds
  if (kind === undefined) throw new Error('the synthetic source has no kind')
  const changing: Kind = {
    ...kind,
    async *list(...asked) {
      for await (const page of kind.list(...asked)) yield { ...page, items: page.items.map((item) => edit(item)) }
    },
  }
  const edit = (item: Json): Json => {
    // The synthetic source's items are objects with a numeric id.
    const before = item as JsonObject
    const number = Number(before['id']) - firstId
    let now = before
    for (let version = 1; version <= (versions.get(number) ?? 0); version++) {
      now = { ...now, ...changed(now, number, version), updated_at: `2026-11-01T00:00:00Z/${version}` }
    }
    return now
  }
  return { connection: { ...connection, kinds: [changing] }, versions }
}

function changed(item: JsonObject, number: number, version: number): JsonObject {
  const seed = Math.imul(number * 131 + version, 2654435761) >>> 8
  let now: JsonObject = {}
  for (let count = 0; count <= seed % 3; count++) {
    const field = fields[(seed + count) % fields.length]
    now = { ...now, ...field?.(item, version) }
  }
  return now
}
