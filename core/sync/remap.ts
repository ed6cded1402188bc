import { StaleDecision, Unstorable } from '../catalog/refusals.ts'
import type { OutdatedRecord } from '../catalog/stored.ts'
import { commitPlanOnce } from './commit.ts'
import { planRemap } from './observe.ts'
import { newPlan, type Plan, type PlannedRemap } from './plan.ts'
import { withHeld } from './reconcile.ts'
import type { KindSession, Session } from './session.ts'

/** Records read and written at a time. */
const AT_A_TIME = 1000

interface Page {
  readonly rows: readonly OutdatedRecord[]
  /** `session.turns.others` when it was read. */
  readonly others: number
  readonly after: bigint
}

/** A page mapped: what one kind of it is to write. */
interface Mapped {
  readonly kind: KindSession
  readonly rows: readonly OutdatedRecord[]
  readonly plan: Plan
}

interface Outcome {
  readonly count: number
  /** Somebody else's write came between: there is more to map. */
  readonly stale: boolean
}

/**
 * Maps stored records again that were made with another mapping version, under the guard; no source is called. In pages: one
 * is read while the one before is mapped and the one before that is written. The whole is not one transaction, and goes on
 * where it was after a crash. What the plan that is being carried out does not have is held. Answers how many records
 * were mapped.
 */
export async function remap(session: Session, onProgress: () => void = () => undefined): Promise<number> {
  const { store } = session.ports
  const plan = await store.applyingPlan(session.source.id, session.mappingId)
  let done = 0
  for (let again = true; again && !session.signal.aborted; ) {
    again = false
    for await (const { count, stale } of round(session, plan)) {
      done += count
      again ||= stale
      if (count > 0) onProgress()
    }
  }
  if (plan !== undefined && !session.signal.aborted) await store.endPlan(session.fence, plan)
  return done
}

/** Once through all of them, a page at a time. */
async function* round(session: Session, applying: bigint | undefined): AsyncGenerator<Outcome> {
  let next: Promise<Page> = read(session, 0n)
  let writing: Promise<Outcome> | undefined
  try {
    for (;;) {
      const page = await next
      const last = page.rows.at(-1)
      if (last === undefined || session.signal.aborted) break
      next = read(session, last.id)
      // It is awaited in the next round, unless this one throws.
      next.catch(() => undefined)
      // While the one before is written.
      const mapped = mapPage(session, page, applying)
      if (writing !== undefined) yield await writing
      writing = write(session, page, mapped, applying)
      writing.catch(() => undefined)
    }
    if (writing !== undefined) yield await writing
    writing = undefined
  } finally {
    await writing?.catch(() => undefined)
  }
}

async function read(session: Session, after: bigint): Promise<Page> {
  const { others } = session.turns
  const rows = await session.ports.store.outdated(session.source.id, session.mappingId, after, AT_A_TIME)
  return { rows, others, after }
}

function mapPage(session: Session, { rows }: Page, applying: bigint | undefined): readonly Mapped[] {
  return [...session.kinds.values()].flatMap((kind) => {
    const mine = rows.filter(({ kindId }) => kindId === kind.id)
    return mine.length === 0 ? [] : [{ kind, rows: mine, plan: mapRows(session, kind, mine, applying) }]
  })
}

function mapRows(
  session: Session,
  kind: KindSession,
  rows: readonly OutdatedRecord[],
  applying: bigint | undefined,
): Plan {
  const mapping = session.mappingId
  const plan = newPlan({ type: 'remap', mapping, ...(applying === undefined ? {} : { plan: applying.toString() }) })
  for (const row of rows) planRemap(session, kind, plan, row, row.settled)
  return plan
}

/**
 * In the source's turn, so that only somebody else's write can come between: then the next round has them again. What
 * another commit of ours may have moved since it was read (a hold that was carried out) is read again.
 */
async function write(
  session: Session,
  page: Page,
  mapped: readonly Mapped[],
  applying: bigint | undefined,
): Promise<Outcome> {
  return session.write(async () => {
    const fresh =
      session.turns.others === page.others ? mapped : mapPage(session, await read(session, page.after), applying)
    let count = 0
    let stale = false
    for (const each of fresh) {
      const result = await writeKind(session, each, applying)
      count += result.count
      stale ||= result.stale
    }
    return { count, stale }
  })
}

/** What cannot be stored stays as it was; its neighbours go on. */
async function writeKind(
  session: Session,
  { kind, rows, plan }: Mapped,
  applying: bigint | undefined,
): Promise<Outcome> {
  try {
    if (applying !== undefined) await holdUnplanned(session, plan, applying)
    await commitPlanOnce(session, kind, plan)
    return { count: rows.length, stale: false }
  } catch (error) {
    if (error instanceof StaleDecision) return { count: 0, stale: true }
    if (!(error instanceof Unstorable)) throw error
    if (rows.length === 1) {
      session.ports.log('warn', 'record not mapped again', { key: rows[0]?.key, message: error.message })
      return { count: 0, stale: false }
    }
    const middle = Math.ceil(rows.length / 2)
    let count = 0
    let stale = false
    for (const half of [rows.slice(0, middle), rows.slice(middle)]) {
      const mapped = { kind, rows: half, plan: mapRows(session, kind, half, applying) }
      const result = await writeKind(session, mapped, applying)
      count += result.count
      stale ||= result.stale
    }
    return { count, stale }
  }
}

/** A plan that is carried out takes nothing away that it did not show. */
async function holdUnplanned(session: Session, plan: Plan, applying: bigint): Promise<void> {
  const taking = plan.remaps.flatMap((write) =>
    write.recordId !== undefined && withdraws(write) ? [write.recordId] : [],
  )
  if (taking.length === 0) return
  const planned = await session.ports.store.plannedWithdrawals(applying, taking)
  for (const [index, write] of plan.remaps.entries()) {
    const { recordId } = write
    if (recordId === undefined) continue
    const outside = write.takes.filter(
      (take) => take.type === 'contribution' && !planned.has(`${recordId} ${take.what}`),
    )
    if (outside.length === 0) continue
    const takes = write.takes.filter((take) => !outside.includes(take))
    plan.remaps[index] = { ...write, takes, drafts: withHeld(write.drafts, outside) }
    for (const { what } of outside) plan.holds.push({ recordId, what, reason: `not in plan ${applying}` })
  }
}

function withdraws({ takes }: PlannedRemap): boolean {
  return takes.some((take) => take.type === 'contribution')
}
