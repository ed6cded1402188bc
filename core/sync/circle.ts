import type { Cursor } from '../sdk/index.ts'

/** Cursors that are remembered. */
export const nearby = 1000

/**
 * Tells a listing whose cursors go in a circle, in memory that does not grow with it: a circle of up to `nearby` pages when
 * it closes, a longer one after it went round a few times. One cursor is kept as a mark, and a later one from time to time,
 * each twice as far from the one before; sooner or later a mark lies on the circle and is met again.
 */
export class Circle {
  readonly #near = new Set<Cursor>()
  #mark: Cursor | undefined
  #steps = 0
  #reach = nearby

  constructor(before: Iterable<Cursor> = []) {
    for (const cursor of before) this.add(cursor)
  }

  /** The cursor's page came before, as far as is known. */
  met(cursor: Cursor): boolean {
    return cursor === this.#mark || this.#near.has(cursor)
  }

  add(cursor: Cursor): void {
    this.#near.add(cursor)
    const [oldest] = this.#near
    if (this.#near.size > nearby && oldest !== undefined) this.#near.delete(oldest)
    this.#steps += 1
    if (this.#steps < this.#reach) return
    this.#mark = cursor
    this.#steps = 0
    this.#reach *= 2
  }
}
