import type { Doubt, Span, StoredRecord } from '../catalog/stored.ts'
import { BadAnswer, type Got } from '../sdk/index.ts'
import { commitPlan } from './commit.ts'
import type { OpenDoubt } from './doubts.ts'
import { decideSeen, planWrite, presenceState, readItem, type Seen } from './observe.ts'
import { dissolvePresenceHold, newPlan, type Plan, planRemoval } from './plan.ts'
import type { KindSession, PartitionSession, Session } from './session.ts'

export type Answer =
  | {
      readonly state: 'present'
      readonly seen: Seen
      readonly partitions: readonly PartitionSession[]
      readonly span: Span
    }
  | { readonly state: 'gone'; readonly span: Span }
  /** Proves nothing: the record stays, the source is asked again later. */
  | { readonly state: 'unknown'; readonly reason: string }

/** Reads an answer. Throws BadAnswer, and what the kind throws, for a body that cannot be used. */
export function answerOf(kind: KindSession, doubt: Doubt, got: Got, span: Span): Answer {
  if (got.state === 'unknown') return got
  if (got.state === 'gone') return { state: 'gone', span }
  const key = kind.kind.key(got.body)
  if (key !== doubt.key) throw new BadAnswer(`asked about ${doubt.key}, the answer is ${key}`)
  const seen = readItem(kind.kind, key, got.body)
  const asked = [...kind.partitions.values()].find(({ row }) => row.id === doubt.partitionId)
  const names = got.partitions ?? (asked === undefined ? [] : [asked.row.name])
  // A partition that is not configured holds nothing of ours.
  const partitions = names.flatMap((name) => kind.partitions.get(name) ?? [])
  return { state: 'present', seen, partitions, span }
}

/** Applies an answer and settles the doubt. False: something moved meanwhile, the source must be asked again. */
export async function commitAnswer(
  session: Session,
  { doubt, kind, partition }: OpenDoubt,
  answer: Exclude<Answer, { state: 'unknown' }>,
): Promise<boolean> {
  let decided = false
  await commitPlan(session, kind, async () => {
    const plan = newPlan({ type: 'get', reason: doubt.reason })
    const stored = await session.ports.store.record(kind.id, doubt.key)
    decided =
      answer.state === 'gone'
        ? planAbsence(plan, doubt, partition, stored, answer.span)
        : planPresent(session, kind, plan, doubt, stored, answer)
    if (!decided) return newPlan(plan.cause)
    plan.settledDoubts.push({ key: doubt.key, partitionId: doubt.partitionId, serial: doubt.serial })
    plan.moves.add('doubt', 'open', 'settle')
    return plan
  })
  return decided
}

/** It is not in the partition that was asked about. The guard counts it; only the source's signed word opens a hold. */
function planAbsence(
  plan: Plan,
  doubt: Doubt,
  partition: PartitionSession,
  stored: StoredRecord | undefined,
  span: Span,
): boolean {
  const partitionId = partition.row.id
  if (stored === undefined || presenceState(stored, partitionId) !== 'live') return true
  const presence = stored.presences.find((each) => each.partitionId === partitionId)
  // Confirmed by something that may be younger than this answer.
  if (presence !== undefined && presence.span.end > span.begin) return false
  planRemoval(plan, stored, { partitionId, span, reason: 'get', signed: doubt.signed })
  return true
}

function planPresent(
  session: Session,
  kind: KindSession,
  plan: Plan,
  doubt: Doubt,
  stored: StoredRecord | undefined,
  { seen, partitions: named, span }: Extract<Answer, { state: 'present' }>,
): boolean {
  // One that was dropped meanwhile holds nothing of ours.
  const partitions = named.filter((each) => kind.partitions.get(each.row.name) === each)
  const decisions = partitions.map((partition) =>
    decideSeen(session, kind, seen, { via: 'get', partition, span, presences: [] }, stored),
  )
  if (decisions.some((decision) => decision.do === 'ask')) return false
  const ids = partitions.map(({ row }) => row.id)
  if (decisions.some((decision) => decision.do === 'replace')) {
    planWrite(session, kind, plan, seen, { span, presences: ids }, stored)
  } else if (stored !== undefined && decisions.every((decision) => decision.do === 'unchanged')) {
    for (const partitionId of ids) {
      plan.confirmations.push({ recordId: stored.id, partitionId, hash: seen.hash, span })
      plan.moves.add('presence', 'live', 'confirm')
    }
  }
  if (stored === undefined) return true
  for (const id of ids) dissolvePresenceHold(plan, stored, id)
  // Present, but somewhere else: it has left the partition that was asked about.
  if (ids.includes(doubt.partitionId)) return true
  const asked = { row: { id: doubt.partitionId } }
  return planAbsence(plan, doubt, asked as PartitionSession, stored, span)
}
