import { StaleDecision } from '../catalog/refusals.ts'
import type { Store } from '../catalog/store.ts'
import type { ScanRow } from '../catalog/stored.ts'
import { RateLimited } from '../sdk/index.ts'
import { checkCredential, seesSince } from './check.ts'
import { commitPlan, commitPlanOnce } from './commit.ts'
import { Quiet, Stopped } from './errors.ts'
import { planDoubt, scanCause } from './observe.ts'
import { newPlan, type Plan } from './plan.ts'
import type { Progress } from './progress.ts'
import { type KindSession, now, type PartitionSession, type Session } from './session.ts'
import { transition } from './states.ts'
import { type SweepDecision, sweep } from './sweep.ts'

type Missing = Awaited<ReturnType<Store['missing']>>[number]

/** In one transaction at most. */
const AT_A_TIME = 500
const ATTEMPTS = 5

/**
 * Every page was read. What the scan did not see is removed, asked about or held, as `sweep` decides; then the scan is the
 * partition's last complete one. A crash in between does the rest again: what is removed or held is no longer missing.
 */
export async function endScan(
  session: Session,
  kind: KindSession,
  partition: PartitionSession,
  scan: ScanRow,
  progress: Progress,
  resumed: boolean,
): Promise<void> {
  const { store } = session.ports
  const { onTransition } = session.settings
  await dissolveSeen(session, kind, partition, scan)
  let swept: Swept = { removed: 0, held: 0, again: 0 }
  for (let attempt = 1; ; attempt++) {
    const decision = await decideSweep(session, kind, partition, scan, resumed)
    if (typeof decision === 'string') {
      const state = transition('scan', 'running', 'fail', onTransition)
      await store.setScan(session.fence, scan.id, { state, reason: decision, ended: now(session) })
      progress.say(state, { reason: decision })
      return
    }
    try {
      swept = await carryOut(session, kind, partition, scan, decision)
      break
    } catch (error) {
      // Something missing was confirmed meanwhile: look again.
      if (!(error instanceof StaleDecision) || attempt === ATTEMPTS) throw error
    }
  }
  if (swept.again > 0) await store.requestScan(session.source.id, kind.name)
  const state = transition('scan', 'running', 'finish', onTransition)
  transition('partition', partition.row.state, 'complete', onTransition)
  await store.completeScan(session.fence, scan.id, now(session))
  partition.row = { ...partition.row, state: 'known', reason: undefined, fingerprint: scan.fingerprint }
  partition.completeBegin = scan.begin
  const final = swept.held > 0 ? transition('scan', state, 'hold', onTransition) : state
  if (swept.held + swept.removed > 0) {
    await store.setScan(session.fence, scan.id, { state: final, held: swept.held, removed: swept.removed })
  }
  progress.say(final)
}

/** What was held because it seemed gone and was seen now is answered. */
async function dissolveSeen(
  session: Session,
  kind: KindSession,
  partition: PartitionSession,
  scan: ScanRow,
): Promise<void> {
  const seen = await session.ports.store.seenHolds(scan.id)
  if (seen.length === 0) return
  await commitPlan(session, kind, () => {
    const plan = newPlan(scanCause(scan.id, partition.row.name))
    for (const { state, ...hold } of seen) {
      plan.moves.add('hold', state, 'see again')
      plan.settledHolds.push({ ...hold, state: 'dissolved' })
    }
    return Promise.resolve(plan)
  })
}

/** A text: why the absences cannot be judged now. */
async function decideSweep(
  session: Session,
  kind: KindSession,
  partition: PartitionSession,
  scan: ScanRow,
  resumed: boolean,
): Promise<SweepDecision<Missing> | string> {
  const { store } = session.ports
  const missing = await store.missing(scan.id)
  const judge = async (): Promise<SweepDecision<Missing>> => {
    const [live, seen] =
      missing.length === 0 ? [0, 0] : [await store.livePresences(partition.row.id), await countSeen(store, scan)]
    return sweep({
      complete: true,
      coverage: kind.kind.coverage,
      paging: kind.kind.paging,
      canAsk: kind.kind.get !== undefined,
      small: partition.row.parent !== undefined,
      begin: scan.begin,
      resumed,
      seen,
      live,
      seesSince: await seesSince(session, partition.row.id, scan.fingerprint ?? ''),
      missing,
      window: await store.guardWindow(kind.id, now(session)),
      rule: session.runtime.guard,
    })
  }
  const decision = await judge()
  if (decision.remove.length === 0) return decision
  // A permission that was lost in the middle of the listing hides what it covered. What is asked about is checked then.
  try {
    await checkCredential(session)
    return await judge()
  } catch (error) {
    if (error instanceof Stopped || error instanceof Quiet || error instanceof RateLimited) throw error
    return `what the credential may see could not be checked: ${error instanceof Error ? error.message : String(error)}`
  }
}

async function countSeen(store: Store, scan: ScanRow): Promise<number> {
  return (await store.pages(scan.id)).reduce((sum, page) => sum + page.items, 0)
}

interface Swept {
  readonly removed: number
  readonly held: number
  readonly again: number
}

async function carryOut(
  session: Session,
  kind: KindSession,
  partition: PartitionSession,
  scan: ScanRow,
  decision: SweepDecision<Missing>,
): Promise<Swept> {
  const proof = { begin: scan.begin, end: await session.ports.store.tick() }
  const partitionId = partition.row.id
  const commit = async (rows: readonly Missing[], add: (plan: Plan, row: Missing) => void): Promise<void> => {
    for (let from = 0; from < rows.length; from += AT_A_TIME) {
      const plan = newPlan(scanCause(scan.id, partition.row.name))
      for (const row of rows.slice(from, from + AT_A_TIME)) add(plan, row)
      // Not prepared again in here: what moved must be judged as a whole.
      await session.write(() => commitPlanOnce(session, kind, plan))
    }
  }
  await commit(decision.hold, (plan, { recordId }) => {
    plan.holds.push({ recordId, partitionId, what: 'presence', reason: decision.reason ?? '', scan: scan.id })
  })
  await commit(decision.remove, (plan, { recordId, confirmed }) => {
    plan.removals.push({ recordId, partitionId, confirmed, span: proof, reason: 'absent', signed: false })
  })
  await commit(decision.ask, (plan, { key, locator }) => {
    const reason = `scan ${scan.id} did not list it`
    planDoubt(kind, plan, partition, { key, reason, serial: proof.end, signed: false, locator }, 'live')
  })
  return { removed: decision.remove.length, held: decision.hold.length, again: decision.again.length }
}
