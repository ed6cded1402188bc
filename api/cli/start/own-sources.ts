import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Db } from '../../../core/catalog/db.ts'
import { isTaken, removeSandbox } from '../../../core/catalog/sandbox.ts'
import { CatchmentError } from '../../../core/sdk/index.ts'

/** The source that the sandbox organisation is. */
export const sandboxName = 'github'

export function sandboxFolder(data: string): string {
  return join(data, 'sandbox')
}

/** Once sources of one's own are configured, what was only to play with is no part of the catalog. */
export async function endSandbox(db: Db, data: string, say: (text: string) => void): Promise<void> {
  const removed = await removeSandbox(db, Date.now())
  if (removed === undefined) return
  rmSync(sandboxFolder(data), { recursive: true, force: true })
  rmSync(join(data, 'sandbox-access.json'), { force: true })
  say(
    `The sandbox organisation is taken out of the catalog, with ${removed.deleted} entities: catchment.yaml is there now.`,
  )
}

/** Without the configuration file the sandbox must not be scanned into what real tools said. */
export async function refuseToMix(db: Db, data: string): Promise<void> {
  if (existsSync(sandboxFolder(data)) || !(await isTaken(db, sandboxName))) return
  throw new CatchmentError(
    `There is no catchment.yaml, and this catalog has a source ${sandboxName} of yours: the sandbox would mix with it.`,
    {
      code: 'sandbox_would_mix',
      exitCode: 2,
      hint: 'Put the file back (or name it: --config FILE), or give the sandbox a folder of its own: CATCHMENT_DATA=.catchment-sandbox npm start',
    },
  )
}
