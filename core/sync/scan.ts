import type { ScanRow } from '../catalog/stored.ts'
import { type Check, RateLimited } from '../sdk/index.ts'
import { checkCredential } from './check.ts'
import { Quiet } from './errors.ts'
import { findPartitions } from './partitions.ts'
import { scanPartition } from './scan-partition.ts'
import { nextRun } from './schedule.ts'
import { type KindSession, keepQuiet, kindOf, now, type PartitionSession, type Session } from './session.ts'
import { transition } from './states.ts'

export interface ScanReport {
  /** Milliseconds since the epoch: the source asked for a pause, go on then. */
  readonly parkedUntil?: number
}

interface Opened {
  readonly partition: PartitionSession
  readonly scan: ScanRow
  readonly resumed: boolean
}

/**
 * One run over a kind: every partition that can be read is listed once, those with an open scan go on where they were.
 * With `resume` only those. Throws what `check` and `partitions` throw, but not what a listing throws: that ends its scan.
 */
export async function runScan(
  session: Session,
  kindName: string,
  options: { resume?: boolean } = {},
): Promise<ScanReport> {
  const kind = kindOf(session, kindName)
  try {
    const check = await checkCredential(session)
    const wanted = options.resume === true ? [...kind.partitions.values()] : await findPartitions(session, kind)
    // All are opened before the first is listed, so that a restart knows what is left to do.
    const opened: Opened[] = []
    for (const partition of wanted) {
      const open = await openScan(session, kind, partition, check, options.resume === true)
      if (open !== undefined) opened.push(open)
    }
    // One that goes on began before it was asked for: what came in between is found by another run.
    const again = opened.some(({ resumed }) => resumed)
    if (options.resume !== true) await planNext(session, kind, again)
    for (const { partition, scan, resumed } of opened) {
      const report = await scanPartition(session, kind, partition, scan, resumed)
      if (report.parkedUntil !== undefined) return report
    }
    return {}
  } catch (error) {
    if (error instanceof RateLimited) {
      await keepQuiet(session, error.retryAt, error.reserve)
      return { parkedUntil: error.retryAt }
    }
    if (error instanceof Quiet) return { parkedUntil: error.until }
    throw error
  }
}

/**
 * Answers the request: after the scans are opened, so that a crash cannot lose it, and before anything is listed, so that one
 * that comes later asks for another run.
 */
async function planNext(session: Session, kind: KindSession, again: boolean): Promise<void> {
  const next = nextRun(session.runtime.schedule.scan, now(session))
  await session.ports.store.setSchedule(session.fence, session.source.id, kind.name, next, again)
}

/** Goes on with the scan that a crash or a pause left open, if the credential still sees what it saw then. */
async function openScan(
  session: Session,
  kind: KindSession,
  partition: PartitionSession,
  check: Check,
  resumeOnly: boolean,
): Promise<Opened | undefined> {
  const { store } = session.ports
  const { onTransition } = session.settings
  const open = await store.openScan(partition.row.id)
  if (open === undefined && resumeOnly) return undefined
  if (open !== undefined && open.fingerprint === check.fingerprint) {
    transition('scan', open.state, 'resume', onTransition)
    if (open.state !== 'running') await store.setScan(session.fence, open.id, { state: 'running' })
    return { partition, scan: { ...open, state: 'running' }, resumed: true }
  }
  if (open !== undefined) {
    const state = transition('scan', open.state, 'abandon', onTransition)
    const reason = 'what the credential may see has changed meanwhile'
    await store.setScan(session.fence, open.id, { state, reason, ended: now(session) })
  }
  // A signal is either applied before the scan begins or knows that it is open.
  const scan = await session.write(() =>
    store.beginScan(session.fence, {
      partitionId: partition.row.id,
      fingerprint: check.fingerprint,
      now: now(session),
    }),
  )
  transition('scan', 'none', 'begin', onTransition)
  session.ports.onEvent?.({
    type: 'scan',
    source: session.runtime.name,
    kind: kind.name,
    partition: partition.row.name,
    scan: scan.id,
    state: 'running',
    items: 0,
    changed: 0,
    pages: 0,
    ...(scan.expected === undefined ? {} : { expected: scan.expected }),
  })
  return { partition, scan, resumed: false }
}
