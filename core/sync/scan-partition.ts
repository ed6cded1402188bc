import type { ScanRow, StoredPage } from '../catalog/store.ts'
import { CredentialRefused, RateLimited, ScopeUnreadable } from '../sdk/index.ts'
import { checkCredential, makeUnknown } from './check.ts'
import { commitPlan } from './commit.ts'
import { Quiet, Stopped } from './errors.ts'
import { type FetchedPage, type Listing, openListing } from './listing.ts'
import { planPage, readPage } from './page.ts'
import { type Progress, startProgress } from './progress.ts'
import { type KindSession, keepQuiet, now, type PartitionSession, type Session } from './session.ts'
import { transition } from './states.ts'
import { endScan } from './sweep-scan.ts'

interface Context {
  readonly session: Session
  readonly kind: KindSession
  readonly partition: PartitionSession
  readonly scan: ScanRow
  readonly progress: Progress
  /** Why the listing must not be taken as complete. */
  flaw: string | undefined
}

/** Lists one partition to its end, or to where it breaks; then, and only if every page was read, the sweep. */
export async function scanPartition(
  session: Session,
  kind: KindSession,
  partition: PartitionSession,
  scan: ScanRow,
  resumed: boolean,
): Promise<{ readonly parkedUntil?: number }> {
  const progress = startProgress(session, kind, partition, scan)
  const context: Context = { session, kind, partition, scan, progress, flaw: scan.reason }
  try {
    const committed = resumed ? await session.ports.store.pages(scan.id) : []
    progress.resume(committed.length)
    if (committed.length === 0 || committed.at(-1)?.next !== undefined) await listAll(context, committed)
    if (context.flaw === undefined) await endScan(session, kind, partition, scan, progress, resumed)
    else await end(context, 'finish flawed', context.flaw)
    return {}
  } catch (error) {
    return await broken(context, error)
  }
}

/**
 * While a page is written the next one is fetched, compared and mapped; its cursor commits with its rows. So at most one
 * page is ahead of what is committed, and memory does not grow with the source.
 */
async function listAll(context: Context, committed: readonly StoredPage[]): Promise<void> {
  const { session, kind, partition } = context
  const remembered = new Map(
    (await session.ports.store.validPages(partition.row.id)).map((page) => [page.cursor, page]),
  )
  const from = committed.at(-1)?.next
  const listing = openListing(session, kind, partition, {
    seen: committed.map(({ cursor }) => cursor),
    known(cursor) {
      const page = remembered.get(cursor)
      if (page?.validator === undefined) return undefined
      return { validator: page.validator, ...(page.next === undefined ? {} : { next: page.next }) }
    },
    ...(from === undefined ? {} : { from }),
  })
  let committing: Promise<void> = Promise.resolve()
  try {
    for (let number = committed.length; ; number++) {
      const fetched = await nextPage(listing)
      if (fetched === undefined) break
      const write = await prepare(context, fetched, number, remembered.get(fetched.page.cursor))
      await committing
      committing = write()
      // Awaited in the next round; until then nobody must see it as unhandled.
      committing.catch(() => undefined)
    }
  } catch (error) {
    // What was read before stays, whatever broke afterwards.
    await committing
    throw error
  } finally {
    listing.close()
  }
  await committing
}

async function nextPage(listing: Listing): Promise<FetchedPage | undefined> {
  try {
    return await listing.next()
  } catch (error) {
    if (error instanceof Stopped) throw error
    throw new ListingBroke(error)
  }
}

/** Tells what the source did wrong from what the database did. */
class ListingBroke extends Error {
  override readonly cause: unknown

  constructor(cause: unknown) {
    super('the listing broke')
    this.cause = cause
  }
}

async function prepare(
  context: Context,
  { page, span }: FetchedPage,
  number: number,
  remembered: StoredPage | undefined,
): Promise<() => Promise<void>> {
  const { session, kind, partition, scan, progress } = context
  const read = readPage(session, kind, { scan: scan.id, partition, number, page, span, remembered })
  const plan = () => planPage(session, kind, read)
  const ready = await plan()
  return async () => {
    // Stored before the page that it is about, so that a restart cannot forget it.
    if (page.incomplete !== undefined) await flaw(context, page.incomplete)
    if (read.keyless > 0) await flaw(context, `${read.keyless} items of page ${page.cursor} have no key`)
    await commitPlan(session, kind, plan, ready)
    progress.page(ready.page?.counts ?? { items: 0, changed: 0, failed: 0 })
  }
}

async function flaw(context: Context, reason: string): Promise<void> {
  const { session, scan } = context
  if (context.flaw !== undefined) return
  const state = transition('scan', 'running', 'flaw', session.settings.onTransition)
  await session.ports.store.setScan(session.fence, scan.id, { state, reason })
  context.flaw = reason
}

async function end(context: Context, event: 'finish flawed' | 'fail', reason: string): Promise<void> {
  const { session, scan, progress } = context
  const state = transition('scan', 'running', event, session.settings.onTransition)
  await session.ports.store.setScan(session.fence, scan.id, { state, reason, ended: now(session) })
  progress.say(state, { reason })
}

/** What a listing throws ends its scan, or parks it. It never takes anything away. */
async function broken(context: Context, thrown: unknown): Promise<{ readonly parkedUntil?: number }> {
  const { session, partition } = context
  const error = thrown instanceof ListingBroke ? thrown.cause : thrown
  if (error instanceof RateLimited || error instanceof Quiet) {
    const until = error instanceof Quiet ? error.until : error.retryAt
    if (error instanceof RateLimited) await keepQuiet(session, error.retryAt, error.reserve)
    return await park(context, until)
  }
  if (!(thrown instanceof ListingBroke)) throw thrown
  const reason = error instanceof Error ? error.message : String(error)
  if (error instanceof ScopeUnreadable) await makeUnknown(session, partition, 'refuse', reason)
  await end(context, 'fail', reason)
  // The check finds out whether it is the credential as a whole, and makes every partition unknown then.
  if (error instanceof CredentialRefused) await checkCredential(session).catch(() => undefined)
  return {}
}

async function park(context: Context, until: number): Promise<{ readonly parkedUntil: number }> {
  const { session, scan, progress } = context
  const state = transition('scan', 'running', 'park', session.settings.onTransition)
  await session.ports.store.setScan(session.fence, scan.id, { state, parkedUntil: until })
  progress.say(state, { parkedUntil: until })
  return { parkedUntil: until }
}
