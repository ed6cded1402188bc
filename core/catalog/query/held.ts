import type { JsonObject } from '../../model/json.ts'
import { CatchmentError } from '../../sdk/index.ts'
import type { Queryable } from '../db.ts'
import { decodeCursor, encodeCursor, type List, page } from './cursor.ts'
import { Parameters } from './sql.ts'

export const heldStates = ['pending', 'approved', 'rejected', 'dissolved', 'released'] as const
export type HeldState = (typeof heldStates)[number]

export interface HeldView {
  readonly id: string
  readonly source: string
  readonly kind: string
  readonly partition: string | null
  /** The source's id of the object. */
  readonly key: string
  readonly locator: JsonObject
  /** `presence`, `contribution MAPPING/ITEM` or `property MAPPING/ITEM/NAME`. */
  readonly what: string
  readonly reason: string
  readonly scan: string | null
  readonly state: HeldState
  readonly heldAt: string
  readonly decidedAt: string | null
  readonly decidedBy: string | null
  /** References of the entities that the record feeds. */
  readonly entities: readonly string[]
}

export interface HeldFilter {
  readonly source?: string
  readonly kind?: string
  readonly partition?: string
  readonly state?: HeldState
}

interface Row {
  id: string
  source: string
  kind: string
  partition: string | null
  key: string
  locator: JsonObject
  what: string
  reason: string
  scan_id: string | null
  state: HeldState
  held_at: Date
  decided_at: Date | null
  decided_by: string | null
  entities: string[] | null
}

const joins = `JOIN kinds k ON k.id = h.kind_id JOIN sources o ON o.id = k.source_id
  LEFT JOIN partitions p ON p.id = h.partition_id`

const select = `SELECT h.id, o.name AS source, k.name AS kind, p.name AS partition, r.key, r.locator, h.what, h.reason, h.scan_id,
    h.state, h.held_at, h.decided_at, h.decided_by,
    (SELECT array_agg(DISTINCT e.blueprint || ':' || e.identifier) FROM contributions c JOIN entities e ON e.id = c.entity_id
     WHERE c.record_id = h.record_id AND e.deleted IS NULL) AS entities
  FROM held h ${joins} JOIN records r ON r.id = h.record_id`

function conditions(filter: HeldFilter, parameters: Parameters): string[] {
  const found = [`h.state = ${parameters.add(filter.state ?? 'pending')}`]
  if (filter.source !== undefined) found.push(`o.name = ${parameters.add(filter.source)}`)
  if (filter.kind !== undefined) found.push(`k.name = ${parameters.add(filter.kind)}`)
  if (filter.partition !== undefined) found.push(`p.name = ${parameters.add(filter.partition)}`)
  return found
}

/** In the order they were held. Without a state: what waits for a person. */
export async function listHeld(
  db: Queryable,
  filter: HeldFilter & { readonly limit: number; readonly cursor?: string },
): Promise<List<HeldView>> {
  const { limit, cursor, ...shape } = filter
  const parameters = new Parameters()
  const where = conditions(filter, parameters)
  if (cursor !== undefined) where.push(`h.id > ${parameters.add(decodeCursor(shape, cursor, 1)[0])}::bigint`)
  const { rows } = await db.query<Row>(
    `${select} WHERE ${where.join(' AND ')} ORDER BY h.id LIMIT ${limit + 1}`,
    parameters.values,
  )
  return page(rows, limit, view, (last) => encodeCursor(shape, [last.id]))
}

/** What is pending on the records that feed an entity. */
export async function heldOfEntity(db: Queryable, entityId: string): Promise<readonly HeldView[]> {
  const { rows } = await db.query<Row>(
    `${select} WHERE h.state = 'pending'
       AND h.record_id IN (SELECT c.record_id FROM contributions c WHERE c.entity_id = $1::bigint)
     ORDER BY h.id LIMIT 100`,
    [entityId],
    { name: 'held_of_entity' },
  )
  return rows.map(view)
}

function view(row: Row): HeldView {
  return {
    id: row.id,
    source: row.source,
    kind: row.kind,
    partition: row.partition,
    key: row.key,
    locator: row.locator,
    what: row.what,
    reason: row.reason,
    scan: row.scan_id,
    state: row.state,
    heldAt: row.held_at.toISOString(),
    decidedAt: row.decided_at?.toISOString() ?? null,
    decidedBy: row.decided_by,
    entities: row.entities ?? [],
  }
}

/**
 * Approve or reject one pending hold. The engine carries an approved one out; call `wake` afterwards. Throws
 * `hold_unknown` (404) and `hold_decided` (409) with the state it has.
 */
export async function decideHeld(
  db: Queryable,
  id: string,
  decision: 'approved' | 'rejected',
  who: string,
): Promise<void> {
  const { rowCount } = await db.query(
    `UPDATE held SET state = $2, decided_at = now(), decided_by = $3 WHERE id = $1::bigint AND state = 'pending'`,
    [id, decision, who],
  )
  if (rowCount > 0) return
  const { rows } = await db.query<{ state: HeldState }>('SELECT state FROM held WHERE id = $1::bigint', [id])
  const state = rows[0]?.state
  if (state === undefined) {
    throw new CatchmentError(`Nothing is held under ${id}.`, {
      code: 'hold_unknown',
      status: 404,
      hint: 'List what is held: GET /api/v1/held',
    })
  }
  throw new CatchmentError(`This is not pending any more: it is ${state}.`, {
    code: 'hold_decided',
    status: 409,
    hint: 'Nothing is to be done. A rejected one is held again if the source keeps saying so after it was seen again.',
    details: { state },
  })
}

/** The same for everything pending of a source, a kind or a partition. Answers how many. */
export async function decideAllHeld(
  db: Queryable,
  filter: Omit<HeldFilter, 'state'>,
  decision: 'approved' | 'rejected',
  who: string,
): Promise<number> {
  const parameters = new Parameters()
  const where = conditions({ ...filter, state: 'pending' }, parameters)
  const { rowCount } = await db.query(
    `UPDATE held SET state = ${parameters.add(decision)}, decided_at = now(), decided_by = ${parameters.add(who)}
     WHERE state = 'pending' AND id IN (SELECT h.id FROM held h ${joins} WHERE ${where.join(' AND ')})`,
    parameters.values,
  )
  return rowCount
}
