import type { Db } from '../catalog/db.ts'
import type { Json } from '../model/json.ts'

interface Row {
  readonly seq: string
  readonly entity_id: string
  readonly revision: string
  readonly operation: string
  readonly name: string
  readonly patch: Readonly<Record<string, readonly [Json, Json]>> | null
}

interface Replayed {
  name: string
  revision: bigint
  live: boolean
  /** Fields that a patch has named. */
  readonly fields: Map<string, string>
}

/** The change feed as a reader sees it: dense, in revision order per entity, and replaying it gives the catalog. */
export class FeedReader {
  #seq = 0n
  readonly #entities = new Map<string, Replayed>()

  /** What is behind the last position. Answers what is wrong with it. */
  async read(db: Db): Promise<readonly string[]> {
    const { rows } = await db.query<Row>(
      `SELECT b.base + c.position AS seq, c.entity_id, c.revision, c.operation, c.blueprint || ':' || c.identifier AS name, c.patch
       FROM change_batches b JOIN changes c ON c.batch = b.id WHERE b.base + c.position > $1 ORDER BY 1`,
      [this.#seq],
    )
    return rows.flatMap((row) => this.#take(row))
  }

  /** Everything has its place: the replayed entities are those of the catalog. */
  async compare(db: Db): Promise<readonly string[]> {
    const { rows } = await db.query<{
      id: string
      name: string
      title: string | null
      team: readonly string[]
      properties: Readonly<Record<string, Json>>
      relations: Readonly<Record<string, Json>>
      failed: Json
    }>(
      `SELECT id, blueprint || ':' || identifier AS name, title, team, properties, relations, failed
       FROM entities WHERE deleted IS NULL AND NOT stub`,
    )
    const wrong: string[] = []
    const live = new Map([...this.#entities].filter(([, each]) => each.live))
    for (const row of rows) {
      const replayed = live.get(row.id)
      live.delete(row.id)
      if (replayed === undefined) wrong.push(`${row.name} is in the catalog, but the feed has not created it`)
      else if (replayed.name !== row.name) wrong.push(`${row.name} is called ${replayed.name} in the feed`)
      for (const [field, value] of replayed?.fields ?? []) {
        const [part = '', ...rest] = field.split('.')
        const name = rest.join('.')
        const now =
          part === 'title'
            ? row.title
            : part === 'team'
              ? row.team
              : part === 'failed'
                ? (row.failed ?? [])
                : part === 'properties'
                  ? (row.properties[name] ?? null)
                  : part === 'relations'
                    ? (row.relations[name] ?? null)
                    : undefined
        if (now !== undefined && text(now) !== value) {
          wrong.push(`${row.name} ${field} is ${text(now)}, by the feed ${value}`)
        }
      }
    }
    for (const each of live.values()) wrong.push(`${each.name} lives in the feed, but not in the catalog`)
    return wrong
  }

  #take({ seq, entity_id, revision, operation, name, patch }: Row): readonly string[] {
    const wrong: string[] = []
    if (BigInt(seq) !== this.#seq + 1n) wrong.push(`place ${seq} follows ${this.#seq}`)
    this.#seq = BigInt(seq)
    const before = this.#entities.get(entity_id)
    const entity = before ?? { name, revision: 0n, live: false, fields: new Map<string, string>() }
    this.#entities.set(entity_id, entity)
    if (BigInt(revision) <= entity.revision) {
      wrong.push(`${name}: revision ${revision} at place ${seq} comes after ${entity.revision}`)
    }
    if ((operation === 'created') === entity.live) wrong.push(`${name}: ${operation} at place ${seq}, out of order`)
    if (operation === 'created') entity.fields.clear()
    for (const [field, [old, now]] of Object.entries(patch ?? {})) {
      const known = entity.fields.get(field)
      if (known !== undefined && known !== text(old)) {
        wrong.push(`${name} ${field}: ${text(old)} was not the value before place ${seq}, ${known} was`)
      }
      entity.fields.set(field, text(now))
    }
    entity.name = name
    entity.revision = BigInt(revision)
    entity.live = operation !== 'deleted'
    return wrong
  }
}

/** Equal for equal JSON, whatever the order of members. */
export function text(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((each: Json) => text(each)).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1))
  return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${text(each)}`).join()}}`
}
