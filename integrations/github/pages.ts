import { BadAnswer, type Known, type ListRequest, type Page } from '../../core/sdk/index.ts'
import type { Client, Params } from './client.ts'
import { isArray, partial, unreadable } from './scope.ts'

/** A listing by page numbers. */
export interface Listing {
  readonly route: string
  readonly params: Params
  readonly pageSize: number
  /** For messages: "repositories of acme". */
  readonly what: string
}

/** The cursor is the number of the page. Loops, lost and repeated pages are the engine's to notice. */
export async function* pages(client: Client, listing: Listing, request: ListRequest): AsyncGenerator<Page> {
  let cursor: string | undefined = request.from ?? '1'
  while (cursor !== undefined) {
    const page: Page = await fetchPage(client, listing, request, cursor)
    yield page
    cursor = page.next
  }
}

async function fetchPage(client: Client, listing: Listing, request: ListRequest, cursor: string): Promise<Page> {
  const known = usable(request.known(cursor), listing.pageSize)
  const answer = await client.ask(
    listing.route,
    { ...listing.params, per_page: listing.pageSize, page: cursor },
    { signal: request.signal, priority: 'scan', etag: known?.etag },
  )
  if (answer.state === 'refused') throw unreadable(answer, listing.what)
  if (answer.state === 'notModified') {
    if (known === undefined) throw new BadAnswer(`${listing.what}: 304 to a question without If-None-Match`)
    // The answer may say that a page follows now; a page that was followed before still is.
    const next = nextPage(answer.header('link'), listing.what) ?? known.next
    return { cursor, items: [], notModified: true, validator: known.validator, ...(next === undefined ? {} : { next }) }
  }
  if (!isArray(answer.data)) throw new BadAnswer(`${listing.what}: $: expected an array`)
  const next = nextPage(answer.header('link'), listing.what)
  const etag = answer.header('etag')
  const incomplete = partial(answer.header)
  return {
    cursor,
    items: answer.data,
    ...(next === undefined ? {} : { next }),
    ...(etag === undefined ? {} : { validator: `${answer.data.length} ${etag}` }),
    ...(incomplete === undefined ? {} : { incomplete }),
  }
}

/**
 * A validator is the number of items and the ETag. A last page that was full is asked without it: when a page begins
 * after it, its own content, and so the ETag, stays the same.
 */
function usable(
  known: Known | undefined,
  pageSize: number,
): { etag: string; validator: string; next?: string } | undefined {
  const parts = /^(\d+) (.+)$/.exec(known?.validator ?? '')
  if (known === undefined || parts?.[1] === undefined || parts[2] === undefined) return undefined
  if (known.next === undefined && Number(parts[1]) >= pageSize) return undefined
  return { etag: parts[2], validator: known.validator, ...(known.next === undefined ? {} : { next: known.next }) }
}

/** Only the page number is taken from a Link header, never its address: that could lead the token anywhere. */
export function nextPage(link: string | undefined, what: string): string | undefined {
  const address = /<([^<>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? '')?.[1]
  if (address === undefined) return undefined
  const page = URL.canParse(address) ? new URL(address).searchParams.get('page') : null
  if (page === null || !/^\d+$/.test(page)) throw new BadAnswer(`${what}: a next link without a page number`)
  return page
}
