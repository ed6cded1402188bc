import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { Db, Queryable } from '../catalog/db.ts'
import { openDatabase } from '../catalog/postgres/connect.ts'
import type { Statement } from '../catalog/postgres/session.ts'
import { type Effect, type Outcome, type Owner, outcomeOf, type Scheduler } from './scheduler.ts'

/** One use of the pool: counted as busy until its first statement waits for its grant. */
interface Use {
  readonly owner: Owner
  readonly note: unknown
  arrived: boolean
}

export interface GatedOptions {
  readonly url: string
  readonly scheduler: Scheduler
  readonly random: () => number
  /** Spoils statements, for planted defects. */
  readonly rewrite?: (text: string) => string
  /** Called right before a statement runs; it may break its connection (`drop`) or refuse it by throwing. */
  readonly before?: (use: Granted, drop: () => Promise<void>) => Promise<void>
  readonly after?: (use: Granted, drop: () => Promise<void>) => Promise<void>
}

/** A statement that is granted. */
export interface Granted {
  readonly owner: Owner
  readonly text: string
  readonly session: number
  readonly inTransaction: boolean
  /** What `GatedDatabase.noting` was called with around it. */
  readonly note: unknown
}

/**
 * The shipped `Db` over a real pool, with a gate before each statement. "Blocked on a lock" is found by asking the server
 * from a second connection, not by waiting; a cycle of blocked ones is a deadlock, whose newest member is refused.
 */
export class GatedDatabase {
  readonly #options: GatedOptions
  readonly #uses = new AsyncLocalStorage<Use>()
  readonly #notes = new AsyncLocalStorage<unknown>()
  readonly #dropped = new Set<number>()
  readonly #inside = new Map<number, Owner>()
  readonly #blocked = new Map<number, Effect>()
  readonly #sessions = new Map<Effect, number>()
  readonly #victims = new Set<number>()
  readonly #pool: Db
  /** Not gated: the auditor's and the scheduler's own eyes. */
  readonly plain: Db

  private constructor(options: GatedOptions, pool: Db, plain: Db) {
    this.#options = options
    this.#pool = pool
    this.plain = plain
  }

  static async open(options: GatedOptions): Promise<GatedDatabase> {
    const plain = await openDatabase(options.url, { applicationName: 'auditor', max: 2 })
    // The object is needed by its own pool; nothing runs before it is made.
    let self: GatedDatabase | undefined
    const pool = await openDatabase(options.url, {
      applicationName: 'simulated',
      // More than a run ever holds at once: a use that waits for a connection would wait for somebody's grant.
      max: 150,
      random: options.random,
      around: (statement, run) => (self === undefined ? run() : self.#around(statement, run)),
      sleep: (milliseconds) => (self === undefined ? Promise.resolve() : self.#pause(milliseconds)),
    })
    self = new GatedDatabase(options, pool, plain)
    return self
  }

  /** The port as one process sees it. */
  of(owner: Owner): Db {
    const text = (sql: string): string => this.#rewrite(sql)
    const tx = (inner: Queryable): Queryable => ({
      query: (sql, values, options) => inner.query(text(sql), values, options),
      copyIn: (sql, chunks) => inner.copyIn(sql, chunks),
    })
    return {
      query: (sql, values, options) => this.#use(owner, () => this.#pool.query(text(sql), values, options)),
      copyIn: (sql, chunks) => this.#use(owner, () => this.#pool.copyIn(sql, chunks)),
      transaction: (work, options) =>
        this.#use(owner, () => this.#pool.transaction((inner) => work(tx(inner)), options)),
      listen: () => Promise.resolve(() => Promise.resolve()),
      close: () => Promise.resolve(),
    }
  }

  /** Statements asked for by `work` carry the note to `before` and `after`. */
  noting<T>(note: unknown, work: () => Promise<T>): Promise<T> {
    return this.#notes.run(note, work)
  }

  /** Ends a statement that waits for a lock: its process was killed. */
  async cancel(effect: Effect): Promise<void> {
    const session = this.#sessions.get(effect)
    if (session === undefined) return
    this.#blocked.delete(session)
    await this.plain.query('SELECT pg_cancel_backend($1)', [session])
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.close(), this.plain.close()])
  }

  /** A lease's clock is the server's; here it is the scheduler's. */
  #rewrite(sql: string): string {
    const changed = this.#options.rewrite?.(sql) ?? sql
    if (!changed.includes('clock_timestamp()')) return changed
    const now = new Date(this.#options.scheduler.now).toISOString()
    return changed.replaceAll('clock_timestamp()', `timestamptz '${now}'`)
  }

  async #use<T>(owner: Owner, work: () => Promise<T>): Promise<T> {
    if (owner.dead) return new Promise(() => undefined)
    const use: Use = { owner, note: this.#notes.getStore(), arrived: false }
    const { scheduler } = this.#options
    scheduler.busy += 1
    try {
      return await this.#uses.run(use, work)
    } finally {
      if (!use.arrived) scheduler.busy -= 1
    }
  }

