import { describeError, isSourceError } from './errors.ts'
import { runScan } from './scan.ts'
import { nextRun } from './schedule.ts'
import { now, type Session } from './session.ts'

/** What a session remembers between two looks at its schedules. */
interface Memory {
  /** Kinds with scans that a pause or a restart interrupted. */
  readonly interrupted: Set<string>
  /** The schedule's next moment, as it was computed at `at`. */
  cron: { readonly at: number; readonly next: number }
}

const memories = new WeakMap<Session, Memory>()

/**
 * Runs every kind that is due: by its schedule, because somebody asked, because a pause is over, and with `resume` (after a
 * start) because a scan was left open. Answers when to look again (milliseconds since the epoch).
 */
export async function runDueScans(session: Session, options: { readonly resume: boolean }): Promise<number> {
  const memory = memories.get(session) ?? { interrupted: new Set(), cron: cronOf(session) }
  memories.set(session, memory)
  // A clock that stepped back begins to count anew.
  if (now(session) < memory.cron.at) memory.cron = cronOf(session)
  const passed = memory.cron.next <= now(session)
  if (options.resume) for (const name of session.kinds.keys()) memory.interrupted.add(name)
  let next = Number.POSITIVE_INFINITY
  for (const name of session.kinds.keys()) {
    if (session.signal.aborted) break
    const quiet = Math.max(session.quietUntil, session.scansQuietUntil)
    if (now(session) < quiet) return quiet
    next = Math.min(next, await runIfDue(session, name, memory, passed))
  }
  if (passed) memory.cron = cronOf(session)
  return Math.min(next, memory.cron.next)
}

function cronOf(session: Session): Memory['cron'] {
  return { at: now(session), next: nextRun(session.runtime.schedule.scan, now(session)) }
}

/** `passed`: a moment of the schedule has come. What was planned for later than that was planned by a clock that was ahead. */
async function runIfDue(session: Session, name: string, memory: Memory, passed: boolean): Promise<number> {
  const { store } = session.ports
  const { interrupted, cron } = memory
  const planned = await store.schedule(session.source.id, name)
  const late = planned !== undefined && planned.next > cron.next && passed
  const due = planned === undefined || planned.requested || planned.next <= now(session) || late
  const open = interrupted.delete(name) && (due || (await hasOpen(session, name)))
  if (!due && !open) return planned.next
  const until = await run(session, name, !due)
  if (until !== undefined) {
    interrupted.add(name)
    return until
  }
  const after = await store.schedule(session.source.id, name)
  // Asked for again while it ran.
  return after === undefined || after.requested ? now(session) : after.next
}

async function hasOpen(session: Session, name: string): Promise<boolean> {
  for (const { row } of session.kinds.get(name)?.partitions.values() ?? []) {
    if ((await session.ports.store.openScan(row.id)) !== undefined) return true
  }
  return false
}

/** Until when the source wants to be left alone. What it did wrong is said; it is tried again soon. */
async function run(session: Session, name: string, resume: boolean): Promise<number | undefined> {
  try {
    return (await runScan(session, name, { resume })).parkedUntil
  } catch (error) {
    if (!isSourceError(error)) throw error
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
