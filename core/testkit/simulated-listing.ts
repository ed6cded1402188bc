import { createHash } from 'node:crypto'
import {
  BadAnswer,
  CredentialRefused,
  type Json,
  type JsonObject,
  type ListRequest,
  lazyPage,
  type Page,
  ScopeUnreadable,
  SourceUnavailable,
} from '../sdk/index.ts'
import type { faultOdds } from './faults.ts'
import { type Caller, limited, type SourceState, scopeOf, traits, visible } from './simulated-state.ts'
import { itemOf, type KindName, type Thing } from './thing.ts'

const pageSize = 2

type Fault = keyof typeof faultOdds

/** Faults that end a listing or spoil a page of it; at most one in each listing. */
const listingFaults: readonly Fault[] = [
  'listing-scope-404',
  'listing-half',
  'listing-empty',
  'listing-html',
  'listing-exception',
  'listing-unavailable',
  'listing-incomplete-flag',
  'listing-rate-limited',
  'listing-credential-refused',
  'listing-ends-early',
  'page-lost',
  'page-repeated',
  'page-items-repeated',
  'page-cursor-loop',
  'item-poison',
  'item-keyless',
]

/** Pages without which a fault cannot show. */
const fewest: Partial<Record<Fault, number>> = { 'page-lost': 3, 'page-repeated': 2, 'page-items-repeated': 2 }

/** One listing: its fault, and the page at which it shows. */
interface Plan {
  readonly fault: Fault | undefined
  readonly at: number
}

/** Stable kinds go on behind a key, shifting ones at an offset: there, what vanishes before it moves the rest. */
export async function* createListing(
  state: SourceState,
  caller: Caller,
  kind: KindName,
  request: ListRequest,
): AsyncIterable<Page> {
  const partition = request.partition.name
  const plan = choose(state, kind, partition, request.from !== undefined)
  const listing = new Pages(state, kind, partition, plan)
  let cursor: string | undefined = request.from ?? 'start'
  for (let number = 0; cursor !== undefined; number++) {
    const asked: string = cursor
    const answer: Page | undefined = await caller.call(`${state.name}/${kind} list ${partition} at ${asked}`, () =>
      listing.answer(asked, number, request),
    )
    if (answer === undefined) return
    yield traits[kind].bytes ? asBytes(answer) : answer
    cursor = answer.next
  }
}

/** As a source without validators answers. */
function asBytes(answer: Page): Page {
  const { validator: _, items, ...page } = answer
  const bytes = Buffer.from(JSON.stringify(items))
  // It was written from them.
  return lazyPage({ ...page, bytes }, () => JSON.parse(bytes.toString()) as readonly Json[])
}

function choose(state: SourceState, kind: KindName, partition: string, resumed: boolean): Plan {
  const there = state.world.living(kind, partition)
  const pages = Math.max(1, Math.ceil(there.length / pageSize))
  const stored = state.stored(kind, partition)
  const hides = there.filter(({ key }) => stored.has(key)).length > state.believable(kind) + 1
  // A listing that lies about less than the guard's limit is believed, by design: it must not be told. So would be one that
  // hides only what comes after the pages that were read before a crash.
  const lies: Partial<Record<Fault, boolean>> = { 'listing-half': hides && !resumed, 'listing-empty': !resumed }
  const names = listingFaults.filter((name) => lies[name] !== false && pages >= (fewest[name] ?? 1))
  const fault = state.faults.oneOf(names)
  if (fault === undefined || fault === 'listing-empty' || fault === 'listing-half') return { fault, at: 0 }
  if (fault === 'page-lost') return { fault, at: 1 + state.random.below(pages - 2) }
  const first = fewest[fault] === 2 ? 1 : 0
  return { fault, at: first + state.random.below(pages - first) }
}

class Pages {
  readonly #state: SourceState
  readonly #kind: KindName
  readonly #partition: string
  readonly #plan: Plan
  #before: readonly Thing[] = []

  constructor(state: SourceState, kind: KindName, partition: string, plan: Plan) {
    this.#state = state
    this.#kind = kind
    this.#partition = partition
    this.#plan = plan
  }

