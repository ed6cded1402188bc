/** The one port through which the engine reaches Postgres. Tests and the simulator wrap it: a step is one call of it. */
export interface Queryable {
  query<Row = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
    options?: { /** Prepared under this name. */ name?: string },
  ): Promise<{ rows: Row[]; rowCount: number }>
  /** COPY ... FROM STDIN. Returns the number of rows. */
  copyIn(sql: string, chunks: Iterable<string | Buffer>): Promise<number>
}

export interface Db extends Queryable {
  /**
   * READ COMMITTED. Runs the whole of `work` again, with jitter and up to 5 times, on 40001, 40P01 and 23505; `work` must
   * therefore have no effect outside `tx`.
   */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>
  /** LISTEN on a connection of its own, re-established when it breaks. Answers the way to end it. */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>
  close(): Promise<void>
}
