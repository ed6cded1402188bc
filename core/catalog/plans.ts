import type { Json, JsonObject } from '../model/json.ts'
import { CatchmentError } from '../sdk/index.ts'
import { array } from './binary.ts'
import type { Db, Queryable } from './db.ts'
import { storableJson } from './document.ts'
import type { Effect, Withdrawal } from './planned.ts'

export const planStates = [
  'making',
  'planned',
  'failed',
  'checking',
  'stale',
  'applying',
  'applied',
  'superseded',
] as const
export type PlanState = (typeof planStates)[number]

/** What is stored of a plan beside its withdrawals. */
export interface PlanSummary extends Effect {
  /** What differs from the active version: `mapping`, `blueprints`, `variables`, and so on; none: nothing is pending. */
  readonly differs: readonly string[]
  readonly file: string
  /** Records that were mapped by the other version. */
  readonly records: number
  /** What stored records cannot tell: these kinds are scanned when it is applied. */
  readonly scans: readonly { readonly kind: string; readonly reason: string }[]
  readonly warnings: readonly string[]
}

export interface PlanRow {
  readonly id: bigint
  readonly source: string
  readonly sourceId: number
  readonly base: number
  readonly hash: string
  readonly content: Json
  readonly how: 'apply' | 'rollback'
  readonly state: PlanState
  readonly tick: bigint | undefined
  readonly writes: bigint | undefined
  readonly summary: PlanSummary | undefined
  readonly problem: JsonObject | undefined
  readonly madeAt: Date
  readonly madeBy: string
  readonly appliedAt: Date | undefined
  readonly appliedBy: string | undefined
  readonly endedAt: Date | undefined
  readonly version: number | undefined
  readonly firstBatch: bigint | undefined
}

interface Columns {
  readonly id: string
  readonly source: string
  readonly source_id: number
  readonly base_id: number
  readonly hash: string
  readonly content: Json
  readonly how: PlanRow['how']
  readonly state: PlanState
  readonly tick: string | null
  readonly writes: string | null
  readonly summary: PlanSummary | null
  readonly problem: JsonObject | null
  readonly made_at: Date
  readonly made_by: string
  readonly applied_at: Date | null
  readonly applied_by: string | null
  readonly ended_at: Date | null
  readonly mapping_id: number | null
  readonly first_batch: string | null
}

function planRow(row: Columns): PlanRow {
  return {
    id: BigInt(row.id),
    source: row.source,
    sourceId: row.source_id,
    base: row.base_id,
    hash: row.hash,
    content: row.content,
    how: row.how,
    state: row.state,
    tick: row.tick === null ? undefined : BigInt(row.tick),
    writes: row.writes === null ? undefined : BigInt(row.writes),
    summary: row.summary ?? undefined,
    problem: row.problem ?? undefined,
    madeAt: row.made_at,
    madeBy: row.made_by,
    appliedAt: row.applied_at ?? undefined,
    appliedBy: row.applied_by ?? undefined,
    endedAt: row.ended_at ?? undefined,
    version: row.mapping_id ?? undefined,
    firstBatch: row.first_batch === null ? undefined : BigInt(row.first_batch),
  }
}

const select = 'SELECT p.*, s.name AS source FROM plans p JOIN sources s ON s.id = p.source_id'

export async function createPlan(
  db: Db,
  plan: Pick<PlanRow, 'sourceId' | 'base' | 'hash' | 'content' | 'how' | 'madeBy'>,
): Promise<bigint> {
  const { rows } = await db.query<{ id: string }>(
    `INSERT INTO plans (source_id, base_id, hash, content, how, state, made_by) VALUES ($1, $2, $3, $4, $5, 'making', $6) RETURNING id`,
    [plan.sourceId, plan.base, plan.hash, storableJson(plan.content), plan.how, plan.madeBy],
  )
  return BigInt(rows[0]?.id ?? 0)
}

export async function finishPlan(
  db: Db,
  id: bigint,
  made: { readonly tick: bigint; readonly writes: bigint; readonly summary: PlanSummary },
): Promise<void> {
  await db.query(`UPDATE plans SET state = 'planned', tick = $2, writes = $3, summary = $4 WHERE id = $1`, [
    id,
    made.tick,
    made.writes,
    storableJson(made.summary),
  ])
}

