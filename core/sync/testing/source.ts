import { hash } from 'node:crypto'
import {
  BadAnswer,
  type Check,
  type Connection,
  CredentialRefused,
  type Cursor,
  DeliveryRefused,
  type Got,
  isObject,
  type Json,
  type JsonObject,
  type Kind,
  type ListRequest,
  lazyPage,
  type Page,
  RateLimited,
  ScopeUnreadable,
  type Signal,
} from '../../sdk/index.ts'

export interface Thing {
  readonly id: string
  readonly name: string
  readonly color: string | null
  readonly version: number
  readonly hidden: boolean
  readonly partitions: readonly string[]
}

export interface SourceShape {
  readonly coverage?: Kind['coverage']
  readonly paging?: Kind['paging']
  /** Default true. */
  readonly get?: boolean
  readonly versions?: boolean
  readonly pageSize?: number
  readonly partitions?: readonly string[]
  /** Pages have a validator (default), or come as bytes that are parsed when their items are asked for, or as items alone. */
  readonly pages?: 'validated' | 'bytes' | 'bare'
}

interface PageCall {
  readonly partition: string
  readonly page: number
  readonly cursor: Cursor
}
type Fault = (call: PageCall) => Page | undefined | Promise<Page | undefined>

/** A source in memory for tests: what is in `things` is the truth; every call is written down; faults are set from outside. */
export class TestSource {
  readonly things = new Map<string, Thing>()
  readonly calls: string[] = []
  /** Cursors of the pages that were parsed. */
  readonly parsed: Cursor[] = []
  /** What answers say beside their items. */
  noise = ''
  readonly connection: Connection
  readonly shape: Required<SourceShape>
  fingerprint = 'may see all'
  refused = false
  /** Scopes that answer 404 to everything. */
  readonly unreadable = new Set<string>()
  /** Scopes that the partitions call does not name at all. */
  readonly forgotten = new Set<string>()
  /** Things that lists and gets leave out although they exist: a permission that shrank without a word. */
  readonly invisible = new Set<string>()
  /** Milliseconds: every call before is refused as rate limited. */
  limitedUntil = 0
  /** Throws, or answers instead of the page; called before each page. */
  onPage: Fault | undefined
  /** Something happens between the moment a page is read at the source and its arrival. */
  beforeArrival: ((call: PageCall) => Promise<void>) | undefined
  onGet: ((key: string) => Got | undefined) | undefined
  #clock: () => number
  #version = 1

  constructor(shape: SourceShape = {}, clock: () => number = () => 0) {
    this.shape = {
      coverage: 'complete',
      paging: 'stable',
      get: true,
      versions: true,
      pageSize: 3,
      partitions: ['north'],
      pages: 'validated',
      ...shape,
    }
    this.#clock = clock
    this.connection = this.#connect()
  }

  fill(count: number, partition = 'north'): void {
    for (let index = 0; index < count; index++)
      this.put(`${partition[0]}${String(index).padStart(3, '0')}`, { partitions: [partition] })
  }

