import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { startTemporary, type TemporaryServer } from './temporary.ts'

/** Where Debian's package `postgresql-15` puts the oldest server we support. */
const bin = '/usr/lib/postgresql/15/bin'

export function startPostgres15(): Promise<TemporaryServer> {
  if (!existsSync(join(bin, 'postgres')))
    throw new Error(`no PostgreSQL 15 in ${bin}: install Debian's package postgresql-15`)
  return startTemporary({ bin, major: 15 })
}

/** `node core/testkit/postgres15.ts COMMAND ARGS...` runs a command whose tests use PostgreSQL 15, as the store's do in CI. */
if (import.meta.main) {
  const [command = 'true', ...args] = process.argv.slice(2)
  const server = await startPostgres15()
  try {
    const child = spawn(command, args, {
      stdio: 'inherit',
      env: { ...process.env, CATCHMENT_TEST_DATABASE_URL: server.url },
    })
    // A signal ends the command first; then the server goes.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
    const [status]: unknown[] = await once(child, 'exit')
    process.exitCode = typeof status === 'number' ? status : 1
  } finally {
    await server.stop()
  }
}
