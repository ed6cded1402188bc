import type { StoredPage } from '../catalog/stored.ts'
import type { Cursor } from '../sdk/index.ts'
import type { Session } from './session.ts'

/** Pages on each side of the one that comes next. */
export const around = 250

/**
 * Pages of the partition's last complete scan that the source may call unmodified: of all of them only those around the
 * place where the listing is.
 */
export class Remembered {
  readonly #session: Session
  readonly #partitionId: number
  readonly #pages = new Map<Cursor, StoredPage>()
  /** Number of the first page that was not asked for yet. */
  #upTo = 0
  #forgotten: Cursor | undefined

  constructor(session: Session, partitionId: number) {
    this.#session = session
    this.#partitionId = partitionId
  }

  /** Before the page of this number is asked for. */
  async reach(number: number): Promise<void> {
    if (number + around <= this.#upTo) return
    const from = Math.max(this.#upTo, number - around)
    const limit = number + 2 * around - from
    const found = await this.#session.ports.store.validPages(this.#partitionId, from, limit)
    for (const [cursor, { page }] of this.#pages) if (page < number - around) this.#pages.delete(cursor)
    for (const page of found) this.#pages.set(page.cursor, page)
    this.#upTo = from + limit
  }

  get(cursor: Cursor): StoredPage | undefined {
    return cursor === this.#forgotten ? undefined : this.#pages.get(cursor)
  }

  /** It was changed meanwhile: it is read before any other is. */
  forget(cursor: Cursor): void {
    this.#forgotten = cursor
  }
}
