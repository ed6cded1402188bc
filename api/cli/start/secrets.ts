import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

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
  mkdirSync(dataDir, { recursive: true })
  const next = join(dataDir, `.${name}.${process.pid}`)
  writeFileSync(next, `${text}\n`, { mode: 0o600 })
  renameSync(next, join(dataDir, name))
}
