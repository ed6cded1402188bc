import type { Json } from '../../model/json.ts'
import { CatchmentError } from '../../sdk/index.ts'
import type { Queryable } from '../db.ts'
import { decodeCursor, encodeCursor, type List, page } from './cursor.ts'
import { Parameters } from './sql.ts'

export const deliveryStates = ['accepted', 'applied', 'dead'] as const
export type DeliveryState = (typeof deliveryStates)[number]

export interface DeliveryView {
  readonly id: string
  readonly source: string
  /** The source's own id of it. */
  readonly delivery: string
  readonly event: string
  readonly state: DeliveryState
  readonly attempts: number
  /** Why it was set aside. */
  readonly error: Json
  readonly bytes: number
  readonly receivedAt: string
  readonly settledAt: string | null
}

interface Row {
  id: string
  source: string
  delivery: string
  event: string
  state: DeliveryState
  attempts: number
  error: Json
  bytes: number
  received_at: Date
  settled_at: Date | null
}

const columns = `i.id, o.name AS source, i.delivery, i.event, i.state, i.attempts, i.error, octet_length(i.body) AS bytes,
  i.received_at, i.settled_at`

export interface DeliveryFilter {
  readonly source?: string
  readonly state?: DeliveryState
  readonly limit: number
  readonly cursor?: string
}

/** Newest first. */
export async function listDeliveries(db: Queryable, filter: DeliveryFilter): Promise<List<DeliveryView>> {
  const { limit, cursor, ...shape } = filter
  const parameters = new Parameters()
  const where = ['true']
  if (filter.source !== undefined) where.push(`o.name = ${parameters.add(filter.source)}`)
  if (filter.state !== undefined) where.push(`i.state = ${parameters.add(filter.state)}`)
  if (cursor !== undefined) where.push(`i.id < ${parameters.add(decodeCursor(shape, cursor, 1)[0])}::bigint`)
  const { rows } = await db.query<Row>(
    `SELECT ${columns} FROM inbox i JOIN sources o ON o.id = i.source_id
     WHERE ${where.join(' AND ')} ORDER BY i.id DESC LIMIT ${limit + 1}`,
    parameters.values,
  )
  return page(rows, limit, view, (last) => encodeCursor(shape, [last.id]))
}

function view(row: Row): DeliveryView {
  return {
    id: row.id,
    source: row.source,
    delivery: row.delivery,
    event: row.event,
    state: row.state,
    attempts: row.attempts,
    error: row.error,
    bytes: row.bytes,
    receivedAt: row.received_at.toISOString(),
    settledAt: row.settled_at?.toISOString() ?? null,
  }
}

/** With its body as the source sent it. Headers are left out: some of them are credentials. Throws `delivery_unknown`. */
export async function getDelivery(db: Queryable, id: string): Promise<DeliveryView & { readonly body: string }> {
  const { rows } = await db.query<Row & { body: Buffer }>(
    `SELECT ${columns}, i.body FROM inbox i JOIN sources o ON o.id = i.source_id WHERE i.id = $1::bigint`,
    [id],
  )
  const row = rows[0]
  if (row === undefined) throw unknown(id)
  return { ...view(row), body: row.body.toString('utf8') }
}

/** Puts a delivery that was set aside back into the inbox; call `wake` afterwards. Throws `delivery_unknown`, `delivery_not_dead`. */
export async function replayDelivery(db: Queryable, id: string): Promise<void> {
  const { rowCount } = await db.query(
    `WITH again AS (DELETE FROM set_aside WHERE inbox_id = $1::bigint)
     UPDATE inbox SET state = 'accepted', attempts = 0, error = NULL, settled_at = NULL WHERE id = $1::bigint AND state = 'dead'`,
    [id],
  )
  if (rowCount > 0) return
  const { rows } = await db.query<{ state: DeliveryState }>('SELECT state FROM inbox WHERE id = $1::bigint', [id])
  const state = rows[0]?.state
  if (state === undefined) throw unknown(id)
  throw new CatchmentError(`Only a delivery that was set aside can be replayed; this one is ${state}.`, {
    code: 'delivery_not_dead',
    status: 409,
    details: { state },
  })
}

function unknown(id: string): CatchmentError {
  return new CatchmentError(`There is no delivery ${id}.`, {
    code: 'delivery_unknown',
    status: 404,
    hint: 'List them: GET /api/v1/deliveries. Applied ones are forgotten after some time.',
  })
}
