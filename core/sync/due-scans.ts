import { CatchmentError, RateLimited } from '../sdk/index.ts'
import { describeError, Stopped } from './errors.ts'
import { runScan } from './scan.ts'
import { nextRun } from './schedule.ts'
import { now, type Session } from './session.ts'

/** Kinds with scans that the source's wish for a pause interrupted, by session. */
const parked = new WeakMap<Session, Set<string>>()

/**
 * Runs every kind that is due: by its schedule, because somebody asked, because a pause is over, and with `resume` (after a
 * start) because a scan was left open. Answers when to look again (milliseconds since the epoch).
 */
export async function runDueScans(session: Session, options: { readonly resume: boolean }): Promise<number> {
  const { store } = session.ports
  const interrupted = parked.get(session) ?? new Set()
  parked.set(session, interrupted)
  if (options.resume) for (const name of session.kinds.keys()) interrupted.add(name)
  let next = Number.POSITIVE_INFINITY
  for (const name of session.kinds.keys()) {
    if (session.signal.aborted) break
    const quiet = Math.max(session.quietUntil, session.scansQuietUntil)
    if (now(session) < quiet) return quiet
    const schedule = await store.schedule(session.source.id, name)
    const due = schedule === undefined || schedule.requested || schedule.next <= now(session)
    if (due || (interrupted.has(name) && (await hasOpen(session, name)))) {
      interrupted.delete(name)
      const until = await run(session, name, !due)
      if (until !== undefined) {
        interrupted.add(name)
        next = Math.min(next, until)
      }
    } else interrupted.delete(name)
    next = Math.min(next, (await store.schedule(session.source.id, name))?.next ?? next)
  }
  return next
}

async function hasOpen(session: Session, name: string): Promise<boolean> {
  for (const { row } of session.kinds.get(name)?.partitions.values() ?? []) {
    if ((await session.ports.store.openScan(row.id)) !== undefined) return true
  }
  return false
}

/** Until when the source wants to be left alone. What it did wrong is said; the next run by schedule tries again. */
async function run(session: Session, name: string, resume: boolean): Promise<number | undefined> {
  try {
    return (await runScan(session, name, { resume })).parkedUntil
  } catch (error) {
    if (error instanceof Stopped || error instanceof RateLimited || !(error instanceof CatchmentError)) throw error
    session.ports.log('warn', 'scan could not begin', {
      source: session.runtime.name,
      kind: name,
      ...describeError(error),
    })
    await session.ports.store.setSchedule(session.fence, session.source.id, name, retryAt(session), false)
    return undefined
  }
}

/** A source that is down is tried again soon, whatever its schedule says. */
function retryAt(session: Session): number {
  const soon = now(session) + 60_000 * (0.75 + session.ports.random() / 2)
  return Math.min(nextRun(session.runtime.schedule.scan, now(session)), soon)
}
