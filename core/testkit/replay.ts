import type { Queryable } from '../catalog/db.ts'
import type { Told as Document, Patch } from '../catalog/document.ts'
import { type ChangeFilter, type ChangeView, readChanges, resolvePosition } from '../catalog/query/changes.ts'

/** A catalog that knows nothing but the change feed, as a reader of it keeps one. */
export class Replay {
  readonly #entities = new Map<string, { name: string; document: Document }>()

  take(change: ChangeView): void {
    const { id, operation, reference } = change
    if (operation === 'deleted') {
      if (!this.#entities.delete(id)) throw new Error(`${reference} is deleted, but was not there`)
      return
    }
    if (operation === 'created' || operation === 'restored') {
      if (this.#entities.has(id)) throw new Error(`${reference} is ${operation}, but was there`)
      if (change.entity === undefined) throw new Error(`${reference} is ${operation}, and nobody says what it is`)
      this.#entities.set(id, { name: reference, document: change.entity })
      return
    }
    const before = this.#entities.get(id)
    if (before === undefined) throw new Error(`${reference} is ${operation}, but was not there`)
    // What the feed gives as a patch was written as one.
    const patch = (change.patch ?? {}) as Patch
    this.#entities.set(id, { name: reference, document: patched(before.document, patch) })
  }

  /** One that is told of as a whole (a snapshot). */
  put(id: string, reference: string, document: Document): void {
    this.#entities.set(id, { name: reference, document })
  }

  /** By reference. */
  get entities(): ReadonlyMap<string, Document> {
    return new Map([...this.#entities.values()].map(({ name, document }) => [name, document]))
  }
}

/** Reads the feed to its end, page by page. Default: from its start. Answers the position that it ends at. */
export async function replayFeed(
  db: Queryable,
  into: Replay,
  options: { readonly after?: string; readonly filter?: ChangeFilter; readonly limit?: number } = {},
): Promise<{ readonly epoch: string; readonly seq: bigint }> {
  let position = await resolvePosition(db, options.after ?? 'start')
  for (;;) {
    const read = await readChanges(db, position, options.filter ?? {}, options.limit ?? 100)
    for (const change of read.items) into.take(change)
    position = read.position
    if (!read.more) return position
  }
}

function patched(document: Document, patch: Patch): Document {
  const { title, team, failed, ...rest } = document
  const next = { title, team, failed, properties: { ...rest.properties }, relations: { ...rest.relations } }
  const put = (into: Record<string, unknown>, name: string, value: unknown): void => {
    if (value === null) delete into[name]
    // Also for a property called __proto__.
    else Object.defineProperty(into, name, { value, writable: true, enumerable: true, configurable: true })
  }
  for (const [field, [, after]] of Object.entries(patch)) {
    if (field.startsWith('properties.')) put(next.properties, field.slice(11), after)
    else if (field.startsWith('relations.')) put(next.relations, field.slice(10), after)
    else if (field !== 'identifier') Object.assign(next, { [field]: after })
  }
  return next
}
