import { StaleDecision } from '../catalog/refusals.ts'
import type { MissingRow, ScanRow } from '../catalog/stored.ts'
import { RateLimited } from '../sdk/index.ts'
import { checkCredential, seesSince } from './check.ts'
import { commitPlan, commitPlanOnce } from './commit.ts'
import { Quiet, Stopped } from './errors.ts'
import { planDoubt, scanCause } from './observe.ts'
import { newPlan, type Plan } from './plan.ts'
import type { Progress } from './progress.ts'
import { guardOf, type KindSession, now, type PartitionSession, type Session } from './session.ts'
import { transition } from './states.ts'
import { type Fate, type SweepDecision, sweep } from './sweep.ts'

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
  const swept = { remove: 0, hold: 0, again: 0, ask: 0, leave: 0 }
  for (let attempt = 1; ; attempt++) {
    const decision = await decideSweep(session, kind, partition, scan, resumed)
    if (typeof decision === 'string') {
      const state = transition('scan', 'running', 'fail', onTransition)
      await store.setScan(session.fence, scan.id, { state, reason: decision, ended: now(session) })
      progress.say(state, { reason: decision })
      return
    }
    Object.assign(swept, { again: 0, hold: decision.heldBefore })
    if (!decision.acts) break
    try {
      await carryOut(session, kind, partition, scan, decision, swept)
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
  const final = swept.hold > 0 ? transition('scan', state, 'hold', onTransition) : state
  if (swept.hold + swept.remove > 0) {
    await store.setScan(session.fence, scan.id, { state: final, held: swept.hold, removed: swept.remove })
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
  for (;;) {
    const seen = await session.ports.store.seenHolds(scan.id, AT_A_TIME)
    if (seen.length === 0) return
    await commitPlan(session, kind, () => {
      const plan = newPlan(scanCause(scan.id, partition.row.name))
      for (const { state, ...hold } of seen) {
        plan.moves.add('hold', state, 'see again')
        plan.settledHolds.push({ ...hold, state: 'dissolved' })
      }
      return Promise.resolve(plan)
    })
    if (seen.length < AT_A_TIME) return
  }
}

/** A text: why the absences cannot be judged now. */
async function decideSweep(
  session: Session,
  kind: KindSession,
  partition: PartitionSession,
  scan: ScanRow,
  resumed: boolean,
): Promise<SweepDecision | string> {
  const { store } = session.ports
  const judge = async (): Promise<SweepDecision> => {
    const since = await seesSince(session, partition.row.id, scan.fingerprint ?? '')
    return sweep({
      complete: true,
      coverage: kind.kind.coverage,
      paging: kind.kind.paging,
      canAsk: kind.kind.get !== undefined,
      small: partition.row.parent !== undefined,
      begin: scan.begin,
      resumed,
      seesSince: since,
      missing: await store.countMissing(scan.id, since),
      window: await store.guardWindow(kind.id, now(session)),
      rule: guardOf(session),
    })
  }
  const decision = await judge()
  if (!decision.removes) return decision
  // A permission that was lost in the middle of the listing hides what it covered. What is asked about is checked then.
  try {
    await checkCredential(session)
    return await judge()
  } catch (error) {
    if (error instanceof Stopped || error instanceof Quiet || error instanceof RateLimited) throw error
    return `what the credential may see could not be checked: ${error instanceof Error ? error.message : String(error)}`
  }
}

type Swept = Record<Fate, number>

/** Batch by batch: what is missing may be as much as the partition held. */
async function carryOut(
  session: Session,
  kind: KindSession,
  partition: PartitionSession,
  scan: ScanRow,
  decision: SweepDecision,
  swept: Swept,
): Promise<void> {
  const { store } = session.ports
  const proof = { begin: scan.begin, end: await store.tick() }
  const partitionId = partition.row.id
  const add: Readonly<Record<'remove' | 'ask' | 'hold', (plan: Plan, row: MissingRow) => void>> = {
    hold(plan, { recordId }) {
      plan.holds.push({ recordId, partitionId, what: 'presence', reason: decision.reason, scan: scan.id })
    },
    remove(plan, { recordId, confirmed }) {
      plan.removals.push({ recordId, partitionId, confirmed, span: proof, reason: 'absent', signed: false })
    },
    ask(plan, { key, locator }) {
      const reason = `scan ${scan.id} did not list it`
      planDoubt(kind, plan, partition, { key, reason, serial: proof.end, signed: false, locator }, 'live')
    },
  }
  for await (const rows of missingRows(session, scan)) {
    const fates = Map.groupBy(rows, (row) => decision.of(row))
    for (const [fate, those] of fates) {
      if (fate === 'leave' || fate === 'again') swept[fate] += those.length
      else
        for (let from = 0; from < those.length; from += AT_A_TIME) {
          const plan = newPlan(scanCause(scan.id, partition.row.name))
          const some = those.slice(from, from + AT_A_TIME)
          for (const row of some) add[fate](plan, row)
          // Not prepared again in here: what moved must be judged as a whole.
          await session.write(() => commitPlanOnce(session, kind, plan))
          swept[fate] += some.length
        }
    }
  }
}

async function* missingRows(session: Session, scan: ScanRow): AsyncIterable<readonly MissingRow[]> {
  const { sweepBatch } = session.settings
  for (let after = 0n; ; ) {
    const rows = await session.ports.store.missing(scan.id, after, sweepBatch)
    if (rows.length > 0) yield rows
    if (rows.length < sweepBatch) return
    for (const { recordId } of rows) if (recordId > after) after = recordId
  }
}
