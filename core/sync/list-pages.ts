import { StaleDecision, Unstorable } from '../catalog/refusals.ts'
import type { ScanRow, StoredPage } from '../catalog/stored.ts'
import type { Cursor, Known } from '../sdk/index.ts'
import { nearby } from './circle.ts'
import { commitPlan, commitPlanOnce, type Ready } from './commit.ts'
import { ListingBroke, Stopped } from './errors.ts'
import { type FetchedPage, type Listing, openListing } from './listing.ts'
import { planPage } from './page.ts'
import { newPlan, type Plan } from './plan.ts'
import type { Progress } from './progress.ts'
import { type ReadPage, readPage } from './read-page.ts'
import { Remembered } from './remembered.ts'
import type { KindSession, PartitionSession, Session } from './session.ts'
import { transition } from './states.ts'

export interface ListContext {
  readonly session: Session
  readonly kind: KindSession
  readonly partition: PartitionSession
  readonly scan: ScanRow
  readonly progress: Progress
  /** Why the listing must not be taken as complete. */
  flaw: string | undefined
}

/** A record of a page that the source calls unmodified was changed meanwhile by something newer: the page has to be read. */
class Modified extends Error {
  readonly cursor: Cursor

  constructor(cursor: Cursor) {
    super('modified meanwhile')
    this.cursor = cursor
  }
}

/** How far a listing is committed. */
interface Done {
  pages: number
  /** Where it goes on; undefined: at the start. */
  next: Cursor | undefined
  /** Cursors of the last pages. */
  readonly near: Cursor[]
}

/** Lists a partition to its end, from after the pages that are committed: `last`, as many as are remembered. Throws ListingBroke. */
export async function listPages(context: ListContext, last: readonly StoredPage[]): Promise<void> {
  const { session, partition } = context
  const remembered = new Remembered(session, partition.row.id)
  const done: Done = { pages: pagesOf(last), next: last.at(-1)?.next, near: last.map(({ cursor }) => cursor) }
  for (;;) {
    try {
      await listFrom(context, done, remembered)
      return
    } catch (error) {
      if (!(error instanceof Modified)) throw error
      remembered.forget(error.cursor)
    }
  }
}

/** How many pages a scan has, by its last ones. */
export function pagesOf(last: readonly StoredPage[]): number {
  return (last.at(-1)?.page ?? -1) + 1
}

/**
 * While a page is written the next one is compared and mapped, and the one after it is fetched; its cursor commits with its
 * rows. So at most two pages are ahead of what is committed, and memory does not grow with the source.
 */
async function listFrom(context: ListContext, done: Done, remembered: Remembered): Promise<void> {
  const { session, kind, partition, scan } = context
  const listing = openListing(session, kind, partition, {
    seen: done.near,
    known: (cursor) => knownOf(remembered.get(cursor)),
    ...(done.next === undefined ? {} : { from: done.next }),
  })
  let number = done.pages
  // A page that follows one which the last scan did not get with these bytes is read ahead: it will be needed as well.
  let sameBytes = true
  const fetch = async (): Promise<ReadPage | undefined> => {
    await remembered.reach(number)
    const fetched = await nextPage(listing)
    if (fetched === undefined) return undefined
    const known = remembered.get(fetched.page.cursor)
    const listed = { scan: scan.id, partition, number: number++, remembered: known, ...fetched }
    return readPage(session, kind, listed, sameBytes)
  }
  let fetching = fetch()
  let committing: Promise<void> = Promise.resolve()
  try {
    for (;;) {
      const read = await fetching
      if (read === undefined) break
      const { page } = read.listed
      fetching = fetch()
      // Awaited in the next round; until then nobody must see it as unhandled.
      fetching.catch(() => undefined)
      const write = await prepare(context, read)
      sameBytes = read.sameBytes
      await committing
      committing = write().then(() => {
        done.pages += 1
        done.next = page.next
        done.near.push(page.cursor)
        if (done.near.length > nearby) done.near.shift()
      })
      committing.catch(() => undefined)
    }
  } catch (error) {
    // What was read before stays, whatever broke afterwards.
    await committing
    throw error
  } finally {
    listing.close()
    // Whatever follows, another listing perhaps, finds none of it still under way.
    await fetching.catch(() => undefined)
  }
  await committing
}

function knownOf(page: StoredPage | undefined): Known | undefined {
  if (page?.validator === undefined) return undefined
  return { validator: page.validator, ...(page.next === undefined ? {} : { next: page.next }) }
}

async function nextPage(listing: Listing): Promise<FetchedPage | undefined> {
  try {
    return await listing.next()
  } catch (error) {
    if (error instanceof Stopped) throw error
    throw new ListingBroke(error)
  }
}

/** Answers how to write it. */
async function prepare(context: ListContext, read: ReadPage): Promise<() => Promise<void>> {
  const { session, kind, progress } = context
  const { page } = read.listed
  const plan = () => planPage(session, kind, read)
  const { holds } = session.turns
  const ready = await plan()
  return async () => {
    // Stored before the page that it is about, so that a restart cannot forget it.
    if (page.incomplete !== undefined) await flaw(context, page.incomplete)
    const keyless = read.read?.keyless.length ?? 0
    if (keyless > 0) await flaw(context, `${keyless} items of page ${page.cursor} have no key`)
    if (page.notModified === true || read.read === undefined) {
      try {
        await session.write(() => commitPlanOnce(session, kind, ready))
      } catch (error) {
        if (!(error instanceof StaleDecision)) throw error
        if (page.notModified === true) throw new Modified(page.cursor)
        await read.items()
        return (await prepare(context, read))()
      }
    } else await commitPage(session, kind, read, { plan: ready, holds })
    progress.page(ready.page?.counts ?? { items: 0, changed: 0, failed: 0 })
  }
}

/** An item that the store cannot hold is set aside like one that cannot be read: its neighbours go on. */
async function commitPage(session: Session, kind: KindSession, read: ReadPage, ready: Ready): Promise<void> {
  const plan = (): Promise<Plan> => planPage(session, kind, read)
  try {
    await commitPlan(session, kind, plan, ready)
  } catch (error) {
    if (!(error instanceof Unstorable)) throw error
    for (const write of (await plan()).writes) {
      const alone = { ...newPlan(ready.plan.cause), writes: [write] }
      try {
        await session.write(() => commitPlanOnce(session, kind, alone))
      } catch (refused) {
        // It is decided about again below.
        if (refused instanceof StaleDecision) continue
        if (!(refused instanceof Unstorable)) throw refused
        ;(await read.items()).refuse(write.record.key, refused)
      }
    }
    await commitPlan(session, kind, plan)
  }
}

async function flaw(context: ListContext, reason: string): Promise<void> {
  const { session, scan } = context
  if (context.flaw !== undefined) return
  const state = transition('scan', 'running', 'flaw', session.settings.onTransition)
  await session.ports.store.setScan(session.fence, scan.id, { state, reason })
  context.flaw = reason
}