  put(id: string, change: Partial<Omit<Thing, 'id' | 'version'>> = {}): Thing {
    this.#version += 1
    const before = this.things.get(id)
    const fresh = { name: `name-${id}`, color: 'red', hidden: false, partitions: ['north'] }
    const thing: Thing = { ...fresh, ...before, ...change, id, version: this.#version }
    this.things.set(id, thing)
    return thing
  }

  remove(id: string): number {
    this.things.delete(id)
    this.#version += 1
    return this.#version
  }

  body(thing: Thing): JsonObject {
    return { id: thing.id, name: thing.name, color: thing.color, hidden: thing.hidden, version: thing.version }
  }

  changed(thing: Thing): Signal {
    const whole = { body: this.body(thing), whole: true, version: text(thing.version) }
    return { type: 'stale', kind: 'thing', key: thing.id, partition: thing.partitions[0] ?? 'north', ...whole }
  }

  gone(thing: Thing, version?: number): Signal {
    const at = version === undefined ? {} : { version: text(version) }
    return { type: 'gone', kind: 'thing', key: thing.id, partition: thing.partitions[0] ?? 'north', ...at }
  }

  #connect(): Connection {
    return {
      kinds: [this.#kind()],
      check: () => Promise.resolve().then(() => this.#check()),
      webhook: {
        verify: ({ headers, body }, secret) => {
          if (headers['signature'] !== secret) {
            return Promise.reject(new DeliveryRefused('The signature is wrong.', { code: 'delivery_signature' }))
          }
          const { id } = JSON.parse(body.toString()) as { id: string }
          return Promise.resolve({ id, event: 'thing.changed' })
        },
        signals: ({ body }) => {
          const { signals } = JSON.parse(body.toString()) as { signals: Signal[] | string }
          if (typeof signals === 'string') throw new BadAnswer(signals)
          return signals
        },
      },
    }
  }

  #check(): Check {
    this.#call('check')
    if (this.refused) throw new CredentialRefused('The token is not valid.')
    return { identity: 'tester', fingerprint: this.fingerprint, missing: [] }
  }

  #call(what: string): void {
    this.calls.push(what)
    if (this.#clock() < this.limitedUntil) throw new RateLimited('too many calls', this.limitedUntil)
  }

  #kind(): Kind {
    const { coverage, paging, versions, get } = this.shape
    return {
      name: 'thing',
      coverage,
      paging,
      canonical(item) {
        const { id, name, color, hidden } = read(item)
        if (name === 'poison') throw new BadAnswer('it has no canonical form')
        return { id: id ?? null, name: name ?? null, color: color ?? null, hidden: hidden ?? null }
      },
      key(item) {
        const { id } = read(item)
        if (typeof id !== 'string') throw new BadAnswer('an item has no id')
        return id
      },
      version(item) {
        const { version } = read(item)
        return versions && typeof version === 'number' ? text(version) : undefined
      },
      locator: (item) => ({ name: read(item)['name'] ?? null }),
      partitions: () => {
        this.#call('partitions')
        const names = this.shape.partitions.filter((name) => !this.forgotten.has(name))
        return Promise.resolve(
          names.map((name) => (this.unreadable.has(name) ? { name, unknown: 'Not Found' } : { name })),
        )
      },
      list: (request) => this.#list(request),
      ...(get ? { get: (key: string, _: JsonObject, partition: string) => this.#get(key, partition) } : {}),
    }
  }

  async *#list(request: ListRequest): AsyncGenerator<Page> {
    const { name } = request.partition
    let cursor: Cursor | undefined = request.from ?? '0'
    for (let page = 1; cursor !== undefined; page++) {
      this.#call(`list ${name} ${cursor}`)
      if (this.unreadable.has(name)) throw new ScopeUnreadable('Not Found')
      const call = { partition: name, page, cursor }
      const instead = await this.onPage?.(call)
      const answer: Page = instead ?? this.#page(name, cursor)
      await this.beforeArrival?.(call)
      const before = request.known(cursor)
      if (instead === undefined && before !== undefined && before.validator === answer.validator) {
        const next = before.next === undefined ? {} : { next: before.next }
        yield { cursor, items: [], notModified: true, validator: before.validator, ...next }
        cursor = before.next
        continue
      }
      yield answer
      cursor = answer.next
    }
  }

  /** As it would be answered now. Stable pages go on after a key, shifting ones at an offset. */
  page(partition: string, cursor: Cursor): Page {
    return this.#page(partition, cursor)
  }

  #page(partition: string, cursor: Cursor): Page {
    const all = [...this.things.values()]
      .filter((thing) => thing.partitions.includes(partition) && !this.invisible.has(thing.id))
      .toSorted((left, right) => (left.id < right.id ? -1 : 1))
    const shifting = this.shape.paging === 'shifting'
    const start = shifting ? Number(cursor) : all.findIndex((thing) => cursor === '0' || thing.id > cursor)
    const found = start < 0 ? [] : all.slice(start, start + this.shape.pageSize)
    const items = found.map((thing) => this.body(thing))
    const end = start + this.shape.pageSize
    const last = found.at(-1)
    const more = start >= 0 && end < all.length && last !== undefined
    const next = more ? { next: shifting ? `${end}` : last.id } : {}
    if (this.shape.pages === 'bare') return { cursor, items, ...next }
    if (this.shape.pages === 'bytes') {
      const bytes = Buffer.from(JSON.stringify({ noise: this.noise, items }))
      return lazyPage({ cursor, bytes, ...next }, () => this.#parse(cursor, bytes))
    }
    return { cursor, items, validator: hash('md5', JSON.stringify([items, next])), ...next }
  }

  #parse(cursor: Cursor, bytes: Buffer): readonly Json[] {
    this.parsed.push(cursor)
    // Written above, unless a test wrote something else.
    const { items } = JSON.parse(bytes.toString()) as { items: readonly Json[] }
    return items
  }

  async #get(key: string, partition: string): Promise<Got> {
    this.#call(`get ${key}`)
    const instead = this.onGet?.(key)
    if (instead !== undefined) return instead
    const thing = this.things.get(key)
    const visible = thing !== undefined && !this.invisible.has(key) && !this.unreadable.has(partition)
    if (!visible) return { state: 'gone' }
    return { state: 'present', body: this.body(thing), partitions: thing.partitions }
  }
}

function text(version: number): string {
  return String(version).padStart(6, '0')
}

function read(item: Json): JsonObject {
  if (!isObject(item)) throw new BadAnswer('an item is not an object')
  return item
}
