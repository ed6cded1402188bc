import type { Json, JsonObject } from '../../model/json.ts'
import { CatchmentError } from '../../sdk/index.ts'
import type { Queryable } from '../db.ts'
import type { Told } from '../document.ts'
import { Parameters } from './sql.ts'
import { documentOfVersion, type Operation, versionsOf } from './versions.ts'

/** One line of the change feed. */
export interface ChangeView {
  /** `EPOCH:SEQ`: what to pass as `after` to go on behind it. */
  readonly position: string
  readonly operation: Operation
  /** Of the entity: stays when its name changes. */
  readonly id: string
  readonly reference: string
  readonly blueprint: string
  readonly identifier: string
  readonly revision: number
  /** Field -> [before, after]; null when created (`entity` has it all), deleted, or restored as it was. */
  readonly patch: JsonObject | null
  /** What it said from then on, of one that was created or restored; relations as they are said. */
  readonly entity?: Told
  /** What made it happen: a scan, a delivery, a get, a remap, a person. */
  readonly cause: Json
  readonly at: string
}

/** A place in the feed: everything up to and with `seq` has been read. */
export interface Position {
  readonly epoch: string
  readonly seq: bigint
}

export function formatPosition(position: Position): string {
  return `${position.epoch}:${position.seq}`
}

/** The place behind the last change there is, and the first one that can still be read from. */
export async function feedBounds(db: Queryable): Promise<{ readonly end: Position; readonly start: Position }> {
  const { rows } = await db.query<{ epoch: string; next: string; first: string | null }>(
    'SELECT epoch, next, (SELECT min(base) FROM change_batches WHERE base IS NOT NULL) AS first FROM feed',
  )
  const row = rows[0]
  if (row === undefined) throw new Error('The feed has no row; the migrations create it.')
  const next = BigInt(row.next)
  return {
    end: { epoch: row.epoch, seq: next - 1n },
    start: { epoch: row.epoch, seq: (row.first === null ? next : BigInt(row.first)) - 1n },
  }
}

/**
 * `start`, `now`, or a position. Throws `position_invalid` (400) for what is none, `feed_expired` (410) when the feed is not
 * kept back to it, `feed_replaced` (410) when it is of another epoch: the reader must read the catalog again.
 */
export async function resolvePosition(db: Queryable, text: string, parameter = 'after'): Promise<Position> {
  const bounds = await feedBounds(db)
  if (text === 'start') return bounds.start
  if (text === 'now') return bounds.end
  const match = /^([^:]{1,64}):(\d{1,18})$/.exec(text)
  const [, epoch, digits] = match ?? []
  if (epoch === undefined || digits === undefined) {
    throw new CatchmentError(`"${text.slice(0, 100)}" is not a position of the change feed.`, {
      code: 'position_invalid',
      status: 400,
      hint: 'Use "start", "now", or a position as an earlier answer gave it.',
      details: { parameter },
    })
  }
  const position = { epoch, seq: BigInt(digits) }
  check(position, bounds)
  return position
}

function check(position: Position, { start, end }: { readonly start: Position; readonly end: Position }): void {
  if (position.epoch !== end.epoch || position.seq > end.seq) {
    throw new CatchmentError('The feed was replaced: this position belongs to what was there before a restore.', {
      code: 'feed_replaced',
      status: 410,
      hint: readAgain,
      details: { epoch: end.epoch, start: formatPosition(start), end: formatPosition(end) },
    })
  }
  if (position.seq >= start.seq) return
  throw new CatchmentError('The change feed is no longer kept back to this position.', {
    code: 'feed_expired',
    status: 410,
    hint: readAgain,
    details: { start: formatPosition(start), end: formatPosition(end) },
  })
}

const readAgain =
  'Read the whole catalog with GET /api/v1/snapshot and follow the feed from the position that it gives.'

