import type { Db, Queryable } from '../core/catalog/db.ts'
import { openDatabase } from '../core/catalog/postgres/connect.ts'
import type { Server } from './catalog.ts'
import type { Copied, Recording } from './recording.ts'

/** What names a row, where a table has a primary or unique key. */
const keys: Readonly<Record<string, readonly string[]>> = {
  records: ['kind_id', 'key'],
  bodies: ['record_id'],
  presences: ['partition_id', 'record_id'],
  entities: ['id'],
  contributions: ['record_id', 'mapping', 'item'],
}

/** The plain way to upsert in bulk: COPY into an unlogged table, MERGE from there, page by page. Answers the seconds of the database alone. */
export async function copyMerge(server: Server, recording: Recording): Promise<number> {
  const database = await server.database()
  const db = await openDatabase(database.url)
  try {
    await dropSecondaryIndexes(db)
    const staged = new Set<string>()
    await db.query('CHECKPOINT')
    let seconds = 0
    for await (const copies of recording.transactions()) {
      for (const { table, columns } of copies) {
        if (staged.has(table)) continue
        await db.query(`CREATE UNLOGGED TABLE stage_${table} AS SELECT ${columns} FROM ${table} WITH NO DATA`)
        staged.add(table)
      }
      const start = performance.now()
      await db.transaction((tx) => merge(tx, copies))
      seconds += (performance.now() - start) / 1000
    }
    return seconds
  } finally {
    await db.close()
    await database.drop()
  }
}

async function merge(tx: Queryable, copies: readonly Copied[]): Promise<void> {
  for (const { table, columns, rows } of copies) {
    await tx.copyIn(`COPY stage_${table} (${columns}) FROM STDIN (FORMAT binary)`, [rows])
    const key = keys[table]
    const values = columns.split(', ').map((column) => `s.${column}`)
    await tx.query(
      key === undefined
        ? `INSERT INTO ${table} (${columns}) SELECT ${values.join(', ')} FROM stage_${table} s`
        : `MERGE INTO ${table} t USING stage_${table} s ON ${key.map((name) => `t.${name} = s.${name}`).join(' AND ')}
           WHEN NOT MATCHED THEN INSERT (${columns}) VALUES (${values.join(', ')})`,
    )
    await tx.query(`DELETE FROM stage_${table}`)
  }
}

async function dropSecondaryIndexes(db: Db): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT i.indexrelid::regclass::text AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
     WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition
       AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)`,
  )
  for (const { name } of rows) await db.query(`DROP INDEX ${name}`)
}
