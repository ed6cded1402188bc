import { CatchmentError } from '../../sdk/index.ts'
import type { Queryable } from '../db.ts'
import { feedBounds, formatPosition, type Position, resolvePosition } from './changes.ts'

/**
 * A place in the history of the catalog: behind one of its transactions, in the order in which they were committed; no
 * clock orders anything. Inside of a transaction the catalog was never seen.
 */
export interface Moment {
  readonly position: Position
  /** When the change at this place happened, in ISO 8601; null in front of the first one. */
  readonly at: string | null
}

/** The same for people and programs: `position` goes into `asOf` again. */
export interface MomentView {
  readonly position: string
  readonly at: string | null
}

export function momentView({ position, at }: Moment): MomentView {
  return { position: formatPosition(position), at }
}

/**
 * `text` is one of
 * - a time (ISO 8601, a date alone is its first moment in UTC): the place behind the last change that happened until then;
 *   with a clock that stepped back, a change counts as no earlier than the one in front of it;
 * - a revision: the place of the change that made it, or with `entity` of its newest version that is not above it;
 * - a position of the change feed: behind the transaction it lies in.
 *
 * Throws `as_of_invalid` (400), `history_expired` (410), and for positions what `resolvePosition` throws.
 */
export async function resolveMoment(db: Queryable, text: string, entity?: string): Promise<Moment> {
  const asked = text.trim()
  if (isRevision(asked)) return ofRevision(db, asked, entity)
  if (/^\d{4}-\d{2}/.test(asked)) return ofTime(db, asked)
  if (!/^[^:]{1,64}:\d{1,18}$/.test(asked)) throw invalid(asked)
  const { start } = await feedBounds(db)
  const { rows } = await db.query<{ expired: Date | null }>('SELECT expired FROM feed')
  const since = rows[0]?.expired
  if (since != null && asked.startsWith(`${start.epoch}:`) && BigInt(asked.slice(start.epoch.length + 1)) < start.seq) {
    throw expired(start, since)
  }
  const position = await resolvePosition(db, asked, 'asOf')
  return behind(db, position)
}

const iso = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/i

/** Milliseconds since the epoch; what says no zone is UTC. */
export function parseTime(text: string): number | undefined {
  if (!iso.test(text)) return undefined
  const zoned = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(text.slice(10))
  const time = Date.parse(text.length === 10 || zoned ? text.replace(' ', 'T') : `${text.replace(' ', 'T')}Z`)
  return Number.isNaN(time) ? undefined : time
}

async function ofTime(db: Queryable, text: string): Promise<Moment> {
  const time = parseTime(text)
  if (time === undefined) throw invalid(text)
  const { start, end } = await feedBounds(db)
  const { rows } = await db.query<{
    seq: string | null
    at: Date | null
    last: Date | null
    expired: Date | null
    last_at: Date | null
  }>(
    `SELECT b.seq, b.at, f.moment AS last, f.expired,
       (SELECT at FROM change_batches WHERE base IS NOT NULL ORDER BY base DESC LIMIT 1) AS last_at
     FROM feed f LEFT JOIN LATERAL (
       SELECT base + size - 1 AS seq, at FROM change_batches
       WHERE base IS NOT NULL AND moment <= $1 ORDER BY moment DESC, base DESC LIMIT 1) b ON true`,
    [new Date(time)],
  )
  const [row] = rows
  if (row?.last != null && row.last.getTime() <= time) return { position: end, at: row.last_at?.toISOString() ?? null }
  if (row?.expired != null && time < row.expired.getTime()) throw expired(start, row.expired)
  if (row?.seq == null) return { position: start, at: null }
  return { position: { epoch: end.epoch, seq: BigInt(row.seq) }, at: row.at?.toISOString() ?? null }
}

async function ofRevision(db: Queryable, revision: string, entity: string | undefined): Promise<Moment> {
  const { start, end } = await feedBounds(db)
  const own = entity === undefined ? 'c.revision = $1::bigint' : 'c.revision <= $1::bigint AND c.entity_id = $2::bigint'
  const { rows } = await db.query<{ seq: string; at: Date }>(
    `SELECT b.base + b.size - 1 AS seq, b.at FROM changes c JOIN change_batches b ON b.id = c.batch
     WHERE ${own} AND b.base IS NOT NULL ORDER BY c.revision DESC LIMIT 1`,
    entity === undefined ? [revision] : [revision, entity],
  )
  const [row] = rows
  if (row !== undefined) return { position: { epoch: end.epoch, seq: BigInt(row.seq) }, at: row.at.toISOString() }
  const feed = await db.query<{ expired: Date | null; oldest: string | null }>(
    `SELECT expired, (SELECT min(c.revision) FROM changes c JOIN change_batches b ON b.id = c.batch
       WHERE b.id = (SELECT id FROM change_batches WHERE base IS NOT NULL ORDER BY base LIMIT 1)) AS oldest FROM feed`,
  )
  const since = feed.rows[0]?.expired
  if (since != null && BigInt(revision) < BigInt(feed.rows[0]?.oldest ?? revision)) throw expired(start, since)
  // In front of everything that this entity ever was.
  if (entity !== undefined) return { position: start, at: null }
  throw new CatchmentError(`No change made revision ${revision}.`, {
    code: 'as_of_invalid',
    status: 400,
    hint: 'Take a revision from the history of an entity, or ask by time.',
    details: { parameter: 'asOf' },
  })
}

/** The end of the transaction that the place lies in. */
async function behind(db: Queryable, { epoch, seq }: Position): Promise<Moment> {
  const { rows } = await db.query<{ last: string; at: Date }>(
    'SELECT base + size - 1 AS last, at FROM change_batches WHERE base <= $1::bigint ORDER BY base DESC LIMIT 1',
    [seq.toString()],
  )
  const [row] = rows
  if (row === undefined) return { position: { epoch, seq }, at: null }
  const last = BigInt(row.last)
  return { position: { epoch, seq: last > seq ? last : seq }, at: row.at.toISOString() }
}

export function isRevision(text: string): boolean {
  return /^\d{1,18}$/.test(text.trim())
}

/** The entity that this revision is of; undefined when it is no revision. */
export async function entityOfRevision(db: Queryable, text: string): Promise<string | undefined> {
  if (!isRevision(text)) return undefined
  const { rows } = await db.query<{ entity_id: string }>(
    'SELECT entity_id FROM changes WHERE revision = $1::bigint LIMIT 1',
    [text.trim()],
  )
  return rows[0]?.entity_id
}

function invalid(text: string): CatchmentError {
  return new CatchmentError(`"${text.slice(0, 100)}" is not a moment.`, {
    code: 'as_of_invalid',
    status: 400,
    hint: 'Give a time as in ISO 8601 (2026-11-24 or 2026-11-24T09:30:00Z), a revision, or a position of the change feed.',
    details: { parameter: 'asOf' },
  })
}

function expired(start: Position, until: Date): CatchmentError {
  return new CatchmentError(`History is kept from ${until.toISOString()} on.`, {
    code: 'history_expired',
    status: 410,
    hint: 'Ask for a later moment.',
    details: { from: formatPosition(start), since: until.toISOString() },
  })
}
