import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { Db, Queryable, TransactionOptions } from '../db.ts'
import { PostgresError, sqlState, translate } from './errors.ts'
import { greet } from './greeting.ts'
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
