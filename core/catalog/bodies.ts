import type { RecordWrite } from './batch.ts'
import { array, type Cell, columnArrays } from './binary.ts'
import type { Queryable } from './db.ts'
import { insertRows, table, unnested } from './rows.ts'

/**
 * How a record's canonical JSON text is kept: one byte that names the encoding, then the bytes. As bytes it keeps what
 * jsonb would lose: NUL, halves of surrogate pairs (as JSON escapes), `1.0`, the order of members. The only encoding there is
 * is the type `raw` of binary.ts.
 */
const raw = 0

export function decodeBody(stored: Buffer): string {
  if (stored[0] !== raw) throw new Error(`a record's body has the unknown encoding ${stored[0]}`)
  return stored.toString('utf8', 1)
}

const bodies = table('bodies', { record_id: 'int8', body: 'raw' })

type Written = { readonly id: bigint; readonly write: Pick<RecordWrite, 'body'> }

export async function insertBodies(tx: Queryable, written: readonly Written[]): Promise<void> {
  await insertRows(tx, bodies, rowsOf(written))
}

/** Of a record of which only the hash is kept from now on it goes. */
export async function replaceBodies(tx: Queryable, written: readonly Written[]): Promise<void> {
  const rows = rowsOf(written)
  if (rows.length > 0) {
    await tx.query(
      `INSERT INTO bodies (record_id, body) SELECT u.record_id, u.body FROM ${unnested(bodies.columns)}
       ON CONFLICT (record_id) DO UPDATE SET body = excluded.body`,
      columnArrays(bodies.columns, rows),
      { name: 'replace_bodies' },
    )
  }
  if (rows.length === written.length) return
  const unkept = written.filter(({ write }) => write.body === undefined).map(({ id }) => id)
  const ids = array('int8', unkept)
  await tx.query('DELETE FROM bodies WHERE record_id = ANY ($1::int8[])', [ids], { name: 'delete_bodies' })
}

function rowsOf(written: readonly Written[]): Cell[][] {
  return written.flatMap(({ id, write: { body } }) => (body === undefined ? [] : [[id, body]]))
}
