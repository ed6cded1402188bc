import type { Db } from '../catalog/db.ts'
import type { Json } from '../model/json.ts'
import { FeedReader, text } from './auditor-feed.ts'
import { type Expected, mapTruth, type Versions } from './auditor-map.ts'
import { Watch } from './auditor-watch.ts'
import type { World } from './world.ts'

/** Something that must never be. */
export interface Violation {
  /** `I1` to `I12` of the sync specification, or `rest` when the simulation never comes to rest. */
  readonly invariant: string
  readonly text: string
}

/** Milliseconds: somewhat less than the engine of the simulation keeps what is applied, since its clocks are off. */
const kept = 20 * 3_600_000

/** Judges the catalog by the truth of the world. Knows the tables, but no code of the store or the engine. */
export class Auditor {
  readonly #db: Db
  readonly #world: World
  readonly #feed = new FeedReader()
  readonly watch: Watch
  /** Deliveries that were answered with 2xx, by id, and until when they have to be there. */
  readonly #acknowledged = new Map<string, { readonly source: string; readonly until: number }>()

  constructor(db: Db, world: World) {
    this.#db = db
    this.#world = world
    this.watch = new Watch(db, world)
  }

  /** `now`: milliseconds since the epoch. */
  acknowledge(source: string, delivery: string, now: number): void {
    this.#acknowledged.set(delivery, { source, until: now + kept })
  }

  /** I6, at any time: what was acknowledged is in the inbox, whatever became of it, unless that was a day ago. */
  async inbox(now: number): Promise<readonly Violation[]> {
    const { rows } = await this.#db.query<{ delivery: string }>('SELECT delivery FROM inbox')
    const stored = new Set(rows.map(({ delivery }) => delivery))
    return [...this.#acknowledged]
      .filter(([delivery, { until }]) => now < until && !stored.has(delivery))
      .map(([delivery, { source }]) => ({
        invariant: 'I6',
        text: `${delivery} of ${source} was acknowledged and is not stored`,
      }))
  }

  /** The feed so far, at any time. */
  async feed(): Promise<readonly Violation[]> {
    return (await this.#feed.read(this.#db)).map((each) => ({ invariant: 'feed', text: each }))
  }

  /** Nothing moves any more and everything was read since: the catalog equals the truth (I1). */
  async atRest(versions: Versions, now: number): Promise<readonly Violation[]> {
    const found = [
      ...(await this.inbox(now)),
      ...(await this.feed()),
      ...(await this.#feed.compare(this.#db)).map((each) => ({ invariant: 'feed', text: each })),
      ...(await this.#catalog(mapTruth(this.#world.things, versions))),
      ...(await this.#presences()),
    ]
    await this.watch.rest()
    return found
  }

  /** I12: a digest of the very rows that an unchanged scan must not write. */
  async rows(): Promise<string> {
    const parts: string[] = []
    for (const table of [
      'records',
      'presences',
      'contributions',
      'entities',
      'refs',
      'quarantine',
      'change_batches',
      'changes',
    ]) {
      const { rows } = await this.#db.query<{ digest: string | null }>(
        `SELECT md5(string_agg(xmin::text || ctid::text, ',' ORDER BY ctid)) AS digest FROM ${table}`,
      )
      parts.push(`${table} ${rows[0]?.digest ?? ''}`)
    }
    return parts.join('\n')
  }

  async #catalog(expected: ReadonlyMap<string, Expected>): Promise<readonly Violation[]> {
    const { rows } = await this.#db.query<{
      name: string
      title: string | null
      properties: Readonly<Record<string, Json>>
      relations: Readonly<Record<string, Json>>
      failed: Json
      refs: string[] | null
    }>(
      `SELECT blueprint || ':' || identifier AS name, title, properties, relations, failed,
         (SELECT array_agg(relation || ' ' || f.blueprint || ':' || f.identifier ORDER BY relation, position) FROM refs f WHERE f.entity_id = e.id) AS refs
       FROM entities e WHERE deleted IS NULL AND NOT stub`,
    )
    const wrong: string[] = []
    const left = new Map(expected)
    for (const row of rows) {
      const truth = left.get(row.name)
      left.delete(row.name)
      if (truth === undefined) {
        wrong.push(`${row.name} is in the catalog, but nothing at the sources makes it`)
        continue
      }
      if (row.title !== truth.title) wrong.push(`${row.name} has the title ${row.title} instead of ${truth.title}`)
      const properties = new Map(truth.properties)
      const stored = new Map(Object.entries(row.properties))
      if (truth.loose) {
        properties.delete('tier')
        stored.delete('tier')
      }
      wrong.push(...differences(row.name, stored, properties))
      wrong.push(...differences(row.name, new Map(Object.entries(row.relations)), truth.relations))
      if (!truth.loose && row.failed !== null)
        wrong.push(`${row.name} is marked, though nothing fails: ${text(row.failed)}`)
      if (truth.loose && truth.sole && row.failed === null)
        wrong.push(`${row.name} is not marked, though an expression fails`)
      const refs = refsOf(truth)
      if ((row.refs ?? []).join() !== refs.join())
        wrong.push(`${row.name} refers to ${row.refs?.join()} instead of ${refs.join()}`)
    }
    for (const name of left.keys()) wrong.push(`${name} is missing from the catalog`)
    return wrong.map((each) => ({ invariant: 'I1', text: each }))
  }

  /** Where records are, as against where the objects are. */
  async #presences(): Promise<readonly Violation[]> {
    const { rows } = await this.#db.query<{ kind: string; key: string; partition: string }>(
      `SELECT k.name AS kind, r.key, p.name AS partition FROM records r JOIN kinds k ON k.id = r.kind_id
       JOIN presences q ON q.record_id = r.id AND NOT q.ended JOIN partitions p ON p.id = q.partition_id WHERE r.state = 'live'`,
    )
    const stored = new Set(rows.map(({ kind, key, partition }) => `${kind} ${key} in ${partition}`))
    const truth = new Set(
      this.#world.things.flatMap(({ kind, key, partitions }) =>
        [...partitions.keys()].map((partition) => `${kind} ${key} in ${partition}`),
      ),
    )
    return [
      ...[...stored].filter((each) => !truth.has(each)).map((each) => `${each} is stored, but not there`),
      ...[...truth].filter((each) => !stored.has(each)).map((each) => `${each} is there, but not stored`),
    ].map((each) => ({ invariant: 'I1', text: each }))
  }
}

function differences(
  name: string,
  stored: ReadonlyMap<string, Json>,
  truth: ReadonlyMap<string, Json>,
): readonly string[] {
  return [...new Set([...stored.keys(), ...truth.keys()])].flatMap((field) => {
    const [is, should] = [text(stored.get(field) ?? null), text(truth.get(field) ?? null)]
    return is === should ? [] : [`${name} ${field} is ${is} instead of ${should}`]
  })
}

const targets: Readonly<Record<string, string>> = { owner: 'team', service: 'service', teams: 'team' }

function refsOf({ relations }: Expected): readonly string[] {
  return [...relations]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([relation, said]) =>
      (Array.isArray(said) ? said : [said]).map(
        (identifier: Json) => `${relation} ${targets[relation]}:${text(identifier).replaceAll('"', '')}`,
      ),
    )
}
