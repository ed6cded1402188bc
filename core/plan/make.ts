import type { Db } from '../catalog/db.ts'
import { type Effect, outsideOf, readEffect, readWithdrawals } from '../catalog/planned.ts'
import {
  countWrites,
  createPlan,
  finishPlan,
  movePlan,
  type PlanRow,
  type PlanSummary,
  saveWithdrawals,
} from '../catalog/plans.ts'
import { createStore } from '../catalog/postgres-store.ts'
import { type Rehearsal, rehearse } from '../catalog/rehearsal.ts'
import type { Json } from '../sdk/index.ts'
import type { MappingContent, Ports, SourceRuntime } from '../sync/engine.ts'
import { describeError } from '../sync/errors.ts'
import { openSession } from '../sync/open-session.ts'
import { remap } from '../sync/remap.ts'
import { settingsOf } from '../sync/session.ts'
import { type Candidate, differences, scansNeeded } from './candidate.ts'

export interface Planner {
  readonly db: Db
  readonly ports: Pick<Ports, 'clock' | 'random' | 'log'>
  /** Ends what it is doing. */
  readonly signal: AbortSignal
}

/** Of the source that a plan is about, as the database has it. */
interface Active {
  readonly sourceId: number
  readonly id: number
  readonly content: MappingContent
}

/** Stores a plan that is still to be made; `start` makes it, and never throws: a plan that fails says why. */
export async function beginPlan(
  planner: Planner,
  runtime: SourceRuntime,
  active: Active,
  candidate: Candidate,
  who: string,
): Promise<{ readonly id: bigint; readonly start: () => Promise<void> }> {
  const id = await createPlan(planner.db, {
    sourceId: active.sourceId,
    base: active.id,
    hash: candidate.version.mappings.hash,
    // JSON by its type's own description.
    content: candidate.content as unknown as Json,
    how: candidate.how,
    madeBy: who,
  })
  const start = (): Promise<void> =>
    make(planner, runtime, active, candidate, id).catch(async (error: unknown) => {
      planner.ports.log('error', 'a plan could not be made', { plan: id.toString(), ...describeError(error) })
      await movePlan(planner.db, id, ['making'], 'failed', { ...describeError(error) }).catch(() => false)
    })
  return { id, start }
}

async function make(
  planner: Planner,
  runtime: SourceRuntime,
  active: Active,
  candidate: Candidate,
  id: bigint,
): Promise<void> {
  const tick = await createStore(planner.db).tick()
  const before = await countWrites(planner.db)
  const made = await rehearseVersion(planner, runtime, candidate, async (rehearsal, records) => {
    const effect = await readEffect(rehearsal)
    for await (const page of readWithdrawals(rehearsal)) await saveWithdrawals(planner.db, id, page)
    return { effect, records }
  })
  const summary: PlanSummary = {
    differs: differences(active.content, candidate.content),
    file: candidate.content.file,
    records: made.records,
    ...made.effect,
    scans: scansNeeded(runtime, runtime.versions?.compile(active.content), candidate.version),
    warnings: candidate.version.problems.map(
      ({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`,
    ),
  }
  await finishPlan(planner.db, id, { tick, writes: before, summary })
}

/**
 * Asks again what the plan's version would do, if anything was written since it was made. Answers what it would take away
 * beyond what the plan has.
 */
export async function outsidePlan(
  planner: Planner,
  runtime: SourceRuntime,
  plan: PlanRow,
  candidate: Candidate,
  base: number,
): Promise<{ readonly count: number; readonly samples: readonly string[]; readonly effect?: Effect }> {
  if (base === plan.base && (await countWrites(planner.db)) === plan.writes) return { count: 0, samples: [] }
  return rehearseVersion(planner, runtime, candidate, async (rehearsal) => {
    const effect = await readEffect(rehearsal)
    return { ...(await outsideOf(rehearsal, plan.id)), effect }
  })
}

/** Carries the version out on a copy of the catalog, by the same code as an apply. No source is called. */
function rehearseVersion<T>(
  { db, ports, signal }: Planner,
  runtime: SourceRuntime,
  { content, version }: Candidate,
  read: (rehearsal: Rehearsal, records: number) => Promise<T>,
): Promise<T> {
  return rehearse(db, async (rehearsal) => {
    const store = createStore(rehearsal.db)
    const { name, integration, precedence } = runtime
    const source = await store.saveSource({ name, integration, precedence })
    const fence = await store.acquireLease('plan', 'plan', 3600)
    if (fence === undefined) throw new Error('the lease of a copy is taken')
    const { versions: _, ...fixed } = { ...runtime, mappings: version.mappings, mappingContent: content }
    const session = await openSession({
      ports: { ...ports, store },
      runtime: fixed,
      settings: settingsOf({ holder: 'plan', applyPending: true }),
      source,
      fence,
      signal,
    })
    const records = await remap(session)
    signal.throwIfAborted()
    return read(rehearsal, records)
  })
}
