import { z } from 'zod'
import {
  BadAnswer,
  isObject,
  type Json,
  type Known,
  type ListRequest,
  lazyPage,
  type Page,
} from '../../core/sdk/index.ts'
import type { Client, Params } from './client.ts'
import { isArray, partial, unreadable } from './scope.ts'

/** A listing by page numbers. */
export interface Listing {
  readonly route: string
  readonly params: Params
  readonly pageSize: number
  /** For messages: "repositories of acme". */
  readonly what: string
  /** The key that holds the items where GitHub wraps them. */
  readonly wrapped?: string
  /** Makes an item of what is listed; undefined leaves it out. */
  readonly item?: (item: Json) => Json | undefined | Promise<Json | undefined>
  /** The same where one gives several, or none. */
  readonly many?: (item: Json) => Promise<readonly Json[]>
  /** What else is in the items. When it changes, every page is read anew. */
  readonly stamp?: string
  /** Unchanged since a page was read: the page is as it was, and nothing is asked. */
  readonly gate?: string | undefined
  /** GitHub leads from page to page by cursors, and takes no page numbers here. */
  readonly byCursor?: true
  /** So many pages at most; what is beyond is not listed. */
  readonly atMost?: number
}

/** The cursor is the number of the page, or GitHub's own cursor. Loops, lost and repeated pages are the engine's to notice. */
export async function* pages(client: Client, listing: Listing, request: ListRequest): AsyncGenerator<Page> {
  let cursor: string | undefined = request.from ?? '1'
  while (cursor !== undefined) {
    const page: Page = gated(listing, request, cursor) ?? (await fetchPage(client, listing, request, cursor))
    yield page
    cursor = page.next
  }
}

function gated(listing: Listing, request: ListRequest, cursor: string): Page | undefined {
  const known = request.known(cursor)
  const before = remembered(known?.validator)
  if (known === undefined || before === undefined || listing.gate === undefined) return undefined
  if (before.gate !== listing.gate || before.stamp !== (listing.stamp ?? '')) return undefined
  return unmodified(cursor, known.validator, known.next)
}

function unmodified(cursor: string, validator: string, next: string | undefined): Page {
  return { cursor, items: [], notModified: true, validator, ...(next === undefined ? {} : { next }) }
}

/** Issues or a wiki that are switched off, and a repository without a commit, hold nothing: that is an answer, not a refusal. */
const nothingThere: readonly number[] = [409, 410]

async function fetchPage(client: Client, listing: Listing, request: ListRequest, cursor: string): Promise<Page> {
  const known = usable(request.known(cursor), listing)
  const answer = await client.ask(
    listing.route,
    { ...listing.params, per_page: listing.pageSize, ...placeOf(listing, cursor) },
    {
      signal: request.signal,
      priority: 'scan',
      etag: known?.etag,
      unparsed: listing.item === undefined && listing.many === undefined,
    },
  )
  if (answer.state === 'refused') {
    if (nothingThere.includes(answer.status) && cursor === '1') return { cursor, items: [] }
    throw unreadable(answer, listing.what)
  }
  const limit = (next: string | undefined): string | undefined =>
    listing.atMost !== undefined && Number(cursor) >= listing.atMost ? undefined : next
  const following = limit(nextPage(answer.header('link'), listing.what))
  if (answer.state === 'notModified') {
    if (known === undefined) throw new BadAnswer(`${listing.what}: 304 to a question without If-None-Match`)
    // The answer may say that a page follows now; a page that was followed before still is.
    const validator = JSON.stringify({ ...known.before, stamp: listing.stamp ?? '', gate: listing.gate })
    return unmodified(cursor, validator, following ?? limit(known.next))
  }
  const read = () => wrappedIn(answer.data, listing)
  const etag = answer.header('etag')
  const incomplete = partial(answer.header)
  const { gate, stamp = '' } = listing
  // Only of a last page it matters how many there are.
  const n = (): number => (following === undefined ? read().length : listing.pageSize)
  const page = {
    cursor,
    ...(following === undefined ? {} : { next: following }),
    ...(etag === undefined ? {} : { validator: JSON.stringify({ n: n(), etag, stamp, gate }) }),
    ...(incomplete === undefined ? {} : { incomplete }),
  }
  const { bytes } = answer
  if (bytes === undefined) return { ...page, items: await itemsOf(read(), listing) }
  // An ETag is worth something to one token only, and that of an App is another one every hour. What was there before may
  // be the same, and need not be parsed then.
  return request.known(cursor) === undefined ? { ...page, bytes, items: read() } : lazyPage({ ...page, bytes }, read)
}

function placeOf(listing: Listing, cursor: string): Params {
  if (listing.byCursor !== true) return { page: cursor }
  return cursor === '1' ? {} : { after: cursor }
}

function wrappedIn(data: Json, { wrapped, what }: Listing): readonly Json[] {
  const list = wrapped === undefined ? data : isObject(data) ? (data[wrapped] ?? null) : null
  if (isArray(list)) return list
  throw new BadAnswer(`${what}: ${wrapped === undefined ? '$' : `$.${wrapped}`}: expected an array`)
}

/** GitHub refuses a hundred questions at the same time. */
const atOnce = 8

async function itemsOf(listed: readonly Json[], { item, many }: Listing): Promise<readonly Json[]> {
  if (many !== undefined) {
    const made: Json[] = []
    for (let from = 0; from < listed.length; from += atOnce)
      made.push(...(await Promise.all(listed.slice(from, from + atOnce).map(many))).flat())
    return made
  }
  if (item === undefined) return listed
  const made: Json[] = []
  for (let from = 0; from < listed.length; from += atOnce) {
    const some = await Promise.all(listed.slice(from, from + atOnce).map(async (it) => item(it)))
    made.push(...some.filter((it) => it !== undefined))
  }
  return made
}

const validator = z.object({ n: z.int(), etag: z.string(), stamp: z.string(), gate: z.string().optional() })

function remembered(text: string | undefined): z.output<typeof validator> | undefined {
  if (text === undefined || !text.startsWith('{')) return undefined
  // Written by `fetchPage`, perhaps of another version: what does not fit is nothing known.
  const read = validator.safeParse(JSON.parse(text))
  return read.success ? read.data : undefined
}

/**
 * A validator is the number of items and the ETag. A last page that was full is asked without it: when a page begins
 * after it, its own content, and so the ETag, stays the same.
 */
function usable(
  known: Known | undefined,
  listing: Listing,
): { etag: string; before: z.output<typeof validator>; next?: string } | undefined {
  const before = remembered(known?.validator)
  if (known === undefined || before === undefined || before.stamp !== (listing.stamp ?? '')) return undefined
  if (known.next === undefined && before.n >= listing.pageSize && listing.atMost === undefined) return undefined
  return { etag: before.etag, before, ...(known.next === undefined ? {} : { next: known.next }) }
}

/** Only the page, or GitHub's cursor, is taken from a Link header, never its address: that could lead the token anywhere. */
export function nextPage(link: string | undefined, what: string): string | undefined {
  const address = /<([^<>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? '')?.[1]
  if (address === undefined) return undefined
  const query = URL.canParse(address) ? new URL(address).searchParams : undefined
  const page = query?.get('page') ?? null
  // A cursor that looks like a page number would be taken for one.
  const after = query?.get('after') ?? null
  if (after !== null && after !== '' && !/^\d+$/.test(after)) return after
  if (page === null || !/^\d+$/.test(page)) throw new BadAnswer(`${what}: a next link without a page number`)
  return page
}
