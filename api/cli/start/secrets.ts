import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileTrouble } from '../../../core/catalog/postgres/errors.ts'
import type { Config } from '../../../core/config/index.ts'
import { isSecretName } from '../../../core/config/redacted.ts'

/**
 * Others may pass through what is made here, whatever the umask: the database runs as another user where we are root, and
 * would have to live elsewhere. What is secret in it has a mode of its own.
 */
export function makeDataDirectory(dataDir: string): void {
  try {
    const first = mkdirSync(dataDir, { recursive: true })
    if (first === undefined) return
    for (let made = dataDir; made.length >= first.length; made = dirname(made)) chmodSync(made, 0o755)
  } catch (error) {
    throw fileTrouble(dataDir, error)
  }
}

/** A secret of ours in the data directory (0600), made when it is first needed. */
export function ownSecret(dataDir: string, name: string): string {
  const file = join(dataDir, name)
  try {
    const kept = readFileSync(file, 'utf8').trim()
    if (kept !== '') return kept
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  return newSecret(dataDir, name)
}

/** Replaces it: whoever has the old one is locked out. */
export function newSecret(dataDir: string, name: string): string {
  const secret = randomBytes(24).toString('base64url')
  writePrivate(dataDir, name, secret)
  return secret
}

/** Whole or not at all, readable by its user only. */
export function writePrivate(dataDir: string, name: string, text: string): void {
  makeDataDirectory(dataDir)
  const next = join(dataDir, `.${name}.${process.pid}`)
  try {
    writeFileSync(next, `${text}\n`, { mode: 0o600 })
    renameSync(next, join(dataDir, name))
  } catch (error) {
    rmSync(next, { force: true })
    throw fileTrouble(dataDir, error)
  }
}

/** Everything in the configuration that must not be written anywhere: what the log looks for in its lines. */
export function secretsOf(config: Pick<Config, 'databaseUrl' | 'sources'>): readonly string[] {
  const url = config.databaseUrl?.reveal()
  const password = url === undefined || !URL.canParse(url) ? '' : new URL(url).password
  const own = config.sources.flatMap((source) => [
    source.webhooks.secret?.reveal() ?? '',
    ...secretTexts(source.config.reveal()),
  ])
  return [url ?? '', password, decodeURIComponent(password), ...own].filter((secret) => secret !== '')
}

/** Settings that are named like secrets, however deep. */
function secretTexts(settings: unknown): readonly string[] {
  if (typeof settings !== 'object' || settings === null) return []
  return Object.entries(settings).flatMap(([name, value]) =>
    typeof value === 'string' && isSecretName(name) ? [value] : secretTexts(value),
  )
}
