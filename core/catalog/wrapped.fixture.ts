import type { Db, Queryable } from './db.ts'

/** A database whose transactions run other statements than they were given, and wait where they are told to. */
export function wrapped(
  db: Db,
  around: { readonly rewrite?: (text: string) => string; readonly before?: (text: string) => Promise<void> },
): Db {
  const wrap = (tx: Queryable): Queryable => ({
    async query(text, values, options) {
      const rewritten = around.rewrite?.(text) ?? text
      await around.before?.(text)
      // One name, one text: what was rewritten is not prepared.
      return rewritten === text ? tx.query(text, values, options) : tx.query(rewritten, values)
    },
    async copyIn(sql, chunks) {
      await around.before?.(sql)
      return tx.copyIn(sql, chunks)
    },
  })
  return {
    query: (text, values, options) => db.query(text, values, options),
    copyIn: (sql, chunks) => db.copyIn(sql, chunks),
    listen: (channel, onNotify) => db.listen(channel, onNotify),
    close: () => db.close(),
    transaction: (work, options) => db.transaction((tx) => work(wrap(tx)), options),
  }
}

/** Takes the row lock out of the statement with this tag. */
export function withoutLock(tag: string): (text: string) => string {
  return (text) => (text.includes(`/* ${tag} */`) ? text.replace(/FOR (?:UPDATE|SHARE)(?: OF \w+)?/, '') : text)
}

export interface Gate {
  /** To be awaited at the gate. */
  readonly pass: () => Promise<void>
  /** Resolves when somebody waits at it. */
  readonly reached: Promise<void>
  open(): void
}

export function gate(): Gate {
  const reached = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  return {
    reached: reached.promise,
    pass() {
      reached.resolve()
      return opened.promise
    },
    open: () => opened.resolve(),
  }
}

/** Resolves when `work` is done or one of this database's sessions waits for a lock, whichever comes first. */
export async function doneOrBlocked(db: Db, work: Promise<unknown>): Promise<'done' | 'blocked'> {
  let done = false
  const mark = (): void => {
    done = true
  }
  void work.then(mark, mark)
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    if (done) return 'done'
    const { rows } = await db.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`,
    )
    if (rows.length > 0) return 'blocked'
  }
}
