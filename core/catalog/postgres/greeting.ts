import type pg from 'pg'
import { PostgresError } from './errors.ts'

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

/** What a server says of itself when a connection opens. */
export interface Greeting {
  readonly pid: number
  readonly version: number
  readonly name: string
  readonly encoding: string
  readonly standby: boolean
  readonly database: string
}

/** Why this server must not be used, if so. */
export function refusal({ version, name, encoding, standby, database }: Greeting): PostgresError | undefined {
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

/** Prepares a new connection, and refuses a server that must not be used. Remembers its process id in `pids`. */
export async function greet(client: pg.ClientBase, pids: WeakMap<pg.ClientBase, number>): Promise<void> {
  // A connection that breaks between two statements of a transaction has nobody else listening, which would end the process.
  client.on('error', () => undefined)
  const [facts] = (await client.query<Greeting>(greeting)).rows
  if (!facts) throw new Error('the database did not answer the greeting')
  const refused = refusal(facts)
  if (refused) throw refused
  pids.set(client, facts.pid)
}