interface Row {
  seq: string
  entity_id: string
  operation: ChangeView['operation']
  blueprint: string
  identifier: string
  revision: string
  patch: JsonObject | null
  cause: Json
  at: Date
}

const columns =
  'b.base + c.position AS seq, c.entity_id, c.operation, c.blueprint, c.identifier, c.revision, c.patch, b.cause, c.at'

/** What a reader wants; absent: everything. */
export interface ChangeFilter {
  readonly blueprints?: readonly string[]
  readonly operations?: readonly Operation[]
}

/** Up to so many changes are looked at in one step, so that a filter that matches nothing costs a bounded read. */
const step = 2000

/**
 * The changes behind `after`, and the position the reader has reached with them. `more`: there is something behind it.
 * Throws `feed_expired`, `feed_replaced`.
 */
export async function readChanges(
  db: Queryable,
  after: Position,
  filter: ChangeFilter,
  limit: number,
): Promise<{ readonly items: readonly ChangeView[]; readonly position: Position; readonly more: boolean }> {
  // The end is read first: what gets its place between the two statements is behind `position`, and is read next time.
  const bounds = await feedBounds(db)
  check(after, bounds)
  const end = bounds.end.seq
  const looked = after.seq + BigInt(step) < end ? after.seq + BigInt(step) : end
  const { rows } = await db.query<Row>(
    `SELECT ${columns}
     FROM change_batches b JOIN changes c ON c.batch = b.id
     WHERE b.base >= coalesce((SELECT max(base) FROM change_batches WHERE base <= $1::bigint + 1), 0) AND b.base <= $2::bigint
       AND b.base + c.position > $1::bigint AND b.base + c.position <= $2::bigint
       AND ($3::text[] IS NULL OR c.blueprint = ANY ($3)) AND ($4::text[] IS NULL OR c.operation = ANY ($4))
     ORDER BY b.base, c.position LIMIT $5::integer`,
    [after.seq.toString(), looked.toString(), filter.blueprints ?? null, filter.operations ?? null, limit + 1],
  )
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const reached = rows.length > limit && last !== undefined ? BigInt(last.seq) : looked
  const whole = items.filter(({ operation }) => operation === 'created' || operation === 'restored')
  const versions = await versionsOf(
    db,
    whole.map((row) => ({ id: row.entity_id, seq: BigInt(row.seq) })),
  )
  const documents = new Map(whole.map((row, index) => [row, versions[index]]))
  return {
    items: items.map((row) => {
      const version = documents.get(row)
      return { ...view(after.epoch, row), ...(version === undefined ? {} : { entity: documentOfVersion(version) }) }
    }),
    position: { epoch: after.epoch, seq: reached },
    more: reached < end,
  }
}

/** Newest first, of one entity or of all. */
export async function latestChanges(
  db: Queryable,
  filter: { readonly entityId?: string },
  limit: number,
): Promise<readonly ChangeView[]> {
  const parameters = new Parameters()
  const own = filter.entityId === undefined ? 'true' : `c.entity_id = ${parameters.add(filter.entityId)}::bigint`
  const { rows } = await db.query<Row & { epoch: string }>(
    `SELECT ${columns}, f.epoch FROM changes c JOIN change_batches b ON b.id = c.batch CROSS JOIN feed f
     WHERE b.base IS NOT NULL AND ${own}
     ORDER BY ${filter.entityId === undefined ? 'b.base DESC, c.position DESC' : 'c.revision DESC'} LIMIT ${limit}`,
    parameters.values,
  )
  return rows.map((row) => view(row.epoch, row))
}

function view(epoch: string, row: Row): ChangeView {
  return {
    position: `${epoch}:${row.seq}`,
    operation: row.operation,
    id: row.entity_id,
    reference: `${row.blueprint}:${row.identifier}`,
    blueprint: row.blueprint,
    identifier: row.identifier,
    revision: Number(row.revision),
    patch: row.patch,
    cause: row.cause,
    at: row.at.toISOString(),
  }
}
