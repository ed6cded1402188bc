import type { Db, Queryable } from './db.ts'
import { type Removed, removeSource } from './remove-source.ts'

const hasRecords = 'EXISTS (SELECT FROM records r JOIN kinds k ON k.id = r.kind_id WHERE k.source_id = s.id)'

/** Notes that a source is the sandbox organisation; one that has records of something else never becomes it. */
export async function markSandbox(db: Queryable, name: string): Promise<void> {
  await db.query(`UPDATE sources s SET sandbox = true WHERE name = $1 AND NOT ${hasRecords}`, [name])
}

/** Does a source of this name have records that the sandbox organisation did not give it, as far as is known? */
export async function isTaken(db: Queryable, name: string): Promise<boolean> {
  const { rows } = await db.query(`SELECT FROM sources s WHERE name = $1 AND NOT sandbox AND ${hasRecords}`, [name])
  return rows.length > 0
}

/** Takes the sandbox organisation out of the catalog, as `removeSource` does. Undefined: there is none. */
export async function removeSandbox(db: Db, now: number): Promise<Removed | undefined> {
  const { rows } = await db.query<{ name: string }>(
    `UPDATE sources SET state = 'frozen', updated_at = now() WHERE sandbox RETURNING name`,
  )
  const [source] = rows
  return source === undefined ? undefined : removeSource(db, source.name, { who: 'start', now })
}
