import { createHash } from 'node:crypto'
import { CatchmentError } from '../../sdk/index.ts'

/** One page of a list. `next` is absent on the last one. */
export interface List<T> {
  readonly items: readonly T[]
  readonly next?: string
}

/** A cursor carries the sort values of the last item and a digest of the query it belongs to, so that it cannot be used with another one. */
export function encodeCursor(query: unknown, values: readonly string[]): string {
  return Buffer.from(JSON.stringify([digest(query), ...values])).toString('base64url')
}

/** Throws `cursor_invalid` when the cursor is none of ours or belongs to another query. */
export function decodeCursor(query: unknown, cursor: string, length: number): readonly string[] {
  const [mark, ...values] = parse(cursor)
  if (mark !== digest(query) || values.length !== length) {
    throw new CatchmentError('The cursor does not belong to this query.', {
      code: 'cursor_invalid',
      status: 400,
      hint: 'Repeat the request with the same parameters that gave the cursor, or start again without one.',
      details: { parameter: 'cursor' },
    })
  }
  return values
}

/** Cuts a result fetched with one row more than asked for. */
export function page<Row, T>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => T,
  cursor: (last: Row) => string,
): List<T> {
  const kept = rows.slice(0, limit)
  const last = kept.at(-1)
  return { items: kept.map(view), ...(rows.length > limit && last !== undefined ? { next: cursor(last) } : {}) }
}

/** A page of what is small enough to be read whole. `key` is unique. */
export function pageOf<T>(
  all: readonly T[],
  key: (item: T) => string,
  request: { readonly limit: number; readonly cursor?: string },
): List<T> {
  const after = request.cursor === undefined ? undefined : decodeCursor({}, request.cursor, 1)[0]
  const start = after === undefined ? 0 : all.findIndex((item) => key(item) === after) + 1
  return page(
    all.slice(start, start + request.limit + 1),
    request.limit,
    (item) => item,
    (last) => encodeCursor({}, [key(last)]),
  )
}

function digest(query: unknown): string {
  return createHash('sha256').update(JSON.stringify(query)).digest('base64url').slice(0, 8)
}

function parse(cursor: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(value) && value.every((part) => typeof part === 'string')) return value
  } catch {
    // Answered below with everything else that is not a cursor.
  }
  return []
}
