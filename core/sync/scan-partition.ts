import { Unstorable } from '../catalog/refusals.ts'
import type { ScanRow } from '../catalog/stored.ts'
import { CredentialRefused, RateLimited, ScopeUnreadable } from '../sdk/index.ts'
import { checkCredential, makeUnknown } from './check.ts'
import { nearby } from './circle.ts'
import { ListingBroke, Quiet } from './errors.ts'
import { type ListContext, listPages, pagesOf } from './list-pages.ts'
import { startProgress } from './progress.ts'
import { emit, type KindSession, keepQuiet, now, type PartitionSession, type Session } from './session.ts'
import { transition } from './states.ts'
import { endScan } from './sweep-scan.ts'

/** Lists one partition to its end, or to where it breaks; then, and only if every page was read, the sweep. */
export async function scanPartition(
  session: Session,
  kind: KindSession,
  partition: PartitionSession,
  scan: ScanRow,
  resumed: boolean,
): Promise<{ readonly parkedUntil?: number }> {
  const before = session.runtime.usage?.()
  const report = await listToEnd(session, kind, partition, scan, resumed)
  const after = session.runtime.usage?.()
  if (before !== undefined && after !== undefined) {
    const calls = { calls: after.calls - before.calls, quota: after.quota - before.quota }
    await session.ports.store.countCalls(session.fence, scan.id, calls)
  }
  if (report.parkedUntil === undefined) emit(session, { type: 'scanned', scan: scan.id })
  return report
}

async function listToEnd(
  session: Session,
  kind: KindSession,
  partition: PartitionSession,
  scan: ScanRow,
  resumed: boolean,
): Promise<{ readonly parkedUntil?: number }> {
  const progress = startProgress(session, kind, partition, scan)
  const context: ListContext = { session, kind, partition, scan, progress, flaw: scan.reason }
  try {
    const last = resumed ? await session.ports.store.lastPages(scan.id, nearby) : []
    progress.resume(pagesOf(last))
    if (last.length === 0 || last.at(-1)?.next !== undefined) await listPages(context, last)
    await session.ports.store.forgetSetAside(session.fence, scan.id)
    if (context.flaw === undefined) await endScan(session, kind, partition, scan, progress, resumed)
    else await end(context, 'finish flawed', context.flaw)
    return {}
  } catch (error) {
    return await broken(context, error)
  }
}

async function end(context: ListContext, event: 'finish flawed' | 'fail', reason: string): Promise<void> {
  const { session, scan, progress } = context
  const state = transition('scan', 'running', event, session.settings.onTransition)
  await session.ports.store.setScan(session.fence, scan.id, { state, reason, ended: now(session) })
  progress.say(state, { reason })
}

/** What a listing throws ends its scan, or parks it. It never takes anything away. */
async function broken(context: ListContext, thrown: unknown): Promise<{ readonly parkedUntil?: number }> {
  const { session, partition } = context
  const error = thrown instanceof ListingBroke ? thrown.cause : thrown
  if (error instanceof RateLimited || error instanceof Quiet) {
    const until = error instanceof Quiet ? error.until : error.retryAt
    if (error instanceof RateLimited) await keepQuiet(session, error.retryAt, error.reserve)
    return await park(context, until)
  }
  if (!(thrown instanceof ListingBroke || thrown instanceof Unstorable)) throw thrown
  const reason = error instanceof Error ? error.message : String(error)
  if (error instanceof ScopeUnreadable) await makeUnknown(session, partition, 'refuse', reason)
  await end(context, 'fail', reason)
  // The check finds out whether it is the credential as a whole, and makes every partition unknown then.
  if (error instanceof CredentialRefused) await checkCredential(session).catch(() => undefined)
  return {}
}

async function park(context: ListContext, until: number): Promise<{ readonly parkedUntil: number }> {
  const { session, scan, progress } = context
  const state = transition('scan', 'running', 'park', session.settings.onTransition)
  await session.ports.store.setScan(session.fence, scan.id, { state, parkedUntil: until })
  progress.say(state, { parkedUntil: until })
  return { parkedUntil: until }
}
