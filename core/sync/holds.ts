import { Unstorable } from '../catalog/refusals.ts'
import type { ApprovedHold } from '../catalog/stored.ts'
import { commitPlan } from './commit.ts'
import { planRemap } from './observe.ts'
import { isEmpty, newPlan, type Plan } from './plan.ts'
import type { KindSession, Session } from './session.ts'

/** Looked at together. */
const AT_A_TIME = 500

/** Carries out what people approved. Answers of how many records. */
export async function carryOutHolds(session: Session): Promise<number> {
  let count = 0
  for (const kind of session.kinds.values()) {
    for (let after = 0n; ; ) {
      const approved = await session.ports.store.approvedHolds(kind.id, { after, limit: AT_A_TIME })
      const done = new Set<string>()
      for (const { recordId, by } of approved) {
        const each = `${recordId} ${by}`
        if (!done.has(each) && (await tryToCarryOut(session, kind, recordId, by))) count += 1
        done.add(each)
      }
      const last = approved.at(-1)
      if (last === undefined || approved.length < AT_A_TIME) break
      after = last.id
    }
  }
  return count
}

async function tryToCarryOut(session: Session, kind: KindSession, recordId: bigint, who: string): Promise<boolean> {
  try {
    return await carryOut(session, kind, recordId, who)
  } catch (error) {
    if (!(error instanceof Unstorable)) throw error
    session.ports.log('warn', 'approved hold not carried out', { record: recordId.toString(), message: error.message })
    return false
  }
}

/** Answers whether there was anything to do. */
async function carryOut(session: Session, kind: KindSession, recordId: bigint, who: string): Promise<boolean> {
  let done = false
  await commitPlan(session, kind, async () => {
    const plan = newPlan({ type: 'person', who, what: 'approved' })
    // Read again each time: what was seen meanwhile is no longer held.
    const approved = await session.ports.store.approvedHolds(kind.id, { recordId })
    // What depends on something goes with all that does.
    const holds = approved.filter((hold) => hold.by === who && !hold.what.startsWith('dependent '))
    const end = await session.ports.store.tick()
    for (const hold of holds) planEnd(plan, hold, end)
    const rest = holds.filter(({ what }) => what !== 'presence')
    if (rest.length > 0 && plan.removals.length === 0) await planRest(session, kind, plan, recordId, rest)
    done = !isEmpty(plan)
    return plan
  })
  return done
}

function planEnd(plan: Plan, { recordId, partitionId, what, confirmed }: ApprovedHold, end: bigint): void {
  if (what !== 'presence' || partitionId === undefined) return
  plan.moves.add('hold', 'approved', 'carry out')
  plan.settledHolds.push({ recordId, what, partitionId, state: 'released' })
  // Otherwise it has ended in another way.
  if (confirmed === undefined) return
  plan.removals.push({
    recordId,
    partitionId,
    confirmed,
    span: { begin: end, end },
    reason: 'approved',
    signed: true,
  })
}

/** Contributions and properties: the record is mapped again, and what is approved is not put back. */
async function planRest(
  session: Session,
  kind: KindSession,
  plan: Plan,
  recordId: bigint,
  holds: readonly ApprovedHold[],
): Promise<void> {
  const found = await session.ports.store.recordById(recordId)
  if (found === undefined || found.record.state === 'gone') {
    for (const { what } of holds) {
      plan.moves.add('hold', 'approved', 'carry out')
      plan.settledHolds.push({ recordId, what, state: 'released' })
    }
    return
  }
  const { record, body } = found
  if (body !== undefined) {
    planRemap(session, kind, plan, { ...record, body })
    return
  }
  // Only its hash is kept: what is approved goes when it is seen again, which is asked for once.
  if (record.mappingId === 0) return
  await session.ports.store.readAgain(session.fence, kind.id, [recordId])
  plan.requestedScans.add(kind.name)
}
