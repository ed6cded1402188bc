import { array } from '../binary.ts'
import { decodeBody } from '../bodies.ts'
import type { Db, Queryable } from '../db.ts'
import { storable } from '../document.ts'
import { loadRecords } from '../load.ts'
import type { StoredRecord } from '../stored.ts'
import { nothingWritten, type Written, writtenIn } from './item.ts'

export interface Name {
  readonly blueprint: string
  readonly identifier: string
}

/** What there is under a name. */
export interface Found {
  /** The entity's current name; the one asked for when there is none. */
  readonly name: Name
  /** It is in the catalog for readers. */
  readonly exists: boolean
  /** A record of another source owns it, too. */
  readonly owned: boolean
  /** What was written about it, if its record is live. */
  readonly record: StoredRecord | undefined
  readonly written: Written
  /** A live record of this name went with an entity that was renamed: a new record needs another key. */
  readonly taken: boolean
  /** A tombstone under the key. */
  readonly tombstone: StoredRecord | undefined
}

interface Row {
  readonly place: string
  readonly blueprint: string | null
  readonly identifier: string | null
  readonly stub: boolean | null
  readonly record: string | null
  readonly owned: boolean | null
  readonly by_key: string | null
}

/** Names may be former ones: what is written follows the entity. In the order of `names`. */
export async function findWritten(db: Db, kindId: number, names: readonly Name[]): Promise<readonly Found[]> {
  const { rows } = await db.query<Row>(
    `SELECT u.place, e.blueprint, e.identifier, e.stub, w.record, o.owned, k.id AS by_key
     FROM unnest($1::text[], $2::text[]) WITH ORDINALITY u (blueprint, identifier, place)
     LEFT JOIN LATERAL (
       SELECT e.* FROM entities e WHERE e.id = coalesce(
         (SELECT n.id FROM entities n WHERE n.blueprint = u.blueprint AND n.identifier = u.identifier AND n.deleted IS NULL AND NOT n.stub),
         (SELECT n.id FROM aliases a JOIN entities n ON n.id = a.entity_id AND n.deleted IS NULL
          WHERE a.blueprint = u.blueprint AND a.identifier = u.identifier),
         (SELECT n.id FROM entities n WHERE n.blueprint = u.blueprint AND n.identifier = u.identifier AND n.deleted IS NULL))) e ON true
     LEFT JOIN LATERAL (
       SELECT min(r.id) AS record FROM contributions c JOIN records r ON r.id = c.record_id AND r.kind_id = $3
       WHERE c.entity_id = e.id) w ON true
     LEFT JOIN LATERAL (
       SELECT EXISTS (SELECT FROM contributions c WHERE c.entity_id = e.id AND c.owning AND c.record_id IS DISTINCT FROM w.record) AS owned) o ON true
     LEFT JOIN records k ON k.kind_id = $3 AND k.key = u.blueprint || ':' || u.identifier
     ORDER BY u.place`,
    [
      array(
        'text',
        names.map(({ blueprint }) => storable(blueprint)),
      ),
      array(
        'text',
        names.map(({ identifier }) => storable(identifier)),
      ),
      kindId,
    ],
  )
  const ids = new Set(rows.flatMap(({ record, by_key }) => [record, by_key]).filter((id) => id !== null))
  const records = await recordsOf(db, [...ids])
  return rows.map((row, index) => foundOf(row, names[index] ?? { blueprint: '', identifier: '' }, records))
}

type Loaded = ReadonlyMap<string, { readonly record: StoredRecord; readonly written: Written }>

async function recordsOf(db: Queryable, ids: readonly string[]): Promise<Loaded> {
  const loaded = await loadRecords(db, ids.map(BigInt), { body: true })
  return new Map(loaded.map(({ record, body }) => [record.id.toString(), { record, written: writtenOf(body) }]))
}

function writtenOf(stored: Buffer | undefined): Written {
  const body = stored && decodeBody(stored)
  return body === undefined ? nothingWritten : writtenIn(body)
}

function foundOf(row: Row, asked: Name, records: Loaded): Found {
  const name =
    row.blueprint === null || row.identifier === null ? asked : { blueprint: row.blueprint, identifier: row.identifier }
  const own = row.record === null ? undefined : records.get(row.record)
  const namesake = row.by_key === null ? undefined : records.get(row.by_key)
  const taken = own === undefined && namesake?.record.state === 'live'
  return {
    name,
    exists: row.stub === false,
    owned: row.owned ?? false,
    record: own?.record,
    written: own?.written ?? nothingWritten,
    taken,
    tombstone: own === undefined && !taken ? namesake?.record : undefined,
  }
}
