import type { Db } from './db.ts'

/**
 * Where the database lives: of which cluster, which database, on which timeline. A restore from a dump is another database,
 * one to a point in time is another timeline; a copy of files that went back is told by positions that lie ahead of its end.
 */
const origin = `(SELECT system_identifier FROM pg_control_system()) || '/' ||
  (SELECT timeline_id FROM pg_control_checkpoint()) || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())`

/**
 * A restored feed goes on with other changes under the numbers that readers have seen: it gets a new epoch, so that their
 * positions are `feed_replaced`. At the first start it only notes where it lives. Answers whether the epoch is new. Call it
 * before anything is committed.
 */
export async function beginEpoch(db: Db): Promise<boolean> {
  return db.transaction(async (tx) => {
    const { rows } = await tx.query<{ known: string | null; here: string }>(
      `SELECT origin AS known, ${origin} AS here FROM feed FOR UPDATE`,
    )
    const [row] = rows
    if (row === undefined || row.known === row.here) return false
    const replaced = row.known !== null
    await tx.query(
      `UPDATE feed SET origin = $1,
         epoch = CASE WHEN $2 THEN to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS') ELSE epoch END`,
      [row.here, replaced],
    )
    return replaced
  })
}
