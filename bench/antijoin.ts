import { array } from '../core/catalog/binary.ts'
import type { Db } from '../core/catalog/db.ts'

/** Keys and hashes, ready to be shipped. */
export interface Shipment {
  readonly kindId: number
  readonly keys: readonly string[]
  /** 16 bytes a key. */
  readonly hashes: Buffer
}

/**
 * Ways to ask which of the given items are not stored as they are. Which of them is best depends on the size, on the
 * statistics and on the version of the server, so each is tried and the best is what a scan is held beside.
 */
const ways = {
  'NOT EXISTS': `
    SELECT i.key FROM unnest($2::text[], $3::bytea[]) i (key, hash)
    WHERE NOT EXISTS (SELECT FROM records r WHERE r.kind_id = $1 AND r.key = i.key AND r.hash = i.hash)`,
  'by index': `
    SELECT i.key FROM unnest($2::text[], $3::bytea[]) i (key, hash)
    LEFT JOIN LATERAL (SELECT r.hash FROM records r WHERE r.kind_id = $1 AND r.key = i.key OFFSET 0) r ON true
    WHERE r.hash IS DISTINCT FROM i.hash`,
}

export interface Way {
  readonly name: string
  readonly sql: string
  readonly size: number
}

export async function ship(db: Db, n: number): Promise<Shipment> {
  const { rows } = await db.query<{ kind_id: number; key: string; hash: string }>(
    `SELECT kind_id, key, encode(hash, 'hex') AS hash FROM records ORDER BY id`,
  )
  if (rows.length !== n) throw new Error(`${rows.length} records instead of ${n}`)
  const hashes = Buffer.from(rows.map(({ hash }) => hash).join(''), 'hex')
  return { kindId: rows[0]?.kind_id ?? 0, keys: rows.map(({ key }) => key), hashes }
}

/** Seconds of one comparison of everything. */
export async function compareOnce(db: Db, shipment: Shipment, { sql, size, name }: Way): Promise<number> {
  const { kindId, keys, hashes } = shipment
  const start = performance.now()
  for (let from = 0; from < keys.length; from += size) {
    const part = keys.slice(from, from + size)
    const each = part.map((_, index) => hashes.subarray((from + index) * 16, (from + index + 1) * 16))
    const values = [kindId, array('text', part), array('bytea', each)]
    const different = await db.query(sql, values, { name: `antijoin ${name}` })
    if (different.rowCount > 0) throw new Error('something differs')
  }
  return (performance.now() - start) / 1000
}

/** The fastest of all ways and sizes, by the better of two runs each. */
export async function bestWay(db: Db, shipment: Shipment, say: (line: string) => void): Promise<Way> {
  let best: { readonly way: Way; readonly seconds: number } | undefined
  for (const [name, sql] of Object.entries(ways)) {
    for (const size of new Set([1000, 10_000, shipment.keys.length])) {
      const way = { name, sql, size }
      const runs = [await compareOnce(db, shipment, way), await compareOnce(db, shipment, way)]
      const seconds = Math.min(...runs)
      say(
        `hash-antijoin ${name}, ${size} a statement: ${Math.round(shipment.keys.length / seconds).toLocaleString('en')}`,
      )
      if (best === undefined || seconds < best.seconds) best = { way, seconds }
    }
  }
  if (best === undefined) throw new Error('there is nothing to compare')
  return best.way
}