  /** Before a conflicting transaction runs again: it gives its connection back and takes another one. */
  async #pause(milliseconds: number): Promise<void> {
    const use = this.#uses.getStore()
    if (use === undefined) return
    const { scheduler } = this.#options
    await scheduler.sleep(use.owner, milliseconds)
    use.arrived = false
    scheduler.busy += 1
  }

  #around<T>(statement: Statement, run: () => Promise<T>): Promise<T> {
    const use = this.#uses.getStore()
    if (use === undefined) return run()
    const { scheduler } = this.#options
    if (!use.arrived) {
      use.arrived = true
      scheduler.busy -= 1
    }
    const { owner } = use
    const { session, text } = statement
    const effect: Effect = {
      owner,
      label: labelOf(text),
      start: () => this.#execute(use, statement, run),
      blocked: (finished) => this.#waits(effect, session, finished),
      killed: () => this.#kill(statement, run),
    }
    this.#sessions.set(effect, session)
    return scheduler.gate<T>(effect).finally(() => this.#sessions.delete(effect))
  }

  async #execute<T>({ owner, note }: Use, { session, text }: Statement, run: () => Promise<T>): Promise<T> {
    const drop = (): Promise<void> => this.#terminate(session)
    const granted: Granted = { owner, text, session, note, inTransaction: this.#inside.has(session) }
    try {
      await this.#options.before?.(granted, drop)
      if (text.startsWith('begin ')) this.#inside.set(session, owner)
      const ends = text === 'commit' || text === 'rollback'
      const result = ends ? await this.#leave(session, run) : await run()
      await this.#options.after?.(granted, drop)
      return result
    } catch (error) {
      if (this.#victims.delete(session)) throw refused('40P01', 'deadlock detected')
      // The driver has several words for it; which one comes first is a race.
      if (this.#dropped.has(session)) throw new Error('Connection terminated unexpectedly')
      throw error
    }
  }

  /** What a killed process leaves open the server rolls back; other connections stay in use. */
  async #kill<T>({ session, text }: Statement, run: () => Promise<T>): Promise<Outcome> {
    if (text === 'rollback') return await outcomeOf(this.#leave(session, run))
    if (text !== 'commit') return { ok: false, error: refused('57014', 'the process was killed') }
    // After a commit nobody rolls back.
    await this.#terminate(session)
    return { ok: false, error: new Error('Connection terminated unexpectedly') }
  }

  async #terminate(session: number): Promise<void> {
    this.#dropped.add(session)
    await this.plain.query('SELECT pg_terminate_backend($1, 5000)', [session])
    this.#inside.delete(session)
  }

  async #leave<T>(session: number, run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } finally {
      this.#inside.delete(session)
    }
  }

  /** Asked again and again until the statement has ended or waits for somebody else's lock. */
  async #waits(effect: Effect, session: number, finished: Promise<Outcome>): Promise<boolean> {
    const over = finished.then(() => true as const)
    const done = (): void => {
      this.#blocked.delete(session)
    }
    // Alone in the database, nobody can be in the way.
    const others = [...this.#inside.keys()].filter((each) => each !== session)
    if (others.length === 0 && this.#blocked.size === 0) {
      await over
      return false
    }
    for (let wait = 1; ; wait = Math.min(20, wait * 2)) {
      if ((await Promise.race([over, pause(wait)])) === true) {
        done()
        return false
      }
      const blockers = await this.#blockers(session)
      if (blockers.length === 0) continue
      this.#blocked.set(session, effect)
      if (!(await this.#cycle(session))) return true
      this.#victims.add(session)
      await this.plain.query('SELECT pg_cancel_backend($1)', [session])
    }
  }

  async #blockers(session: number): Promise<readonly number[]> {
    const { rows } = await this.plain.query<{ pids: number[] }>('SELECT pg_blocking_pids($1) AS pids', [session], {
      name: 'blockers',
    })
    return rows[0]?.pids ?? []
  }

  /** Does it wait, through others, for itself? */
  async #cycle(session: number): Promise<boolean> {
    const seen = new Set<number>()
    const open = [...(await this.#blockers(session))]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next === session) return true
      if (seen.has(next) || !this.#blocked.has(next)) continue
      seen.add(next)
      open.push(...(await this.#blockers(next)))
    }
    return false
  }
}

/** As PostgreSQL says it, so that the connection stays in use. */
export function refused(code: string, message: string): Error {
  const error = new pg.DatabaseError(message, message.length, 'error')
  error.code = code
  return error
}

function labelOf(text: string): string {
  return text
    .replaceAll(/timestamptz '[^']*'/g, 'clock')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 64)
}
