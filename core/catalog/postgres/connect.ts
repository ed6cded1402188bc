import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { Db, Queryable, TransactionOptions } from '../db.ts'
import { PostgresError, sqlState, translate } from './errors.ts'
import { Listener } from './listen.ts'
import { type Around, direct, Session } from './session.ts'

export interface DatabaseOptions {
  /** Shown in pg_stat_activity. Default `catchment`. */
  readonly applicationName?: string
  /** Most connections at once, the listening one not counted. Default 10. */
  readonly max?: number
  readonly around?: Around
  /** Spreads the pauses before a conflicting transaction runs again; in [0, 1). */
  readonly random?: () => number
  readonly sleep?: (milliseconds: number) => Promise<unknown>
  /** An idle connection broke. The pool replaces it; this is for the log. */
  readonly onConnectionError?: (error: Error) => void
}

const oldestServer = 15

/**
 * Settings a server of one's own may have changed, and the facts the check needs, in one round trip. An asynchronous
 * commit would acknowledge what a crash can lose; any stronger choice of the server stays. The planner's just-in-time
 * compilation costs more than it gives on short statements.
 */
const greeting = `
  select pg_backend_pid() as pid, current_setting('server_version_num')::int as version,
    current_setting('server_version') as name, current_setting('server_encoding') as encoding,
    pg_is_in_recovery() as standby, current_database() as database,
    set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO', false), set_config('IntervalStyle', 'iso_8601', false),
    set_config('idle_in_transaction_session_timeout', '30s', false), set_config('statement_timeout', '0', false),
    set_config('default_transaction_isolation', 'read committed', false), set_config('jit', 'off', false),
    set_config('standard_conforming_strings', 'on', false), set_config('extra_float_digits', '1', false),
    case when current_setting('synchronous_commit') = 'off' then set_config('synchronous_commit', 'on', false) end`

interface Greeting {
  readonly pid: number
  readonly version: number
  readonly name: string
  readonly encoding: string
  readonly standby: boolean
  readonly database: string
}

function refusal({ version, name, encoding, standby, database }: Greeting): PostgresError | undefined {
  const details = { status: 503, exitCode: 2 }
  if (version < oldestServer * 10_000) {
    return new PostgresError(`the database server is PostgreSQL ${name}; Catchment needs ${oldestServer} or newer`, {
      code: 'database_too_old',
      hint: 'Upgrade the server DATABASE_URL names, or unset DATABASE_URL to use the embedded one.',
      ...details,
    })
  }
  if (encoding !== 'UTF8') {
    return new PostgresError(`the database ${database} is encoded in ${encoding}; Catchment needs UTF8`, {
      code: 'database_encoding',
      hint: "Create one with: CREATE DATABASE catchment ENCODING 'UTF8' TEMPLATE template0",
      ...details,
    })
  }
  if (!standby) return undefined
  return new PostgresError(`the database server of ${database} is a standby and takes no writes`, {
    code: 'database_read_only',
    hint: 'Let DATABASE_URL name the primary.',
    ...details,
  })
}

/** Connects, checks the server once, and answers the port. Rejects with a PostgresError when it cannot or must not be used. */
export async function openDatabase(url: string, options: DatabaseOptions = {}): Promise<Db> {
  const pids = new WeakMap<pg.ClientBase, number>()
  const config: pg.ClientConfig = {
    connectionString: url,
    application_name: options.applicationName ?? 'catchment',
    keepAlive: true,
  }
  const pool = new pg.Pool({
    ...config,
    max: options.max ?? 10,
    connectionTimeoutMillis: 30_000,
    idleTimeoutMillis: 60_000,
    // The pool awaits what this returns, which its types do not say.
    onConnect: ((client: pg.ClientBase) => greet(client, pids)) as (client: pg.ClientBase) => void,
  })
  pool.on('error', (error) => options.onConnectionError?.(error))
  const db = new PooledDb(pool, pids, new Listener(config), options)
  try {
    await db.query('select 1')
    return db
  } catch (error) {
    await pool.end()
    throw error
  }
}

async function greet(client: pg.ClientBase, pids: WeakMap<pg.ClientBase, number>): Promise<void> {
  // A connection that breaks between two statements of a transaction has nobody else listening, which would end the process.
  client.on('error', () => undefined)
  const [facts] = (await client.query<Greeting>(greeting)).rows
  if (!facts) throw new Error('the database did not answer the greeting')
  const refused = refusal(facts)
  if (refused) throw refused
  pids.set(client, facts.pid)
}

const conflicts: ReadonlySet<string> = new Set(['40001', '40P01', '23505'])

class PooledDb implements Db {
  readonly #pool: pg.Pool
  readonly #pids: WeakMap<pg.ClientBase, number>
  readonly #listener: Listener
  readonly #around: Around
  readonly #random: () => number
  readonly #sleep: (milliseconds: number) => Promise<unknown>
  #closed: Promise<void> | undefined

  constructor(pool: pg.Pool, pids: WeakMap<pg.ClientBase, number>, listener: Listener, options: DatabaseOptions) {
    this.#pool = pool
    this.#pids = pids
    this.#listener = listener
    this.#around = options.around ?? direct
    this.#random = options.random ?? Math.random
    this.#sleep = options.sleep ?? ((milliseconds) => pause(milliseconds))
  }

  query: Db['query'] = (text, values, options) => this.#lend((session) => session.query(text, values, options))
  copyIn: Db['copyIn'] = (sql, chunks) => this.#lend((session) => session.copyIn(sql, chunks))
  listen: Db['listen'] = (channel, onNotify) => this.#listener.listen(channel, onNotify)

  async transaction<T>(work: (tx: Queryable) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const attempts = options.attempts ?? 5
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#lend((session) => inTransaction(session, work, options))
      } catch (error) {
        if (attempt >= attempts || !conflicts.has(sqlState(error) ?? '')) throw error
        await this.#sleep(this.#random() * 10 * 2 ** attempt)
      }
    }
  }

  close(): Promise<void> {
    this.#closed ??= Promise.all([this.#listener.close(), this.#pool.end()]).then(() => undefined)
    return this.#closed
  }

  async #lend<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw translate(error)
    })
    const session = new Session(client, this.#pids.get(client) ?? 0, this.#around)
    try {
      return await work(session)
    } finally {
      session.end()
      client.release(session.broken)
    }
  }
}

async function inTransaction<T>(
  session: Session,
  work: (tx: Queryable) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  await session.raw(
    `begin isolation level ${options.isolation ?? 'read committed'} ${options.readOnly === true ? 'read only' : 'read write'}`,
  )
  let result: T
  try {
    result = await work(session)
  } catch (error) {
    // A connection on which even that fails is thrown away, and the first error says why.
    await session.raw('rollback').catch(() => undefined)
    throw error
  }
  const { command } = await session.raw('commit')
  if (command === 'COMMIT') return result
  // PostgreSQL answers COMMIT of a failed transaction with a quiet ROLLBACK; nobody may take that for stored.
  throw new PostgresError('the transaction was rolled back, because an error inside it had been ignored', {
    code: 'transaction_aborted',
    hint: 'Nothing was stored. Report it: some statement failed and its error was swallowed.',
  })
}