/** Answers whether it was in one of the states `from`. */
export async function movePlan(
  db: Db,
  id: bigint,
  from: readonly PlanState[],
  to: PlanState,
  problem?: JsonObject,
): Promise<boolean> {
  const { rowCount } = await db.query(
    'UPDATE plans SET state = $3, problem = $4 WHERE id = $1 AND state = ANY ($2::text[])',
    [id, array('text', from), to, problem === undefined ? null : storableJson(problem)],
  )
  return rowCount > 0
}

/** What a process that ended was about to find out, nobody will. */
export async function abandonPlans(db: Db): Promise<void> {
  const problem = JSON.stringify({ code: 'plan_interrupted', message: 'Catchment ended while it was made.' })
  await db.query(`UPDATE plans SET state = 'failed', problem = $1 WHERE state = 'making'`, [problem])
  await db.query(`UPDATE plans SET state = 'planned' WHERE state = 'checking'`)
}

export async function saveWithdrawals(db: Db, id: bigint, list: readonly Withdrawal[]): Promise<void> {
  await db.query(
    `INSERT INTO plan_withdrawals (plan_id, record_id, what, blueprint, identifier)
     SELECT $1, * FROM unnest($2::int8[], $3::text[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING`,
    [
      id,
      array(
        'int8',
        list.map(({ recordId }) => recordId),
      ),
      array(
        'text',
        list.map(({ what }) => what),
      ),
      array(
        'text',
        list.map(({ blueprint }) => blueprint),
      ),
      array(
        'text',
        list.map(({ identifier }) => identifier),
      ),
    ],
  )
}

/** Throws `plan_unknown`. */
export async function getPlan(db: Queryable, id: string): Promise<PlanRow> {
  const { rows } = await db.query<Columns>(`${select} WHERE p.id = $1::bigint`, [id])
  const [row] = rows
  if (row !== undefined) return planRow(row)
  throw new CatchmentError(`There is no plan ${id}.`, {
    code: 'plan_unknown',
    status: 404,
    hint: 'List them: GET /api/v1/plans. Make one with: catchment plan',
  })
}

/** Newest first. */
export async function listPlans(
  db: Queryable,
  filter: { readonly source?: string; readonly state?: PlanState; readonly before?: string; readonly limit: number },
): Promise<readonly PlanRow[]> {
  const { rows } = await db.query<Columns>(
    `${select} WHERE ($1::text IS NULL OR s.name = $1) AND ($2::text IS NULL OR p.state = $2) AND ($3::bigint IS NULL OR p.id < $3)
     ORDER BY p.id DESC LIMIT $4`,
    [filter.source ?? null, filter.state ?? null, filter.before ?? null, filter.limit],
  )
  return rows.map(planRow)
}

/** Grows with every transaction that writes records, of whichever source. */
export async function countWrites(db: Queryable): Promise<bigint> {
  const { rows } = await db.query<{ writes: string }>('SELECT coalesce(sum(writes), 0) AS writes FROM kinds')
  return BigInt(rows[0]?.writes ?? 0)
}

/** What its apply has done so far: lines of the feed by operation, what is held, and records that are still to be mapped. */
export async function planProgress(
  db: Queryable,
  { id, sourceId, version, firstBatch, state, appliedAt }: PlanRow,
): Promise<
  { readonly done: Readonly<Record<string, number>>; readonly held: number; readonly left: number } | undefined
> {
  if (version === undefined || firstBatch === undefined) return undefined
  const { rows } = await db.query<{ operation: string; count: string }>(
    `SELECT c.operation, count(*) AS count FROM change_batches b JOIN changes c ON c.batch = b.id
     WHERE b.id > $1 AND b.cause ->> 'type' = 'remap' AND b.cause ->> 'plan' = $2 GROUP BY 1`,
    [firstBatch, id.toString()],
  )
  const { rows: counts } = await db.query<{ held: string; left: string }>(
    `SELECT (SELECT count(*) FROM held h JOIN kinds k ON k.id = h.kind_id WHERE k.source_id = $1 AND h.state = 'pending' AND h.held_at >= $4) AS held,
       CASE WHEN $3 THEN (SELECT count(*) FROM records r JOIN kinds k ON k.id = r.kind_id
         WHERE k.source_id = $1 AND r.state = 'live' AND r.mapping_id <> $2) ELSE 0 END AS left`,
    [sourceId, version, state === 'applying', appliedAt],
  )
  return {
    done: Object.fromEntries(rows.map(({ operation, count }) => [operation, Number(count)])),
    held: Number(counts[0]?.held ?? 0),
    left: Number(counts[0]?.left ?? 0),
  }
}
