/**
 * The only door to the database. Everything the engine does to it goes through this port, so that the simulator can stand
 * between any two statements (see `Around` in postgres/session.ts).
 *
 * Values arrive as `pg` gives them: int8 and numeric as text (they do not fit a number), bytea as Buffer, json parsed,
 * timestamptz as Date. A JS array becomes a PostgreSQL array; a json parameter must already be text.
 */
export interface Result<Row> {
  readonly rows: Row[]
  /** Rows returned or changed; 0 for statements that do neither. */
  readonly rowCount: number
}

export interface QueryOptions {
  /** Prepares the statement once per connection under this name. One name, one text. */
  readonly name?: string
}

export interface Queryable {
  query<Row>(text: string, values?: readonly unknown[], options?: QueryOptions): Promise<Result<Row>>
  /** Runs `COPY ... FROM STDIN` and feeds it; answers the number of rows. `chunks` need not end at row boundaries. */
  copyIn(sql: string, chunks: Iterable<string | Buffer>): Promise<number>
}

export interface TransactionOptions {
  /** Default `read committed`. */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable'
  readonly readOnly?: boolean
  /** How often the whole work may run before a conflict is passed on. Default 5; 1 never runs it again. */
  readonly attempts?: number
}

export interface Db extends Queryable {
  /**
   * Runs `work` in one transaction and commits. On a conflict (40001, 40P01, 23505) rolls back and runs the *whole* work
   * again after a pause with jitter, so it must have no effect outside `tx`. Resolves only after COMMIT was confirmed.
   */
  transaction<T>(work: (tx: Queryable) => Promise<T>, options?: TransactionOptions): Promise<T>
  /**
   * Calls `onNotify` for each NOTIFY on `channel`, and with undefined after a lost connection is back: notifications
   * may have been missed, so look. Resolves once LISTEN is in force; the returned function ends it.
   */
  listen(channel: string, onNotify: (payload: string | undefined) => void): Promise<() => Promise<void>>
  /** Waits for running work, then closes every connection. */
  close(): Promise<void>
}
