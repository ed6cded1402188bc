import { type Cell, type Column, columnArrays, copyRows, serverType, type Type } from './binary.ts'
import type { Queryable } from './db.ts'
import { sqlState } from './postgres/errors.ts'

/** A table as far as it is written in bulk. */
export interface Table {
  readonly name: string
  readonly columns: readonly Column[]
}

export function table(name: string, columns: Readonly<Record<string, Type>>): Table {
  return { name, columns: Object.entries(columns).map(([column, type]) => ({ name: column, type })) }
}

/** From here on COPY is faster: it costs two more round trips, but the server writes whole pages of rows (docs/decisions/0010-store.md). */
const copyFrom = 100

export async function insertRows(tx: Queryable, into: Table, rows: readonly (readonly Cell[])[]): Promise<void> {
  if (rows.length === 0) return
  const names = into.columns.map((column) => column.name).join(', ')
  if (rows.length >= copyFrom) {
    await tx.copyIn(`COPY ${into.name} (${names}) FROM STDIN (FORMAT binary)`, [copyRows(into.columns, rows)])
    return
  }
  await tx.query(
    `INSERT INTO ${into.name} (${names}) SELECT ${selected(into.columns)} FROM ${unnested(into.columns)}`,
    columnArrays(into.columns, rows),
    { name: `insert_${into.name}` },
  )
}

/**
 * Sends statements of one transaction one behind the other: while the server works on one, the next is made. Comes back when
 * none is under way any more, for nothing may follow a rollback. After an error the server refuses all that follows; what is
 * thrown is the error itself.
 */
export async function together(...statements: readonly (() => Promise<unknown>)[]): Promise<void> {
  const results = await Promise.allSettled(statements.map(async (send) => send()))
  const errors = results.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []))
  if (errors.length > 0) throw errors.find((error) => sqlState(error) !== afterAnError) ?? errors[0]
}

/** The state that the server answers with to whatever follows an error in a transaction. */
const afterAnError = '25P02'

/** `unnest($1::...) AS u (columns)`, parameters from `first` on. Values: `columnArrays` of the same columns. */
export function unnested(columns: readonly Column[], first = 1): string {
  const parameters = columns.map(({ type }, index) => `$${first + index}::${serverType(type)}[]`)
  return `unnest(${parameters.join(', ')}) AS u (${columns.map((column) => column.name).join(', ')})`
}

export function selected(columns: readonly Column[]): string {
  return columns.map(({ name, type }) => (type === 'text[]' ? `u.${name}::text[]` : `u.${name}`)).join(', ')
}

/** `UPDATE` of many rows by the first column; the others are set. */
export async function updateRows(tx: Queryable, target: Table, rows: readonly (readonly Cell[])[]): Promise<void> {
  if (rows.length === 0) return
  const [key, ...rest] = target.columns
  if (key === undefined) return
  const set = rest.map(({ name, type }) => `${name} = u.${name}${type === 'text[]' ? '::text[]' : ''}`).join(', ')
  await tx.query(
    `UPDATE ${target.name} t SET ${set} FROM ${unnested(target.columns)} WHERE t.${key.name} = u.${key.name}`,
    columnArrays(target.columns, rows),
  )
}
