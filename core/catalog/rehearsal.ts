import type { Db, Queryable } from './db.ts'

/** A copy of the catalog that nobody else sees, and that is gone when the work is done. */
export interface Rehearsal {
  /** Unqualified names are those of the copy. */
  readonly db: Db
  /** Schema of the tables as they really are, in the state that was copied. */
  readonly real: string
}

/** What commits read and write. Bodies are read from where they are. */
const copied = [
  'sources',
  'mappings',
  'activations',
  'leases',
  'kinds',
  'guard_hours',
  'blueprint_documents',
  'records',
  'entities',
  'aliases',
  'contributions',
  'wanted',
  'muted',
  'refs',
  'searches',
  'settling',
  'quarantine',
  'held',
  'pins',
] as const
/** What commits only write. */
const empty = ['change_batches', 'changes', 'schedules', 'plans', 'plan_withdrawals'] as const

/** Carries the answer out of a transaction that is not to be committed. */
class Done<T> extends Error {
  readonly answer: T

  constructor(answer: T) {
    super('rehearsed')
    this.answer = answer
  }
}

/**
 * Runs `work` on temporary tables that hide the real ones by their names, so that the very statements of a commit tell
 * what they would do. No row of the catalog is locked or written: the transaction is rolled back, and what a statement
 * might write beside the copy goes with it. Needs the right to make temporary tables.
 */
export async function rehearse<T>(db: Db, work: (rehearsal: Rehearsal) => Promise<T>): Promise<T> {
  try {
    return await db.transaction(
      async (tx) => {
        const real = await copy(tx)
        throw new Done(await work({ db: nested(tx), real }))
      },
      // One moment for all tables.
      { isolation: 'repeatable read', attempts: 1 },
    )
  } catch (error) {
    if (error instanceof Done) return error.answer as T
    throw error
  }
}

async function copy(tx: Queryable): Promise<string> {
  const { rows } = await tx.query<{ schema: string }>('SELECT current_schema() AS schema')
  const real = rows[0]?.schema ?? 'public'
  // Before anything hides the tables that they name.
  const views = await tx.query<{ name: string; definition: string }>(
    'SELECT viewname AS name, definition FROM pg_views WHERE schemaname = $1',
    [real],
  )
  for (const table of [...copied, ...empty]) {
    await tx.query(
      `CREATE TEMP TABLE ${table} (LIKE ${real}.${table} INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING IDENTITY) ON COMMIT DROP`,
    )
  }
  for (const table of copied) await fill(tx, real, table)
  for (const table of [...copied, ...empty]) await index(tx, real, table)
  for (const table of copied) await tx.query(`ANALYZE pg_temp.${table}`)
  const { rows: revision } = await tx.query<{ last: string }>(`SELECT last_value AS last FROM ${real}.revision`)
  await tx.query(`CREATE TEMP SEQUENCE revision MINVALUE 0 START ${BigInt(revision[0]?.last ?? 0) + 1n}`)
  for (const { name, definition } of views.rows) await tx.query(`CREATE TEMP VIEW ${name} AS ${definition}`)
  return real
}

async function fill(tx: Queryable, real: string, table: string): Promise<void> {
  const { rows: columns } = await tx.query<{ name: string; identity: string }>(
    `SELECT quote_ident(attname) AS name, attidentity AS identity FROM pg_attribute
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`,
    [`${real}.${table}`],
  )
  const names = columns.map(({ name }) => name).join(', ')
  await tx.query(
    `INSERT INTO pg_temp.${table} (${names}) OVERRIDING SYSTEM VALUE SELECT ${names} FROM ${real}.${table}`,
  )
  for (const { name } of columns.filter(({ identity }) => identity !== '')) {
    await tx.query(
      `SELECT setval(pg_get_serial_sequence('pg_temp.${table}', '${name}'), (SELECT coalesce(max(${name}), 0) + 1 FROM pg_temp.${table}), false)`,
    )
  }
}

/** The ones that statements find rows by; full text and containment are not asked for while something is written. */
async function index(tx: Queryable, real: string, table: string): Promise<void> {
  const { rows } = await tx.query<{ definition: string }>(
    'SELECT indexdef AS definition FROM pg_indexes WHERE schemaname = $1 AND tablename = $2',
    [real, table],
  )
  for (const { definition } of rows) {
    if (definition.includes(' USING btree ')) {
      await tx.query(definition.replace(/ ON (ONLY )?\S+ USING /, ` ON pg_temp.${table} USING `))
    }
  }
}

/**
 * Transactions of the work are savepoints. Statements have no names here: a connection that has prepared one for the real
 * tables would go on with those.
 */
function nested(tx: Queryable): Db {
  const plain: Queryable = {
    query: (text, values) => tx.query(text, values),
    copyIn: (sql, chunks) => tx.copyIn(sql, chunks),
  }
  return {
    ...plain,
    async transaction(work) {
      await tx.query('SAVEPOINT rehearsed')
      try {
        const result = await work(plain)
        await tx.query('RELEASE SAVEPOINT rehearsed')
        return result
      } catch (error) {
        await tx.query('ROLLBACK TO SAVEPOINT rehearsed')
        throw error
      }
    },
    listen: () => Promise.reject(new Error('a rehearsal hears nothing')),
    close: () => Promise.resolve(),
  }
}
