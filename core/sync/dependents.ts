import type { Dependent } from '../catalog/dependents.ts'
import { mostDependents } from '../catalog/dependents.ts'
import { StaleDecision } from '../catalog/refusals.ts'
import { commitPlanOnce } from './commit.ts'
import { guardRoom, overLimit } from './guard.ts'
import { newPlan, type Plan } from './plan.ts'
import { guardOf, type KindSession, now, type Session } from './session.ts'

/**
 * deleteDependentEntities: what must lead to something that was deleted goes, too, as far as the guard lets it, and comes
 * back with it. Behind the change feed, which is where it shows that a required relation leads nowhere. Answers how many.
 */
export async function letDependentsGo(session: Session): Promise<number> {
  const { store } = session.ports
  const cascades = session.mappings.cascades === true
  const back = await store.returning(session.source.id, !cascades)
  for (const [kind, of, list] of groups(session, back)) {
    const plan = newPlan({ type: 'get', reason: cascades ? `${of} is there again` : 'it depends on nothing any more' })
    plan.unmutes.push(...list)
    await write(session, kind, plan)
  }
  // What came back may be what others depend on.
  if (back.length > 0) return back.length
  const found = cascades ? await store.dependents(session.source.id) : []
  const dissolved = await dissolve(session, found)
  let gone = 0
  for (const [kind, of, list] of groups(session, found)) gone += await go(session, kind, of, list)
  return dissolved + gone
}

/** By kind and by what they depend on. */
function groups(
  session: Session,
  list: readonly Dependent[],
): readonly (readonly [kind: KindSession, of: string, list: readonly Dependent[]])[] {
  const kinds = new Map([...session.kinds.values()].map((kind) => [kind.id, kind]))
  const grouped = Map.groupBy(list, ({ kindId, blueprint, identifier }) => `${kindId} ${blueprint}:${identifier}`)
  return [...grouped.values()].flatMap((members) => {
    const [first] = members
    const kind = first === undefined ? undefined : kinds.get(first.kindId)
    return first === undefined || kind === undefined
      ? []
      : [[kind, `${first.blueprint}:${first.identifier}`, members] as const]
  })
}

async function go(session: Session, kind: KindSession, of: string, list: readonly Dependent[]): Promise<number> {
  const reason = `${of}, on which it depends, was deleted`
  const plan = newPlan({ type: 'get', reason })
  const fresh = list.filter(({ hold }) => hold === undefined)
  const approved = list.filter(({ hold }) => hold === 'approved')
  const rule = guardOf(session)
  const window = await session.ports.store.guardWindow(kind.id, now(session))
  if (fresh.length > guardRoom(rule, window)) {
    const why = `${reason}; ${overLimit(rule, window, fresh.length)}`
    for (const each of fresh) plan.holds.push({ recordId: each.recordId, what: holdOf(each), reason: why })
  } else {
    plan.mutes.push(...fresh)
    plan.counted += fresh.length
  }
  for (const each of approved) {
    plan.mutes.push(each)
    plan.moves.add('hold', 'approved', 'carry out')
    plan.settledHolds.push({ recordId: each.recordId, what: holdOf(each), state: 'released' })
  }
  if (plan.mutes.length + plan.holds.length === 0) return 0
  await write(session, kind, plan)
  return plan.mutes.length + plan.holds.length
}

/** What is there again, or no longer depended on, is held no longer. */
async function dissolve(session: Session, found: readonly Dependent[]): Promise<number> {
  if (found.length === mostDependents) return 0
  const still = new Set(found.map((each) => `${each.recordId} ${holdOf(each)}`))
  const open = await session.ports.store.dependentHolds(session.source.id)
  const over = open.filter(({ recordId, what }) => !still.has(`${recordId} ${what}`))
  for (const kind of session.kinds.values()) {
    const mine = over.filter(({ kindId }) => kindId === kind.id)
    if (mine.length === 0) continue
    const plan = newPlan({ type: 'get', reason: 'what it depends on is there' })
    for (const { recordId, what } of mine) plan.settledHolds.push({ recordId, what, state: 'dissolved' })
    await write(session, kind, plan)
  }
  return over.length
}

/** What moved meanwhile is looked at again. */
async function write(session: Session, kind: KindSession, plan: Plan): Promise<void> {
  await session.write(async () => {
    try {
      await commitPlanOnce(session, kind, plan)
    } catch (error) {
      if (!(error instanceof StaleDecision)) throw error
    }
  })
}

function holdOf({ mapping, item }: Dependent): string {
  return `dependent ${mapping}/${item}`
}
