import { array } from './binary.ts'
import { decodeBody } from './bodies.ts'
import type { Db } from './db.ts'
import { storable } from './document.ts'
import { loadRecords } from './load.ts'
import type { Store } from './store.ts'
import type { Compared, StoredRecord } from './stored.ts'

type Methods = Pick<Store, 'compare' | 'record' | 'recordById'>

/**
 * Only keys and hashes travel. The lateral subquery keeps the planner from reading the whole table for a page of keys. One
 * row of bytes comes back, 12 for each stored item: place and id, the place negative when something differs.
 */
const compareSql = `
  SELECT (SELECT writes FROM kinds WHERE id = $3) AS as_of,
    string_agg(int4send(CASE WHEN r.same THEN i.place ELSE -i.place END) || int8send(r.id), ''::bytea) AS found
  FROM (SELECT key, place::int4, substring($2::bytea FROM (place::int4 - 1) * 16 + 1 FOR 16) AS hash
        FROM unnest($1::text[]) WITH ORDINALITY u (key, place)) i
  CROSS JOIN LATERAL (
    SELECT r.id, r.hash = i.hash AND r.mapping_id = $4 AND r.state = 'live' AND EXISTS (
      SELECT FROM presences p WHERE p.partition_id = $5 AND p.record_id = r.id AND NOT p.ended) AS same
    FROM records r WHERE r.kind_id = $3 AND r.key = i.key OFFSET 0) r`

export function comparing(db: Db): Methods {
  return {
    async compare(kindId, partitionId, mappingId, { keys, hashes }, scanning = false): Promise<Compared> {
      const values = [array('text', keys.map(storable)), hashes, kindId, mappingId, partitionId]
      const { rows } = await db.query<{ as_of: string; found: Buffer | null }>(compareSql, values, { name: 'compare' })
      const same = new Map<number, bigint>()
      const places = new Map<bigint, number[]>()
      const found = rows[0]?.found ?? Buffer.alloc(0)
      for (let at = 0; at < found.length; at += 12) {
        const place = found.readInt32BE(at)
        const id = found.readBigInt64BE(at + 4)
        if (place > 0) same.set(place - 1, id)
        else places.set(id, [...(places.get(id) ?? []), -place - 1])
      }
      const stored = new Map<number, StoredRecord>()
      const loaded = await loadRecords(db, [...places.keys()], scanning ? { scanning: partitionId } : {})
      for (const { record } of loaded) for (const index of places.get(record.id) ?? []) stored.set(index, record)
      return { same, stored, asOf: BigInt(rows[0]?.as_of ?? 0) }
    },

    async record(kindId, key) {
      const { rows } = await db.query<{ id: string }>(
        'SELECT id FROM records WHERE kind_id = $1 AND key = $2',
        [kindId, storable(key)],
        { name: 'record_by_key' },
      )
      const [loaded] = await loadRecords(
        db,
        rows.map(({ id }) => BigInt(id)),
      )
      return loaded?.record
    },

    async recordById(recordId) {
      const [loaded] = await loadRecords(db, [recordId], { body: true })
      return loaded && { record: loaded.record, body: loaded.body && decodeBody(loaded.body) }
    },
  }
}
