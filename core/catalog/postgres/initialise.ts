import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Binaries } from './binaries.ts'
import { fromServerOutput, PostgresError } from './errors.ts'
import type { Place } from './place.ts'
import { hasCode } from './process.ts'

/** The superuser of the embedded server; its database is PostgreSQL's own first one. */
export const superuser = 'catchment'

/** What the server's programs may know of our environment: nothing that could change what they do. */
export const environment = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' }

export interface InitialiseOptions {
  /** False only where a power cut may cost everything: tests. */
  readonly sync: boolean
}

/**
 * Makes the data directory, whole or not at all. A password, because every user of the machine reaches a port on
 * localhost; random, so nobody has to choose one.
 */
export async function initialise(
  { bin, major }: Binaries,
  { home, account }: Place,
  { sync }: InitialiseOptions,
): Promise<void> {
  await dropDrafts(home)
  const draft = join(home, `data.${process.pid}`)
  const password = join(home, `password.${process.pid}`)
  await mkdir(draft, { mode: 0o700 })
  await writeFile(password, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
  if (account) for (const path of [draft, password]) await chown(path, account.uid, account.gid)
  // The same order of text on every system. The built-in provider needs no locale of the system and is the fastest.
  const locale =
    major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'] : ['--locale=C.UTF-8']
  const flags = ['-A', 'scram-sha-256', `--pwfile=${password}`, '-U', superuser, '--encoding=UTF8', ...locale]
  try {
    const options = { cwd: home, env: environment, ...account }
    await promisify(execFile)(
      join(bin, 'initdb'),
      ['-D', draft, ...flags, '--no-instructions', ...(sync ? [] : ['--no-sync'])],
      options,
    )
  } catch (error) {
    await dropDrafts(home)
    throw fromServerOutput(outputOf(error), error)
  }
  if (account) await chown(password, process.getuid?.() ?? 0, process.getgid?.() ?? 0)
  await rename(password, join(home, 'password'))
  await rename(draft, join(home, 'data'))
}

export async function readPassword(home: string): Promise<string> {
  try {
    return (await readFile(join(home, 'password'), 'utf8')).trim()
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT')) throw cause
    throw new PostgresError(`the password of the embedded PostgreSQL is missing (${join(home, 'password')})`, {
      code: 'database_password_missing',
      hint: 'Restore the file together with the data beside it, or move both away and let the sources be scanned again.',
      cause,
    })
  }
}

/** Leftovers of a start that was killed; whoever reads this holds the lock. */
async function dropDrafts(home: string): Promise<void> {
  const drafts = (await readdir(home)).filter((name) => /^(data|password)\.\d+$/.test(name))
  await Promise.all(drafts.map((name) => rm(join(home, name), { recursive: true, force: true, maxRetries: 5 })))
}

function outputOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'stderr' in error && typeof error.stderr === 'string' && error.stderr !== '' ? error.stderr : error.message
}