  /** Undefined: the listing ends without a word. */
  answer(cursor: string, number: number, request: ListRequest): Page | undefined {
    const { fault, at } = this.#plan
    this.#stir(number)
    const lost = this.#kind === 'branch' && scopeOf(this.#state, this.#partition) === undefined
    if (lost) throw new ScopeUnreadable('404')
    const { things, next } = this.#slice(cursor)
    const now = number === at && possible(fault, number, next) ? fault : undefined
    if (now !== undefined) this.#state.faults.count(now)
    if (now !== undefined) fail(now, this.#state)
    const before = this.#before
    this.#before = things
    if (fault === 'listing-empty') return { cursor, items: [] }
    if (now === 'listing-ends-early') return undefined
    if (now === 'page-lost' && next !== undefined) return this.#page(next, this.#slice(next))
    if (now === 'page-cursor-loop') return { cursor, items: things.map(itemOf), next: 'start' }
    if (now === 'page-repeated') return { cursor: 'start', items: before.map(itemOf), next: cursor }
    const page = this.#page(cursor, { things, next })
    const { validator } = page
    const remembered = request.known(cursor)
    if (now === undefined && remembered !== undefined && remembered.validator === validator) {
      return { ...page, items: [], notModified: true }
    }
    const items = [...(now === 'page-items-repeated' ? before.map(itemOf) : []), ...page.items]
    if (now === undefined) return { ...page, items }
    const { validator: _, ...bare } = page
    if (now === 'listing-incomplete-flag') return { ...bare, items, incomplete: 'results are incomplete' }
    if (now === 'item-poison') return { ...bare, items: spoil(items, (item) => ({ ...item, poison: true })) }
    if (now === 'item-keyless') return { ...bare, items: spoil(items, ({ key: _key, ...item }) => item) }
    return { ...bare, items }
  }

  /** Between two pages of a listing that shifts something is created, which moves the rest. */
  #stir(number: number): void {
    const { world, faults, name } = this.#state
    if (number === 0 || traits[this.#kind].paging === 'stable') return
    if (world.living(this.#kind).length < 14 && faults.happens('listing-stirred')) world.create(name, this.#kind)
  }

  #page(cursor: string, { things, next }: { things: readonly Thing[]; next: string | undefined }): Page {
    const items = things.map(itemOf)
    const validator = createHash('md5')
      .update(JSON.stringify([items, next]))
      .digest('hex')
    return { cursor, items, validator, ...(next === undefined ? {} : { next }) }
  }

  #slice(cursor: string): { things: readonly Thing[]; next: string | undefined } {
    const all = this.#listed()
    const place = cursor === 'start' ? '' : cursor
    if (traits[this.#kind].paging === 'stable') {
      const sorted = all.toSorted((left, right) => (left.key < right.key ? -1 : 1))
      const rest = sorted.filter(({ key }) => key > place)
      const things = rest.slice(0, pageSize)
      return { things, next: rest.length > pageSize ? things.at(-1)?.key : undefined }
    }
    const offset = Number(place)
    // Newest first, so that what is created moves the rest as well.
    const sorted = all.toSorted((left, right) => right.born - left.born)
    if (offset > 0 && this.#before.length > 0 && sorted[offset - 1] !== this.#before.at(-1)) {
      this.#state.faults.count('page-shifted')
    }
    const next = sorted.length > offset + pageSize ? String(offset + pageSize) : undefined
    return { things: sorted.slice(offset, offset + pageSize), next }
  }

  #listed(): readonly Thing[] {
    const seen = visible(this.#state, this.#kind, this.#partition).filter(({ aged }) => !aged)
    // Few enough left that what is hidden is more than the guard lets go.
    return this.#plan.fault === 'listing-half' ? seen.slice(0, 1) : seen
  }
}

/** Nobody can miss a first page, whose cursor is nobody's word, or one behind the last. */
function possible(fault: Fault | undefined, number: number, next: string | undefined): boolean {
  if (fault === 'page-lost') return number > 0 && next !== undefined
  return number > 0 || (fault !== 'page-repeated' && fault !== 'page-items-repeated')
}

function fail(fault: Fault, state: SourceState): void {
  if (fault === 'listing-scope-404') throw new ScopeUnreadable('404')
  if (fault === 'listing-html') throw new BadAnswer('an HTML page')
  if (fault === 'listing-exception') throw new TypeError('something is undefined')
  if (fault === 'listing-unavailable') throw new SourceUnavailable('503')
  if (fault === 'listing-credential-refused') throw new CredentialRefused('401')
  if (fault === 'listing-rate-limited') throw limited(state)
}

/** The first item is not what it should be. */
function spoil(items: readonly Json[], change: (item: JsonObject) => JsonObject): readonly Json[] {
  const [first, ...rest] = items
  // Items of this source are objects.
  return first === undefined ? items : [change(first as JsonObject), ...rest]
}
