import { type Cell, type Column, columnArrays, copyRows, serverType, type Type } from './binary.ts'
import type { Queryable } from './db.ts'

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
 * Statements that were sent one behind the other, all of one transaction. The error is the one that came first, and comes
 * when none of them is under way any more: nothing may follow a rollback.
 */
export async function together(...statements: readonly (() => Promise<unknown>)[]): Promise<void> {
  const sent = statements.map(async (send) => send())
  try {
    await Promise.all(sent)
  } finally {
    await Promise.allSettled(sent)
  }
}

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
