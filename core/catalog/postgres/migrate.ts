import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Db, Queryable } from '../db.ts'
import { PostgresError } from './errors.ts'

export interface MigrateOptions {
  /** Folder of `NNNN_name.sql` files. Default: Catchment's own. */
  readonly directory?: string
  readonly onApply?: (migration: { readonly name: string; readonly milliseconds: number }) => void
}

interface Migration {
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

const ownMigrations = fileURLToPath(new URL('../migrations/', import.meta.url))
/** Any number that no other program takes for the same purpose in the same database: "catch" in ASCII. */
export const lockKey = 0x63_61_74_63_68

/**
 * Brings the schema up to date, forward only; answers the names applied now. Each file is one transaction of its own, so
 * a crash leaves whole migrations. Any number of processes may call it at once.
 */
export async function migrate(db: Db, options: MigrateOptions = {}): Promise<string[]> {
  const migrations = await readMigrations(options.directory ?? ownMigrations)
  const applied: string[] = []
  for (;;) {
    const start = performance.now()
    const name = await db.transaction((tx) => applyNext(tx, migrations))
    if (name === undefined) return applied
    applied.push(name)
    options.onApply?.({ name, milliseconds: performance.now() - start })
  }
}

async function applyNext(tx: Queryable, migrations: readonly Migration[]): Promise<string | undefined> {
  await tx.query('select pg_advisory_xact_lock($1)', [lockKey])
  await tx.query(`create table if not exists schema_migrations (
    name text collate "C" primary key, checksum text not null, applied_at timestamptz not null default now())`)
  const { rows } = await tx.query<{ name: string; checksum: string }>(
    'select name, checksum from schema_migrations order by name',
  )
  rows.forEach((row, index) => compare(row, migrations[index]))
  const next = migrations[rows.length]
  if (!next) return undefined
  try {
    await tx.query(next.sql)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new PostgresError(`migration ${next.name} failed: ${reason}`, {
      code: 'migration_failed',
      hint: 'The database is as it was before this file. Solve what the message says and start again.',
      cause: error,
    })
  }
  await tx.query('insert into schema_migrations (name, checksum) values ($1, $2)', [next.name, next.checksum])
  return next.name
}

/** What is applied must be the beginning of what the code has, byte for byte. */
function compare(
  applied: { readonly name: string; readonly checksum: string },
  migration: Migration | undefined,
): void {
  if (!migration) {
    throw new PostgresError(
      `the database has migration ${applied.name}, which this version of Catchment does not know`,
      {
        code: 'database_newer',
        hint: 'A newer version has used this database: upgrade Catchment, or restore a backup made before.',
        exitCode: 2,
      },
    )
  }
  if (migration.name !== applied.name) {
    throw new PostgresError(`migration ${migration.name} comes before ${applied.name}, which is already applied`, {
      code: 'migration_order',
      hint: 'Give it the next free number: applied migrations are never inserted before, renamed or removed.',
    })
  }
  if (migration.checksum === applied.checksum) return
  throw new PostgresError(`migration ${applied.name} was edited after it had been applied to this database`, {
    code: 'migration_edited',
    hint: 'Restore the file and write the change as a new migration.',
  })
}

async function readMigrations(directory: string): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).toSorted()
  const numbers = new Set(names.map((name) => /^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1]))
  if (numbers.size !== names.length || numbers.has(undefined)) {
    throw new PostgresError(`migration files must be NNNN_name.sql, each number once: ${names.join(', ')}`, {
      code: 'migration_name',
      hint: 'Rename the file.',
    })
  }
  return Promise.all(
    names.map(async (file) => {
      const sql = (await readFile(join(directory, file), 'utf8')).replaceAll('\r\n', '\n')
      return { name: file.slice(0, -'.sql'.length), sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}
