import { type OnTransition, type TableName, transition } from './states.ts'

/**
 * The transitions that one transaction makes: checked when they are planned, reported when it is committed. Each row once,
 * however many records take it, since an unchanged item must cost next to nothing.
 */
export class Moves {
  readonly #taken = new Map<string, { table: TableName; from: string; event: string; to: string }>()

  add(table: TableName, from: string, event: string): string {
    const id = `${table} ${from} ${event}`
    const known = this.#taken.get(id)
    if (known !== undefined) return known.to
    const to = transition(table, from, event)
    this.#taken.set(id, { table, from, event, to })
    return to
  }

  report(onTransition: OnTransition | undefined): void {
    if (onTransition === undefined) return
    for (const { table, from, event } of this.#taken.values()) transition(table, from, event, onTransition)
  }
}
