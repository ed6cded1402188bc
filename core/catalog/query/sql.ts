/** Collects the values of one statement; `add` answers the placeholder. */
export class Parameters {
  readonly values: unknown[] = []

  add(value: unknown): string {
    this.values.push(value)
    return `$${this.values.length}`
  }
}

/** One column of an order. Never null: wrap in coalesce. */
export interface SortKey {
  readonly sql: string
  /** Type that the cursor's text is cast back to. */
  readonly type: string
  readonly descending: boolean
}

export function orderBy(keys: readonly SortKey[]): string {
  return keys.map((key) => `${key.sql} ${key.descending ? 'DESC' : 'ASC'}`).join(', ')
}

/** The sort values of a row as text, as column `cursor`: text keeps microseconds and every digit of a rank. */
export function cursorColumn(keys: readonly SortKey[]): string {
  return `ARRAY[${keys.map((key) => `(${key.sql})::text`).join(', ')}] AS cursor`
}

/** "Comes after the row with these values". One row comparison where all directions agree, because an index can answer that. */
export function following(keys: readonly SortKey[], values: readonly string[], parameters: Parameters): string {
  const cast = keys.map((key, index) => `${parameters.add(values[index])}::text::${key.type}`)
  const first = keys[0]
  if (first !== undefined && keys.every((key) => key.descending === first.descending)) {
    return `(${keys.map((key) => key.sql).join(', ')}) ${first.descending ? '<' : '>'} (${cast.join(', ')})`
  }
  const alternatives = keys.map((key, index) => {
    const equal = keys.slice(0, index).map((other, place) => `${other.sql} = ${cast[place]}`)
    return `(${[...equal, `${key.sql} ${key.descending ? '<' : '>'} ${cast[index]}`].join(' AND ')})`
  })
  return `(${alternatives.join(' OR ')})`
}
