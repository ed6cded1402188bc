import { StaleDecision, Unstorable } from '../catalog/refusals.ts'
import type { Store } from '../catalog/store.ts'
import type { Json } from '../sdk/index.ts'
import { commitPlanOnce } from './commit.ts'
import { expectedOf, mapped } from './observe.ts'
import { newPlan, type Plan, type PlannedWrite } from './plan.ts'
import { withHeld } from './reconcile.ts'
import type { KindSession, Session } from './session.ts'

type Outdated = Awaited<ReturnType<Store['outdated']>>[number]

/** Records read and written at a time. */
const AT_A_TIME = 1000

interface Page {
  readonly rows: readonly Outdated[]
  /** `session.turns.others` when it was read. */
  readonly others: number
  readonly after: bigint
}

/**
 * Maps stored records again that were made with another mapping version, under the guard; no source is called. In pages,
 * the next one is read while one is written; the whole is not one transaction, and goes on where it was after a crash. What
 * the plan that is being carried out does not have is held. Answers how many records were mapped.
 */
export async function remap(session: Session, onProgress: () => void = () => undefined): Promise<number> {
  const { store } = session.ports
  const plan = await store.applyingPlan(session.source.id, session.mappingId)
  let done = 0
  for (let again = true; again && !session.signal.aborted; ) {
    again = false
    let next: Promise<Page> | undefined = read(session, 0n)
    while (next !== undefined && !session.signal.aborted) {
      const page: Page = await next
      const last = page.rows.at(-1)
      next = last === undefined ? undefined : read(session, last.record.id)
      // It is awaited in the next round, unless this one throws.
      next?.catch(() => undefined)
      const { mapped: count, stale } = await write(session, page, plan)
      done += count
      again ||= stale
      if (count > 0) onProgress()
    }
  }
  if (plan !== undefined && !session.signal.aborted) await store.endPlan(plan)
  return done
}

async function read(session: Session, after: bigint): Promise<Page> {
  const { others } = session.turns
  const rows = await session.ports.store.outdated(session.source.id, session.mappingId, after, AT_A_TIME)
  return { rows, others, after }
}

/**
 * In the source's turn, so that only somebody else's write can come between: then the next round has them again. What
 * another commit of ours may have moved since it was read (a hold that was carried out) is read again.
 */
async function write(
  session: Session,
  page: Page,
  plan: bigint | undefined,
): Promise<{ mapped: number; stale: boolean }> {
  if (page.rows.length === 0) return { mapped: 0, stale: false }
  return session.write(async () => {
    const { rows } = session.turns.others === page.others ? page : await read(session, page.after)
    let count = 0
    let stale = false
    for (const kind of session.kinds.values()) {
      const mine = rows.filter(({ kindId }) => kindId === kind.id)
      if (mine.length === 0) continue
      const result = await remapKind(session, kind, mine, plan)
      count += result.mapped
      stale ||= result.stale
    }
    return { mapped: count, stale }
  })
}

/** What cannot be stored stays as it was; its neighbours go on. */
async function remapKind(
  session: Session,
  kind: KindSession,
  rows: readonly Outdated[],
  plan: bigint | undefined,
): Promise<{ mapped: number; stale: boolean }> {
  try {
    await commitPlanOnce(session, kind, await planRemap(session, kind, rows, plan))
    return { mapped: rows.length, stale: false }
  } catch (error) {
    if (error instanceof StaleDecision) return { mapped: 0, stale: true }
    if (!(error instanceof Unstorable)) throw error
    if (rows.length === 1) {
      session.ports.log('warn', 'record not mapped again', { key: rows[0]?.record.key, message: error.message })
      return { mapped: 0, stale: false }
    }
    const half = Math.ceil(rows.length / 2)
    const first = await remapKind(session, kind, rows.slice(0, half), plan)
    const second = await remapKind(session, kind, rows.slice(half), plan)
    return { mapped: first.mapped + second.mapped, stale: first.stale || second.stale }
  }
}

async function planRemap(
  session: Session,
  kind: KindSession,
  rows: readonly Outdated[],
  applying: bigint | undefined,
): Promise<Plan> {
  const mapping = session.mappingId
  const plan = newPlan({ type: 'remap', mapping, ...(applying === undefined ? {} : { plan: applying.toString() }) })
  for (const { record, body } of rows) {
    const { key, version, hash, locator, span } = record
    // It proves nothing about the source: watermark and presences stay as they are.
    const write = {
      key,
      version,
      hash,
      body,
      locator,
      span,
      expected: expectedOf(record),
      presences: [],
      quarantined: [],
    }
    // It was stored as the text of a JSON value.
    plan.writes.push(mapped(session, kind, plan, write, JSON.parse(body) as Json, record))
  }
  if (applying !== undefined) await holdUnplanned(session, plan, applying)
  return plan
}

/** A plan that is carried out takes nothing away that it did not show. */
async function holdUnplanned(session: Session, plan: Plan, applying: bigint): Promise<void> {
  const taking = plan.writes.flatMap((write) =>
    write.recordId !== undefined && withdraws(write) ? [write.recordId] : [],
  )
  if (taking.length === 0) return
  const planned = await session.ports.store.plannedWithdrawals(applying, taking)
  for (const [index, write] of plan.writes.entries()) {
    const { recordId } = write
    if (recordId === undefined) continue
    const outside = write.takes.filter(
      (take) => take.type === 'contribution' && !planned.has(`${recordId} ${take.what}`),
    )
    if (outside.length === 0) continue
    const takes = write.takes.filter((take) => !outside.includes(take))
    plan.writes[index] = { ...write, takes, drafts: withHeld(write.drafts, outside) }
    for (const { what } of outside) plan.holds.push({ recordId, what, reason: `not in plan ${applying}` })
  }
}

function withdraws({ takes }: PlannedWrite): boolean {
  return takes.some((take) => take.type === 'contribution')
}
