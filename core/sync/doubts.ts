import { Unstorable } from '../catalog/refusals.ts'
import type { Doubt } from '../catalog/stored.ts'
import { BadAnswer, type Got, RateLimited } from '../sdk/index.ts'
import { type Answer, answerOf, commitAnswer } from './answer.ts'
import { checkCredential, seesSince } from './check.ts'
import { commitPlan } from './commit.ts'
import { Quiet, Stopped } from './errors.ts'
import { readable } from './limits.ts'
import { newPlan } from './plan.ts'
import {
  type KindSession,
  keepQuiet,
  mayCall,
  now,
  type PartitionSession,
  type Session,
  untilStopped,
} from './session.ts'
import { transition } from './states.ts'

export interface OpenDoubt {
  readonly doubt: Doubt
  readonly kind: KindSession
  readonly partition: PartitionSession
}

/** Asks the source about keys in doubt and applies what it answers. Answers how many were asked about or given up. */
export async function settleDoubts(session: Session): Promise<number> {
  const { store } = session.ports
  if (now(session) < session.quietUntil) return 0
  const due = await store.dueDoubts(session.source.id, now(session), session.settings.doubtBatch)
  const open: OpenDoubt[] = []
  for (const doubt of due) {
    const kind = session.kinds.get(doubt.kind)
    const partition = kind?.partitions.get(doubt.partition)
    if (kind === undefined || partition === undefined)
      await postpone(session, doubt, 'its kind is not scanned any more')
    else if (kind.kind.get === undefined) await listInstead(session, kind, doubt)
    else open.push({ doubt, kind, partition })
  }
  const { doubtConcurrency } = session.settings
  for (let from = 0; from < open.length; from += doubtConcurrency) {
    const some = open.slice(from, from + doubtConcurrency)
    const answers = await askAll(session, some)
    const checked = answers.some(({ state }) => state === 'gone') ? await fingerprint(session) : undefined
    for (const [index, each] of some.entries()) {
      const answer = answers[index]
      if (answer === undefined) continue
      const believed = await believe(session, each, answer, checked)
      if (believed.state === 'unknown') await postpone(session, each.doubt, believed.reason)
      else await applyAnswer(session, each, believed)
    }
  }
  return due.length
}

async function applyAnswer(
  session: Session,
  open: OpenDoubt,
  answer: Exclude<Answer, { state: 'unknown' }>,
): Promise<void> {
  try {
    if (!(await commitAnswer(session, open, answer))) await askAgain(session, open.doubt)
  } catch (error) {
    if (!(error instanceof Unstorable)) throw error
    await postpone(session, open.doubt, `the answer cannot be stored: ${error.message}`)
  }
}

/** Side by side, in order, between the same two ticks. */
async function askAll(session: Session, open: readonly OpenDoubt[]): Promise<readonly Answer[]> {
  const begin = await session.ports.store.tick()
  const calls = await Promise.all(open.map((each) => call(session, each)))
  const end = await session.ports.store.tick()
  return calls.map((got, index): Answer => {
    const each = open[index]
    if (got.state === 'unknown') return got
    if (each === undefined) return { state: 'unknown', reason: 'it was not asked' }
    try {
      return answerOf(each.kind, each.doubt, got, { begin, end })
    } catch (error) {
      return { state: 'unknown', reason: reasonOf(readable(error)) }
    }
  })
}

async function call(session: Session, { doubt, kind, partition }: OpenDoubt): Promise<Got> {
  try {
    mayCall(session, 'live')
    const asked = kind.kind.get?.(doubt.key, doubt.locator, partition.row.name, session.signal)
    return asked === undefined ? { state: 'unknown', reason: 'it cannot be asked' } : await untilStopped(session, asked)
  } catch (error) {
    if (error instanceof Stopped) throw error
    if (error instanceof RateLimited) await keepQuiet(session, error.retryAt, false)
    return { state: 'unknown', reason: reasonOf(error) }
  }
}

/** What the credential may see now; a text when that cannot be found out. */
async function fingerprint(session: Session): Promise<{ readonly now: string } | { readonly failed: string }> {
  try {
    return { now: (await checkCredential(session)).fingerprint }
  } catch (error) {
    if (error instanceof Stopped) throw error
    return { failed: reasonOf(error) }
  }
}

/**
 * "Gone" proves something only while the scope can be read and the credential sees what it saw when the catalog last saw the
 * object: many sources answer 404 for what a token may no longer see (I2).
 */
async function believe(
  session: Session,
  { partition, kind, doubt }: OpenDoubt,
  answer: Answer,
  checked: { readonly now: string } | { readonly failed: string } | undefined,
): Promise<Answer> {
  if (answer.state !== 'gone' || checked === undefined) return answer
  const unknown = (reason: string): Answer => ({ state: 'unknown', reason: `said to be gone, but ${reason}` })
  const { id, state } = partition.row
  const stored = await session.ports.store.record(kind.id, doubt.key)
  const presence = stored?.presences.find((each) => each.partitionId === id)
  // Nothing would be taken away.
  if (stored?.state !== 'live' || presence === undefined || presence.ended) return answer
  if ('failed' in checked) return unknown(`the credential could not be checked: ${checked.failed}`)
  if (state !== 'known') return unknown('the partition has not been read completely')
  const since = await seesSince(session, id, checked.now)
  if (since === undefined || presence.span.begin < since) return unknown('what the credential may see has changed')
  return answer
}

const FIRST_PAUSE = 5_000
const LONGEST_PAUSE = 15 * 60_000

async function postpone(session: Session, doubt: Doubt, reason: string): Promise<void> {
  const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(doubt.attempts, 20))
  const jittered = pause * (0.75 + session.ports.random() / 2)
  const until = Math.max(now(session) + jittered, session.quietUntil)
  await session.ports.store.postponeDoubt(session.fence, doubt, until, reason)
  transition('doubt', 'open', 'postpone', session.settings.onTransition)
}

/** What is stored moved while the source was asked: the answer decides nothing, the next one will. */
async function askAgain(session: Session, doubt: Doubt): Promise<void> {
  await session.ports.store.postponeDoubt(session.fence, doubt, now(session), doubt.reason)
  transition('doubt', 'open', 'postpone', session.settings.onTransition)
}

async function listInstead(session: Session, kind: KindSession, doubt: Doubt): Promise<void> {
  await commitPlan(session, kind, () => {
    const plan = newPlan({ type: 'get', reason: doubt.reason })
    plan.requestedScans.add(kind.name)
    plan.settledDoubts.push(doubt)
    plan.moves.add('doubt', 'open', 'settle')
    return Promise.resolve(plan)
  })
}

function reasonOf(error: unknown): string {
  if (error instanceof Quiet) return 'the source asked us to wait'
  if (error instanceof BadAnswer) return `the answer could not be used: ${error.message}`
  return error instanceof Error ? error.message : String(error)
}
