import { createHash } from 'node:crypto'
import { chmod, mkdir, realpath, stat, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PostgresError } from './errors.ts'
import { hasCode } from './process.ts'

/** A user and group to run as. */
export interface Account {
  readonly uid: number
  readonly gid: number
}

export interface Place {
  /** Holds `data`, `password`, `server.log` and, where needed, a copy of the binaries. */
  readonly home: string
  /** PostgreSQL refuses root, so root spawns it as somebody else; undefined: as ourselves. */
  readonly account: Account | undefined
  /** True when `home` was made outside the data directory just now. */
  readonly relocated: boolean
}

/** `nobody`: the one account without rights that every Linux has; initdb needs it to be in the user list. */
const nobody: Account = { uid: 65534, gid: 65534 }
/** State that must survive: the second one is emptied of old files on some systems, so it comes last. */
const reachable = ['/var/lib', '/var/tmp']

/**
 * Finds or makes the server's home: `postgres` in the data directory, which is a symbolic link to the real place when
 * the server's account cannot reach the data directory (root's own home is 0700). The link keeps the two together.
 */
export async function findPlace(dataDir: string): Promise<Place> {
  const link = join(dataDir, 'postgres')
  const root = process.getuid?.() === 0
  const existing = await realpath(link).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  })
  if (existing !== undefined) {
    const account = root ? await ownerOf(join(existing, 'data')) : undefined
    if (account && !(await canReach(existing, account))) throw unreachable(existing, account)
    return { home: existing, account, relocated: false }
  }
  const account = root ? nobody : undefined
  if (!account || (await canReach(dataDir, account))) {
    await makeHome(link)
    return { home: await realpath(link), account, relocated: false }
  }
  const home = await makeElsewhere(await realpath(dataDir), account)
  await symlink(home, link)
  return { home, account, relocated: true }
}

/** Whoever owns existing data goes on serving it, so that root can start what an ordinary user has made. */
async function ownerOf(data: string): Promise<Account> {
  try {
    const { uid, gid } = await stat(data)
    return uid === 0 ? nobody : { uid, gid }
  } catch {
    return nobody
  }
}

/** Ours and 0711: the account passes through to its `data`, and can replace nothing beside it. */
async function makeHome(home: string): Promise<void> {
  await mkdir(home)
  await chmod(home, 0o711)
}

async function makeElsewhere(dataDir: string, account: Account): Promise<string> {
  const name = `catchment-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`
  for (const parent of reachable) {
    // A leftover keeps its data, as it may be wanted: the new one takes the next name.
    for (let number = 1; number < 1000 && (await canReach(parent, account)); number++) {
      const home = join(parent, number === 1 ? name : `${name}-${number}`)
      try {
        await makeHome(home)
        return home
      } catch (error) {
        if (!hasCode(error, 'EEXIST')) break
      }
    }
  }
  throw unreachable(dataDir, account)
}

/** Whether the account may pass through `path` and every folder above it. */
export async function canReach(path: string, account: Account): Promise<boolean> {
  let folder = await realpath(path)
  for (;;) {
    const { mode, uid, gid } = await stat(folder)
    const execute = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
    if ((mode & execute) === 0) return false
    if (dirname(folder) === folder) return true
    folder = dirname(folder)
  }
}

function unreachable(path: string, { uid }: Account): PostgresError {
  return new PostgresError(`PostgreSQL must not run as root, and user ${uid} cannot reach ${path}`, {
    code: 'data_directory_unreachable',
    hint: 'Start Catchment as an ordinary user, set CATCHMENT_DATA to a directory others may pass through, or use DATABASE_URL.',
  })
}
