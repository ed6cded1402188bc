import pg from 'pg'
import { CatchmentError, type ErrorDetails } from '../../sdk/errors.ts'

/** Trouble with the database itself, not with what was asked of it. Codes are in the tables below and in docs/errors.md. */
export class PostgresError extends CatchmentError {}

interface Pattern {
  readonly pattern: RegExp
  readonly code: string
  readonly message: string
  readonly hint: string
}

const damaged = {
  code: 'data_directory_corrupt',
  message: 'the data directory is damaged',
  hint: 'Restore it from a backup, or move it away and start again: the sources are scanned anew, history is lost.',
}

/** What the server's own words mean, first match wins: effects (a PANIC) are listed after their causes (no space). */
const patterns: readonly Pattern[] = [
  {
    pattern: /No space left on device|wrote only \d+ of \d+ bytes|Check free disk space/,
    code: 'disk_full',
    message: 'the disk is full',
    hint: 'Free space on the disk that holds the data directory and start again; committed data is kept.',
  },
  {
    pattern: /could not bind .*(Address already in use|Permission denied)|could not create any TCP\/IP sockets/,
    code: 'postgres_port_in_use',
    message: 'the port of the embedded PostgreSQL is taken',
    hint: 'Choose another port, or none to let one be found.',
  },
  {
    pattern: /was initialized by PostgreSQL version/,
    code: 'data_directory_version',
    message: 'the data directory was made by another major version of PostgreSQL',
    hint: 'Use the Catchment version that made it, or move the directory away and let the sources be scanned again.',
  },
  {
    pattern: /lock file ".*" already exists|pre-existing shared memory block/,
    code: 'data_directory_locked',
    message: 'another PostgreSQL still uses the data directory',
    hint: 'End that server, then start again.',
  },
  {
    pattern:
      /database files are incompatible with server|could not locate a valid checkpoint record|could not locate required checkpoint|incorrect checksum in control file|is not a valid data directory|invalid (checkpoint|primary checkpoint|magic|page)|could not (open|read|access|stat) (file|directory|the server configuration file) ".*": (No such file|read \d)|required WAL directory ".*" does not exist|unexpected end of file|contains invalid data|database system identifier differs/,
    ...damaged,
  },
  {
    pattern: /wrong ownership|invalid permissions|[Pp]ermission denied/,
    code: 'data_directory_not_ours',
    message: 'the data directory belongs to another user or may not be read',
    hint: 'Start Catchment as the user who made the directory, or give it (chown -R) to the one who runs it now.',
  },
  {
    pattern:
      /error while loading shared libraries|spawn .* (ENOENT|EACCES|ENOEXEC)|program ".*" is needed by|Library not loaded|cannot execute|Exec format error|not found \(required by/,
    code: 'postgres_binaries_broken',
    message: 'the embedded PostgreSQL does not run on this machine',
    hint: 'Run npm ci again, or set DATABASE_URL to a PostgreSQL 15 or newer.',
  },
  {
    pattern:
      /spawn .* EPERM|could not look up effective user ID|cannot be run as root|execution of the PostgreSQL server is not permitted/,
    code: 'postgres_start_failed',
    message: 'PostgreSQL refuses to run as this user',
    hint: 'Start Catchment as an ordinary user, or set DATABASE_URL to a PostgreSQL 15 or newer.',
  },
]

const startFailed = {
  code: 'postgres_start_failed',
  message: 'the embedded PostgreSQL did not start',
  hint: 'The message has its own words. With DATABASE_URL set, Catchment uses a server of your own instead.',
}

const ended = {
  code: 'postgres_ended',
  message: 'the embedded PostgreSQL ended by itself',
  hint: 'Start Catchment again: it recovers all that was committed. If it was killed, look for the system running out of memory.',
}

/** The line of the server's output that says why: the matching one, else what is most likely to be the cause. */
function decisive(output: string, pattern: RegExp = /\bPANIC:|was terminated by signal/): string {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const line =
    lines.find((each) => pattern.test(each)) ??
    lines.findLast((each) => /\b(FATAL|error):/.test(each)) ??
    lines.at(-1) ??
    'it said nothing'
  return line.replace(/^.*?\b(FATAL|PANIC|LOG|ERROR): +/, '')
}

/** Turns what initdb or postgres wrote to stderr when it would not start into the error that says who should act. */
export function fromServerOutput(output: string, cause?: unknown): PostgresError {
  return explain(output, startFailed, cause)
}

/** The same for a server that was running. */
export function fromServerExit(output: string, how: string): PostgresError {
  return explain(output, { ...ended, message: `${ended.message} (${how})` })
}

function explain(output: string, otherwise: Omit<Pattern, 'pattern'>, cause?: unknown): PostgresError {
  const known = patterns.find(({ pattern }) => pattern.test(output))
  const { code, message, hint } = known ?? otherwise
  return new PostgresError(`${message}: ${decisive(output, known?.pattern)}`, { code, hint, status: 503, cause })
}

/** What statements say of a server whose files are broken: data or index corrupted, a file missing, the first database gone. */
const damageStates: ReadonlySet<string> = new Set(['XX001', 'XX002', '58P01', '3D000'])

/** For the embedded server: nobody but us has made its data, so what is missing there is damage. Others are passed on. */
export function asDamage(error: unknown): unknown {
  const cause = error instanceof PostgresError ? error.cause : error
  if (!(cause instanceof Error) || !damageStates.has(sqlState(cause) ?? '')) return error
  const { code, hint, message } = damaged
  return new PostgresError(`${message}: ${cause.message}`, { code, hint, status: 503, cause })
}

/** Errors of the file system around the data directory; anything else is passed on as it is. */
export function fileTrouble(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || cause instanceof CatchmentError) return cause
  const errno = 'code' in cause ? String(cause.code) : ''
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    return new PostgresError(`the disk is full: ${cause.message}`, {
      code: 'disk_full',
      hint: `Free space on the disk that holds ${path} and start again.`,
      status: 503,
      cause,
    })
  }
  if (!/^(EACCES|EPERM|EROFS|ENOTDIR|EEXIST|EISDIR|ELOOP)$/.test(errno)) return cause
  return new PostgresError(`the data directory cannot be used: ${cause.message}`, {
    code: 'data_directory_not_ours',
    hint: `Make ${path} a directory this user may write, or set CATCHMENT_DATA to another one.`,
    exitCode: 2,
    cause,
  })
}

