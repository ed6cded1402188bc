import type { Queryable } from '../catalog/db.ts'
import { type PlanRow, type PlanSummary, planProgress } from '../catalog/plans.ts'
import type { JsonObject } from '../model/json.ts'

/** A plan as people and programs see it. */
export interface PlanView extends Partial<PlanSummary> {
  readonly id: string
  readonly source: string
  readonly state: PlanRow['state']
  readonly how: PlanRow['how']
  /** The files (or the older version) say something else than the active version. */
  readonly pending: boolean
  /** The version that was active when it was made. */
  readonly base: number
  /** The version that its apply activated. */
  readonly version: number | null
  /** What was confirmed after it is not in the plan. */
  readonly tick: string | null
  readonly madeAt: string
  readonly madeBy: string
  readonly appliedAt: string | null
  readonly appliedBy: string | null
  readonly endedAt: string | null
  readonly problem: JsonObject | null
  /** Of its apply: lines of the change feed by operation, what is held, records still to be mapped. */
  readonly progress: {
    readonly done: Readonly<Record<string, number>>
    readonly held: number
    readonly left: number
  } | null
}

export function viewPlan(plan: PlanRow, progress: PlanView['progress'] = null): PlanView {
  const { summary } = plan
  return {
    id: plan.id.toString(),
    source: plan.source,
    state: plan.state,
    how: plan.how,
    pending: (summary?.differs.length ?? 0) > 0,
    base: plan.base,
    version: plan.version ?? null,
    tick: plan.tick?.toString() ?? null,
    madeAt: plan.madeAt.toISOString(),
    madeBy: plan.madeBy,
    appliedAt: plan.appliedAt?.toISOString() ?? null,
    appliedBy: plan.appliedBy ?? null,
    endedAt: plan.endedAt?.toISOString() ?? null,
    problem: plan.problem ?? null,
    progress,
    ...summary,
  }
}

export async function viewProgress(db: Queryable, plan: PlanRow): Promise<PlanView> {
  return viewPlan(plan, (await planProgress(db, plan)) ?? null)
}
