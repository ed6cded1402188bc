import type pg from 'pg'
import type { Queryable, QueryOptions, Result } from '../db.ts'
import { copyIn } from './copy.ts'
import { PostgresError, sqlState, translate } from './errors.ts'

/** One statement about to run; BEGIN, COMMIT and ROLLBACK are statements, too. `session` is the server's process id. */
export interface Statement {
  readonly session: number
  readonly text: string
}

/**
 * Stands around every statement. The simulator grants them one at a time here, or throws instead of calling `run`: that
 * is a crash between two statements. An error thrown by it is passed on as it is and destroys the connection.
 */
export type Around = <T>(statement: Statement, run: () => Promise<T>) => Promise<T>

export const direct: Around = (_statement, run) => run()

/** A connection lent by the pool. Runs one statement at a time, in the order asked, and none once it is given back. */
export class Session implements Queryable {
  readonly #client: pg.PoolClient
  readonly #pid: number
  readonly #around: Around
  #last: Promise<unknown> = Promise.resolve()
  #open = true
  #broken = false

  constructor(client: pg.PoolClient, pid: number, around: Around) {
    this.#client = client
    this.#pid = pid
    this.#around = around
  }

  async query<Row>(text: string, values?: readonly unknown[], options?: QueryOptions): Promise<Result<Row>> {
    const result = await this.raw(text, values, options)
    // The caller names the shape of its own SELECT; the driver cannot know it.
    return { rows: result.rows as Row[], rowCount: result.rowCount ?? 0 }
  }

  raw(text: string, values?: readonly unknown[], options?: QueryOptions): Promise<pg.QueryResult> {
    const config: pg.QueryConfig<unknown[]> = { text }
    // No empty list: without values several statements may stand in one text (migrations).
    if (values !== undefined && values.length > 0) config.values = [...values]
    if (options?.name !== undefined) config.name = options.name
    return this.#next(text, () => this.#client.query(config))
  }

  copyIn(sql: string, chunks: Iterable<string | Buffer>): Promise<number> {
    return this.#next(sql, () => copyIn(this.#client, sql, chunks))
  }

  /** True once a statement failed without an answer of the server: nobody knows what state the connection is in. */
  get broken(): boolean {
    return this.#broken
  }

  /** After this a forgotten `tx` throws instead of writing into somebody else's transaction. */
  end(): void {
    this.#open = false
  }

  #next<T>(text: string, run: () => Promise<T>): Promise<T> {
    if (!this.#open) {
      const message = 'a statement came after its transaction had ended'
      return Promise.reject(
        new PostgresError(message, { code: 'transaction_ended', hint: 'A promise was not awaited: report it.' }),
      )
    }
    const result = this.#last
      .then(() => this.#around({ session: this.#pid, text }, run))
      .catch((error: unknown) => {
        this.#broken ||= sqlState(error) === undefined
        throw translate(error)
      })
    this.#last = result.catch(() => undefined)
    return result
  }
}
