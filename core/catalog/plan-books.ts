import type { Fence } from './batch.ts'
import { array } from './binary.ts'
import type { Db } from './db.ts'
import { writeFenced } from './leases.ts'

/** Who made a version the active one, and how. `engine`: the same files under another version of the engine. */
export interface Activation {
  readonly who: string
  readonly how: 'start' | 'apply' | 'rollback' | 'engine'
  readonly plan?: bigint
  /** Of a session that takes it up by itself; a person and a start need none. */
  readonly fence?: Fence
}

/** What the engine needs of plans while it carries one out. */
export interface PlanBooks {
  /** Id of the active mapping version. */
  activeVersion(sourceId: number): Promise<number | undefined>
  /** The plan that is being carried out with this version, if any. */
  applyingPlan(sourceId: number, mappingId: number): Promise<bigint | undefined>
  /** `RECORD WHAT` of those withdrawals of these records that the plan has. */
  plannedWithdrawals(plan: bigint, records: readonly bigint[]): Promise<ReadonlySet<string>>
  /** Every record is mapped by its version. */
  endPlan(fence: Fence, plan: bigint): Promise<void>
}

export function planBooks(db: Db): PlanBooks {
  return {
    async activeVersion(sourceId) {
      const { rows } = await db.query<{ mapping_id: number | null }>('SELECT mapping_id FROM sources WHERE id = $1', [
        sourceId,
      ])
      return rows[0]?.mapping_id ?? undefined
    },

    async applyingPlan(sourceId, mappingId) {
      const { rows } = await db.query<{ id: string }>(
        `SELECT id FROM plans WHERE mapping_id = $2 AND source_id = $1 AND state = 'applying' ORDER BY id DESC LIMIT 1`,
        [sourceId, mappingId],
      )
      return rows[0] && BigInt(rows[0].id)
    },

    async plannedWithdrawals(plan, records) {
      const { rows } = await db.query<{ record_id: string; what: string }>(
        'SELECT record_id, what FROM plan_withdrawals WHERE plan_id = $1 AND record_id = ANY ($2::int8[])',
        [plan, array('int8', records)],
      )
      return new Set(rows.map(({ record_id, what }) => `${record_id} ${what}`))
    },

    endPlan: (fence, plan) =>
      writeFenced(
        db,
        fence,
        `UPDATE plans SET state = 'applied', ended_at = now() FROM fence WHERE id = $3 AND state = 'applying'`,
        [plan],
      ),
  }
}
