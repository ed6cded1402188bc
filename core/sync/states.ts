/** One listed transition; docs/sync-spec.md has the same tables with a sentence for each row, and a test compares them. */
export interface Row {
  readonly from: string
  readonly event: string
  readonly to: string
}

export type TableName = 'scan' | 'partition' | 'delivery' | 'doubt' | 'hold' | 'presence'

function rows(text: string): readonly Row[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [from = '', event = '', to = ''] = line.trim().split(/ -(.+)-> /u)
      return { from, event, to }
    })
}

/** Every state and every way from one to another. `none` is what is not stored. */
export const tables: Readonly<Record<TableName, readonly Row[]>> = {
  scan: rows(`
    none -begin-> running
    running -resume-> running
    parked -resume-> running
    running -page-> running
    running -flaw-> running
    running -park-> parked
    running -fail-> incomplete
    running -finish flawed-> incomplete
    running -abandon-> incomplete
    parked -abandon-> incomplete
    running -finish-> complete
    complete -hold-> held
  `),
  partition: rows(`
    none -list-> unseen
    unseen -complete-> known
    known -complete-> known
    unknown -complete-> known
    unseen -refuse-> unknown
    known -refuse-> unknown
    unknown -refuse-> unknown
    unseen -forget-> unknown
    known -forget-> unknown
    unknown -forget-> unknown
    unseen -drop-> dropped
    known -drop-> dropped
    unknown -drop-> dropped
    dropped -list-> unseen
  `),
  delivery: rows(`
    none -accept-> accepted
    accepted -repeat-> accepted
    accepted -apply-> applied
    accepted -set aside-> dead
    dead -replay-> accepted
    applied -forget-> none
  `),
  doubt: rows(`
    none -raise-> open
    open -settle-> none
    open -postpone-> open
  `),
  hold: rows(`
    none -hold-> pending
    pending -approve-> approved
    pending -reject-> rejected
    pending -see again-> dissolved
    approved -see again-> dissolved
    rejected -see again-> dissolved
    pending -sign-> released
    approved -sign-> released
    rejected -sign-> released
    approved -carry out-> released
  `),
  presence: rows(`
    none -observe-> live
    live -confirm-> live
    live -replace-> live
    live -doubt-> live
    live -hold-> live
    live -remove-> gone
    gone -observe-> live
    gone -doubt-> gone
    none -doubt-> none
  `),
}

/** Rows that only a person takes, through the API; the engine finds their result. */
export const byPeople: readonly { readonly table: TableName; readonly event: string }[] = [
  { table: 'hold', event: 'approve' },
  { table: 'hold', event: 'reject' },
  { table: 'delivery', event: 'replay' },
]

export type OnTransition = (table: TableName, row: Row) => void

/** Throws for a row that is not listed: then the code does something that the specification does not know. */
export function transition(table: TableName, from: string, event: string, onTransition?: OnTransition): string {
  const row = tables[table].find((each) => each.from === from && each.event === event)
  if (row === undefined) throw new Error(`No transition from ${table} "${from}" by "${event}" is listed.`)
  onTransition?.(table, row)
  return row.to
}
