import type { StoredRecord } from '../catalog/stored.ts'
import { BadAnswer } from '../sdk/index.ts'
import type { Subject, Word } from './coalesce.ts'
import { compareVersions } from './decide.ts'
import { decideSeen, planDoubt, planWrite, presenceState, readItem, type Seen } from './observe.ts'
import { type Plan, planRemoval } from './plan.ts'
import type { KindSession, PartitionSession, Session } from './session.ts'

/** The body of a delivery cannot be read: the delivery is set aside, the others go on. */
export class PoisonSignal extends Error {}

/** What the deliveries of one pass say about one key, against what is stored. `tick`: of now. */
export async function planSubject(
  session: Session,
  kind: KindSession,
  plan: Plan,
  subject: Subject,
  tick: bigint,
): Promise<void> {
  const { key, word } = subject
  const partition = kind.partitions.get(subject.partition)
  if (partition === undefined) return
  const stored = await session.ports.store.record(kind.id, key)
  const ask = (reason: string, signed: boolean): void => {
    const locator = subject.locator ?? stored?.locator ?? {}
    const doubt = { key, reason, serial: tick, signed, locator }
    planDoubt(kind, plan, partition, doubt, presenceState(stored, partition.row.id))
  }
  if (word.type === 'ask') ask(word.reason, word.signed)
  else if (word.type === 'gone') planGone(plan, partition, word, stored, tick, ask)
  else planBody(session, kind, plan, partition, readBody(kind, subject, word), stored, tick, ask)
}

/** Believed only with a version that is newer than what is stored (I2); a late one is a question like any other. */
function planGone(
  plan: Plan,
  partition: PartitionSession,
  word: Extract<Word, { type: 'gone' }>,
  stored: StoredRecord | undefined,
  tick: bigint,
  ask: (reason: string, signed: boolean) => void,
): void {
  const partitionId = partition.row.id
  if (stored === undefined || presenceState(stored, partitionId) !== 'live') return
  if (compareVersions(word.version, stored.version) !== 'newer') {
    ask('a delivery says that it is gone, at a version that is not newer', true)
    return
  }
  const span = { begin: 0n, end: tick }
  planRemoval(plan, stored, { partitionId, span, version: word.version, reason: 'gone', signed: true })
}

function planBody(
  session: Session,
  kind: KindSession,
  plan: Plan,
  partition: PartitionSession,
  seen: Seen,
  stored: StoredRecord | undefined,
  tick: bigint,
  ask: (reason: string, signed: boolean) => void,
): void {
  // Made nobody knows when: it is ordered by its version alone, and a sweep that misses the key asks.
  const where = { via: 'signal', partition, span: { begin: 0n, end: tick }, presences: [partition.row.id] } as const
  const decision = decideSeen(session, kind, seen, where, stored)
  if (decision.do === 'ask') ask(decision.reason, false)
  if (decision.do !== 'replace') return
  // It may be older than a deletion that left no trace, and nobody can be asked: the next scan tells.
  if (kind.kind.get === undefined && presenceState(stored, partition.row.id) !== 'live')
    plan.requestedScans.add(kind.name)
  try {
    planWrite(session, kind, plan, seen, where, stored)
  } catch (error) {
    throw new PoisonSignal('the body cannot be read', { cause: error })
  }
}

function readBody(kind: KindSession, subject: Subject, { signal, version }: Extract<Word, { type: 'body' }>): Seen {
  try {
    const body = signal.body ?? null
    const key = kind.kind.key(body)
    if (key !== subject.key) throw new BadAnswer(`The delivery is about ${subject.key}, its body is ${key}.`)
    return readItem(kind.kind, key, body, version)
  } catch (error) {
    throw new PoisonSignal('the body cannot be read', { cause: error })
  }
}
