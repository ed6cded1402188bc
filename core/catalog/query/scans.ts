import { CatchmentError } from '../../sdk/index.ts'
import type { Queryable } from '../db.ts'
import { decodeCursor, encodeCursor, type List, page } from './cursor.ts'
import { Parameters } from './sql.ts'

export interface ScanView {
  readonly id: string
  readonly source: string
  readonly kind: string
  readonly partition: string
  readonly state: string
  readonly reason: string | null
  readonly startedAt: string
  readonly endedAt: string | null
  readonly parkedUntil: string | null
  readonly pages: number
  /** Pages that the source said had not changed. */
  readonly notModified: number
  /** Calls of the listing, and how many of them counted against the rate limit; told when it ends or pauses. */
  readonly calls: number
  readonly quota: number
  readonly items: number
  readonly changed: number
  readonly failed: number
  readonly removed: number
  readonly held: number
  /** Items of the last complete scan, if there was one. */
  readonly expected: number | null
  /** Of a running scan, as far as it can be told: share done (0 to 1), items a second, and when it will end. */
  readonly progress: { readonly share: number | null; readonly rate: number; readonly endsAt: string | null } | null
}

export interface ScanFilter {
  readonly source?: string
  readonly kind?: string
  readonly partition?: string
  readonly state?: string
  readonly limit: number
  readonly cursor?: string
}

export interface ScanRecord {
  readonly id: string
  readonly source: string
  readonly kind: string
  readonly partition: string
  readonly state: string
  readonly reason: string | null
  readonly started_at: Date
  readonly ended_at: Date | null
  readonly parked_until: Date | null
  readonly pages: number
  readonly not_modified: number
  readonly calls: number
  readonly quota: number
  readonly items: string
  readonly changed: string
  readonly failed: string
  readonly removed: string
  readonly held: string
  readonly expected: string | null
}

/** Columns that `scanView` reads, of `scans s`, beside source, kind and partition. */
export const scanColumns = `s.id, s.state, s.reason, s.started_at, s.ended_at, s.parked_until, s.pages, s.not_modified,
  s.calls, s.quota, s.items, s.changed, s.failed, s.removed, s.held, s.expected`

const names = `o.name AS source, k.name AS kind, p.name AS partition
  FROM scans s JOIN partitions p ON p.id = s.partition_id JOIN kinds k ON k.id = p.kind_id JOIN sources o ON o.id = k.source_id`

/** Newest first. `now` in milliseconds, for the forecast. */
export async function listScans(db: Queryable, filter: ScanFilter, now: number): Promise<List<ScanView>> {
  const { limit, cursor, ...shape } = filter
  const parameters = new Parameters()
  const conditions = ['true']
  if (filter.source !== undefined) conditions.push(`o.name = ${parameters.add(filter.source)}`)
  if (filter.kind !== undefined) conditions.push(`k.name = ${parameters.add(filter.kind)}`)
  if (filter.partition !== undefined) conditions.push(`p.name = ${parameters.add(filter.partition)}`)
  if (filter.state !== undefined) conditions.push(`s.state = ${parameters.add(filter.state)}`)
  if (cursor !== undefined) conditions.push(`s.id < ${parameters.add(decodeCursor(shape, cursor, 1)[0])}::bigint`)
  const { rows } = await db.query<ScanRecord>(
    `SELECT ${scanColumns}, ${names}
     WHERE ${conditions.join(' AND ')} ORDER BY s.id DESC LIMIT ${limit + 1}`,
    parameters.values,
  )
  return page(
    rows,
    limit,
    (row) => scanView(row, now),
    (last) => encodeCursor(shape, [last.id]),
  )
}

/** Throws `scan_unknown`. */
export async function getScan(db: Queryable, id: string, now: number): Promise<ScanView> {
  const { rows } = await db.query<ScanRecord>(`SELECT ${scanColumns}, ${names} WHERE s.id = $1::bigint`, [id])
  const row = rows[0]
  if (row !== undefined) return scanView(row, now)
  throw new CatchmentError(`There is no scan ${id}.`, {
    code: 'scan_unknown',
    status: 404,
    hint: 'List them: catchment scans, GET /api/v1/scans',
  })
}

export function scanView(row: ScanRecord, now: number): ScanView {
  const items = Number(row.items)
  const expected = row.expected === null ? null : Number(row.expected)
  return {
    id: row.id,
    source: row.source,
    kind: row.kind,
    partition: row.partition,
    state: row.state,
    reason: row.reason,
    startedAt: row.started_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
    parkedUntil: row.parked_until?.toISOString() ?? null,
    pages: row.pages,
    notModified: row.not_modified,
    calls: row.calls,
    quota: row.quota,
    items,
    changed: Number(row.changed),
    failed: Number(row.failed),
    removed: Number(row.removed),
    held: Number(row.held),
    expected,
    progress: row.ended_at === null ? progress(items, expected, row, now) : null,
  }
}

function progress(
  items: number,
  expected: number | null,
  row: { readonly started_at: Date; readonly parked_until: Date | null },
  now: number,
): ScanView['progress'] {
  const seconds = Math.max(0.001, (now - row.started_at.getTime()) / 1000)
  const rate = Math.round((items / seconds) * 10) / 10
  if (expected === null || expected === 0) return { share: null, rate, endsAt: null }
  const share = Math.min(1, items / expected)
  if (items === 0) return { share, rate, endsAt: null }
  const left = (Math.max(0, expected - items) / items) * seconds * 1000
  const from = Math.max(now, row.parked_until?.getTime() ?? 0)
  return { share, rate, endsAt: new Date(from + left).toISOString() }
}
