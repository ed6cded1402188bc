import type { Db } from '../catalog/db.ts'
import type { Violation } from './auditor.ts'
import type { World } from './world.ts'

interface Presence {
  readonly record: string
  readonly kind: string
  readonly key: string
  readonly partition: string
  readonly ended: boolean
  /** Of the state of the object that is stored. */
  readonly serial: number
  readonly born: number
  readonly live: boolean
}

/** Looks at records and presences after each commit that wrote some: nothing is lost without proof, nothing goes back. */
export class Watch {
  readonly #db: Db
  readonly #world: World
  #before = new Map<string, Presence>()
  /** Serial of the world when catalog and truth were last found equal. */
  #rest = 0
  /** `record partition`, approved by a person: may be wrong, and is his to decide. */
  readonly approved = new Set<string>()
  /** Ends of presences, of whatever proof. */
  removed = 0

  constructor(db: Db, world: World) {
    this.#db = db
    this.#world = world
  }

  async rest(): Promise<void> {
    this.#rest = this.#world.serial
    this.approved.clear()
    await this.look()
  }

  /** Keys that the catalog held in a partition when it was last looked at. */
  stored(kind: string, partition: string): ReadonlySet<string> {
    const there = [...this.#before.values()].filter(
      (row) => !row.ended && row.kind === kind && row.partition === partition,
    )
    return new Set(there.map(({ key }) => key))
  }

  async look(): Promise<readonly Violation[]> {
    const { rows } = await this.#db.query<Presence>(
      `SELECT r.id AS record, k.name AS kind, r.key, p.name AS partition, q.ended OR r.state = 'gone' AS ended, (r.locator->>'serial')::int AS serial,
         (r.locator->>'born')::int AS born, r.state = 'live' AS live
       FROM presences q JOIN records r ON r.id = q.record_id JOIN kinds k ON k.id = r.kind_id JOIN partitions p ON p.id = q.partition_id`,
      [],
      { name: 'audit_presences' },
    )
    const found: Violation[] = []
    const now = new Map<string, Presence>()
    for (const row of rows) {
      const id = `${row.record} ${row.partition}`
      now.set(id, row)
      const before = this.#before.get(id)
      if (before === undefined) continue
      if (row.ended && !before.ended) {
        this.removed += 1
        if (!this.approved.has(id)) found.push(...this.#unproven(row, before))
      }
      if (row.live && before.live && row.serial < before.serial) {
        const text = `${row.kind} ${row.key} went back from state ${before.serial} to ${row.serial}`
        found.push({ invariant: 'I5', text })
      }
    }
    this.#before = now
    return found
  }

  /**
   * A presence that ended while the object is there and was there all the time since the catalog had last seen it come:
   * since the catalog was last found equal to the truth, or since an observation that is younger than its birth.
   */
  #unproven({ kind, key, partition }: Presence, before: Presence): readonly Violation[] {
    const thing = this.#world.things.find((each) => each.kind === kind && each.key === key)
    const since = thing?.partitions.get(partition)
    if (thing === undefined || since === undefined) return []
    const always = since <= this.#rest || (since === thing.born && before.born >= thing.born)
    if (!always) return []
    return [
      { invariant: 'I2', text: `${kind} ${key} left ${partition} in the catalog, though it was there all the time` },
    ]
  }
}