const connectionCodes: Readonly<Record<string, Pick<ErrorDetails, 'code' | 'hint'> & { readonly message: string }>> = {
  '28P01': {
    code: 'database_login_refused',
    message: 'the database refuses the login',
    hint: 'Correct user and password in DATABASE_URL.',
  },
  '28000': {
    code: 'database_login_refused',
    message: 'the database refuses the login',
    hint: 'Allow this user and host in pg_hba.conf, or correct DATABASE_URL.',
  },
  '3D000': {
    code: 'database_missing',
    message: 'the database does not exist',
    hint: 'Create it, or correct its name in DATABASE_URL.',
  },
  '53100': {
    code: 'disk_full',
    message: 'the disk of the database is full',
    hint: 'Free space on it; nothing that was acknowledged is lost.',
  },
  '53300': {
    code: 'database_busy',
    message: 'the database takes no more connections',
    hint: 'Raise max_connections, or close other clients.',
  },
}

const networkCodes = /^(ECONN|EPIPE|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EAI_AGAIN)/
const lostMessages =
  /Connection terminated|connection error and is not queryable|timeout (exceeded|expired)|Cannot use a pool after/

export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/** Errors of the connection or the server become a PostgresError; those of the statement itself stay as `pg` made them. */
export function translate(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof CatchmentError) return error
  const state = sqlState(error)
  const known = state === undefined ? undefined : connectionCodes[state]
  if (known) return new PostgresError(`${known.message}: ${error.message}`, { ...known, status: 503, cause: error })
  const network = 'code' in error && typeof error.code === 'string' && networkCodes.test(error.code)
  const lost = state === undefined ? network || lostMessages.test(error.message) : /^(08|57P0)/.test(state)
  if (!lost) return error
  return new PostgresError(
    `the database cannot be reached: ${error.message || String('code' in error ? error.code : error.name)}`,
    {
      code: 'database_unreachable',
      hint: 'Start it, or correct host and port in DATABASE_URL.',
      status: 503,
      cause: error,
    },
  )
}
