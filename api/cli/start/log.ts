import { Writable } from 'node:stream'
import type { Level, Logger } from 'pino'
import pretty from 'pino-pretty'
import type { Db } from '../../../core/catalog/db.ts'
import { getScan } from '../../../core/catalog/query/scans.ts'
import { createLog } from '../../../core/ops/log.ts'
import type { Progress } from '../progress.ts'

const levels: readonly (Level | 'silent')[] = ['debug', 'info', 'warn', 'error', 'silent']

/**
 * People read a terminal, machines read anything else: there it is a JSON object a line on standard output. On a terminal a line
 * of the log goes through the progress, which is drawn again below it; what is routine is said there anyway, so the log
 * begins with warnings. CATCHMENT_LOG names another level.
 */
export function openLog(options: {
  readonly level: string | undefined
  readonly secrets: readonly string[]
  readonly out: NodeJS.WriteStream
  readonly progress: Pick<Progress, 'say'>
}): Logger {
  const { out, progress, secrets } = options
  const terminal = out.isTTY === true
  const level = levels.find((name) => name === options.level) ?? (terminal ? 'warn' : 'info')
  const above = new Writable({
    write(chunk: Buffer, _encoding, done) {
      progress.say(chunk.toString().trimEnd())
      done()
    },
  })
  return createLog({
    level,
    secrets,
    destination: terminal ? pretty({ colorize: true, destination: above }) : out,
  })
}

/** One line for each scan that ended, on the terminal and in the log. */
export async function tellScan(
  db: Db,
  scan: bigint,
  log: Logger,
  progress: Pick<Progress, 'onScanned'>,
): Promise<void> {
  const view = await getScan(db, String(scan), Date.now())
  progress.onScanned(view)
  const { source, kind, partition, state, reason, items, changed, removed, failed, held, calls, quota } = view
  const seconds = (Date.parse(view.endedAt ?? view.startedAt) - Date.parse(view.startedAt)) / 1000
  const fields = {
    scan: view.id,
    source,
    kind,
    partition,
    state,
    items,
    changed,
    removed,
    failed,
    held,
    calls,
    quota,
    seconds,
  }
  log.info(reason === null ? fields : { ...fields, reason }, 'Scan ended')
}
