import type { Span } from '../catalog/stored.ts'
import { BadAnswer, type Cursor, type Known, type Page, RateLimited } from '../sdk/index.ts'
import { Circle } from './circle.ts'
import { type KindSession, keepQuiet, mayCall, type PartitionSession, type Session, untilStopped } from './session.ts'

export interface FetchedPage {
  readonly page: Page
  readonly span: Span
}

export interface Listing {
  /** Undefined once the listing came to its end. Throws what the source throws, and BadAnswer for pages that do not follow each other. */
  next(): Promise<FetchedPage | undefined>
  /** Lets a listing go that is not read to its end. */
  close(): void
}

export interface ListingStart {
  /** Absent: from the start. */
  readonly from?: Cursor
  /** Cursors of the last pages that are committed already. */
  readonly seen: Iterable<Cursor>
  known(cursor: Cursor): Known | undefined
}

/** Pages in order, each with the ticks around its request. */
export function openListing(
  session: Session,
  kind: KindSession,
  partition: PartitionSession,
  start: ListingStart,
): Listing {
  const stop = new AbortController()
  const signal = AbortSignal.any([session.signal, stop.signal])
  const seen = new Circle(start.seen)
  const known = (cursor: Cursor): Known | undefined => start.known(cursor)
  const request = {
    partition: {
      name: partition.row.name,
      ...(partition.row.parent === undefined ? {} : { parent: partition.row.parent }),
    },
    known,
    signal,
    ...(start.from === undefined ? {} : { from: start.from }),
  }
  let iterator: AsyncIterator<Page> | undefined
  /** What the page before said comes next; undefined before the first page of a listing from the start. */
  let expected = start.from
  let begin: bigint | undefined
  let pages = 0
  let last = false

  const check = (page: Page): void => {
    if (last) throw new BadAnswer(`A page (${page.cursor}) comes after the one that said it was the last.`)
    if (expected !== undefined && page.cursor !== expected) {
      throw new BadAnswer(`Page ${expected} was to come, ${page.cursor} came: a page is missing.`)
    }
    if (seen.met(page.cursor)) throw new BadAnswer(`The cursors go in a circle: ${page.cursor} came twice.`)
    seen.add(page.cursor)
    if (page.next !== undefined && seen.met(page.next)) {
      throw new BadAnswer(`The cursors go in a circle: ${page.next} would come again.`)
    }
    if (page.notModified === true && start.known(page.cursor) === undefined) {
      throw new BadAnswer(`Page ${page.cursor} is said to be unmodified, but nothing is known of it.`)
    }
    expected = page.next
    last = page.next === undefined
  }

  return {
    async next() {
      begin ??= await session.ports.store.tick()
      // Right before the call: another one may just have been told to wait.
      mayCall(session, 'scan')
      iterator ??= kind.kind.list(request)[Symbol.asyncIterator]()
      const { done, value } = await untilStopped(session, iterator.next()).catch(async (error: unknown) => {
        // At once, whatever is being committed: others on this credential must not call either.
        if (error instanceof RateLimited) await keepQuiet(session, error.retryAt, error.reserve)
        throw error
      })
      if (done === true) {
        if (!last && pages > 0) throw new BadAnswer(`The listing ended although page ${expected} was to come.`)
        if (!last) throw new BadAnswer('The listing ended without a single page.')
        return undefined
      }
      const end = await session.ports.store.tick()
      check(value)
      pages += 1
      const span = { begin, end }
      // The next request goes out after this answer, so one tick serves both.
      begin = end
      return { page: value, span }
    },
    close() {
      stop.abort()
      // It may be in the middle of a request that does not heed the signal: nobody waits for it.
      void iterator?.return?.()?.catch(() => undefined)
    },
  }
}
