import { expect, test } from 'vitest'
import {
  BadAnswer,
  DeliveryRefused,
  type Json,
  type Kind,
  type Known,
  type ListRequest,
  type Page,
  type Partition,
  RateLimited,
  ScopeUnreadable,
} from '../sdk/index.ts'
import type { Bench } from './conformance.ts'

type Opened = () => Bench

/** A stranger who writes to a raw item is caught here, not in the catalog. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    for (const inner of Object.values(value)) frozen(inner)
    Object.freeze(value)
  }
  return value
}

const never = (): AbortSignal => new AbortController().signal

function request(partition: Partition, more: Partial<ListRequest> = {}): ListRequest {
  return { partition, signal: never(), known: () => undefined, ...more }
}

async function pagesOf(kind: Kind, partition: Partition, more: Partial<ListRequest> = {}): Promise<Page[]> {
  const pages: Page[] = []
  for await (const page of kind.list(request(partition, more))) pages.push(frozen(page))
  return pages
}

async function readable(bench: Bench, kind: Kind): Promise<readonly Partition[]> {
  const partitions = await kind.partitions(never())
  expect(partitions.filter((it) => it.unknown !== undefined)).toEqual([])
  expect(partitions.length, `${bench.connection.kinds.length} kinds, no partition`).toBeGreaterThan(0)
  expect(new Set(partitions.map((it) => it.name)).size).toBe(partitions.length)
  return partitions
}

async function firstItems(bench: Bench, kind: Kind): Promise<{ partition: Partition; items: readonly Json[] }> {
  for (const partition of await readable(bench, kind)) {
    const items = (await pagesOf(kind, partition)).flatMap((page) => page.items)
    if (items.length > 0) return { partition, items }
  }
  throw new Error(`kind ${kind.name} has no object to test with`)
}

const same = (kind: Kind, a: Json, b: Json): void => {
  // As text: the order of fields counts, it is what is hashed.
  expect(JSON.stringify(kind.canonical(b))).toBe(JSON.stringify(kind.canonical(a)))
  expect(kind.key(b)).toBe(kind.key(a))
  expect(kind.version?.(b)).toBe(kind.version?.(a))
}

/** Of pages with the same bytes nothing but those is read. */
function saysAll(kind: Kind, page: Page, other: Page | undefined): void {
  if (page.bytes === undefined || other?.bytes === undefined || Buffer.compare(page.bytes, other.bytes) !== 0) return
  expect(page.items.length).toBe(other.items.length)
  for (const [index, item] of page.items.entries()) same(kind, item, other.items[index] ?? null)
}

export function listings(opened: Opened, name: string): void {
  test('pages follow each other by their cursors and end; keys are unique and stay', async () => {
    const bench = opened()
    const kind = bench.kind(name)
    for (const partition of await readable(bench, kind)) {
      const pages = await pagesOf(kind, partition)
      expect(pages.length).toBeGreaterThan(0)
      expect(new Set(pages.map((page) => page.cursor)).size).toBe(pages.length)
      expect(pages.map((page) => page.next)).toEqual([...pages.slice(1).map((page) => page.cursor), undefined])
      expect(pages.filter((page) => page.incomplete !== undefined)).toEqual([])
      const keys = pages.flatMap((page) => page.items).map((item) => kind.key(item))
      expect(new Set(keys).size).toBe(keys.length)
      const again = await pagesOf(kind, partition)
      expect(again.flatMap((page) => page.items).map((item) => kind.key(item))).toEqual(keys)
      for (const [index, page] of pages.entries()) saysAll(kind, page, again[index])
    }
  })

  test('a page is fetched when it is asked for, and a listing resumes at any of them', async () => {
    const bench = opened()
    const kind = bench.kind(name)
    for (const partition of await readable(bench, kind)) {
      const pages = await pagesOf(kind, partition)
      const before = await bench.source.calls()
      for await (const first of kind.list(request(partition))) {
        expect(first.cursor).toBe(pages[0]?.cursor)
        break
      }
      // One page may be fetched ahead, and what belongs to a page may take a few calls.
      const spent = (await bench.source.calls()) - before
      if (pages.length > 4) expect(spent).toBeLessThan(pages.length)
      for (const [index, page] of pages.entries()) {
        if (index > 2) break
        expect(await pagesOf(kind, partition, { from: page.cursor })).toEqual(pages.slice(index))
      }
    }
  })

  test('canonical is idempotent, writes to nothing, and leaves key, version and locator as they are', async () => {
    const bench = opened()
    const kind = bench.kind(name)
    const { items } = await firstItems(bench, kind)
    for (const item of items) {
      const canonical = frozen(kind.canonical(item))
      same(kind, item, canonical)
      expect(kind.locator(canonical)).toEqual(kind.locator(item))
      const version = kind.version?.(item)
      if (version !== undefined) expect(version).not.toBe('')
    }
  })

  test('an unchanged page is answered by its validator alone', async () => {
    const bench = opened()
    const kind = bench.kind(name)
    for (const partition of await readable(bench, kind)) {
      const first = await pagesOf(kind, partition)
      const remembered = new Map<string, Known>()
      for (const { cursor, validator, next } of first) {
        if (validator !== undefined) remembered.set(cursor, { validator, ...(next === undefined ? {} : { next }) })
      }
      const second = await pagesOf(kind, partition, { known: (cursor) => remembered.get(cursor) })
      expect(second.map((page) => [page.cursor, page.next])).toEqual(first.map((page) => [page.cursor, page.next]))
      for (const [index, page] of second.entries()) {
        expect(page.items).toEqual(page.notModified === true ? [] : first[index]?.items)
      }
    }
  })

  test('an abort ends a listing without another page', async () => {
    const bench = opened()
    const kind = bench.kind(name)
    const [partition] = await readable(bench, kind)
    if (partition === undefined) return
    const stop = new AbortController()
    stop.abort(new Error('lease lost'))
    const before = await bench.source.calls()
    await expect(pagesOf(kind, partition, { signal: stop.signal })).rejects.toThrow('lease lost')
    expect(await bench.source.calls()).toBe(before)
  })

  test('an item without a key, or of another shape, is BadAnswer', () => {
    const kind = opened().kind(name)
    for (const item of [null, 'text', 7, [], {}, { id: {} }] satisfies Json[]) {
      expect(() => kind.key(item)).toThrow(BadAnswer)
      expect(() => kind.canonical(item)).toThrow(BadAnswer)
    }
  })
}

export function gets(opened: Opened, name: string): void {
  test('get gives what the listing gave', async () => {
    const bench = opened()
    const kind = bench.kind(name)
    if (kind.get === undefined) return
    const { partition, items } = await firstItems(bench, kind)
    for (const item of items.slice(0, 10)) {
      const got = await kind.get(kind.key(item), kind.locator(item), partition.name, never())
      if (got.state !== 'present') throw new Error(`${kind.key(item)} is ${got.state}`)
      same(kind, item, frozen(got.body))
      expect(got.partitions ?? [partition.name]).toContain(partition.name)
    }
  })

  test('get of a key that never was is gone, also under the locator of one that is', async () => {
    const bench = opened()
    const kind = bench.kind(name)
    if (kind.get === undefined) return
    const { partition, items } = await firstItems(bench, kind)
    const key = bench.source.unknownKey(name)
    const [item] = items
    for (const locator of [{}, item === undefined ? {} : kind.locator(item)]) {
      expect(await kind.get(key, locator, partition.name, never())).toEqual({ state: 'gone' })
    }
  })
}

export function badAnswers(opened: Opened, name: string): void {
  test.each(['cut', 'html'] as const)('an answer that is %s is BadAnswer, and no page', async (how) => {
    const bench = opened()
    const kind = bench.kind(name)
    const { partition, items } = await firstItems(bench, kind)
    await bench.source.fail(how)
    try {
      await expect(pagesOf(kind, partition)).rejects.toBeInstanceOf(BadAnswer)
      const [item] = items
      if (kind.get === undefined || item === undefined) return
      await expect(kind.get(kind.key(item), kind.locator(item), partition.name, never())).rejects.toThrow(BadAnswer)
    } finally {
      await bench.source.heal()
    }
  })
}

export function rateLimits(opened: Opened, name: string): void {
  test('a used up rate limit is RateLimited, and no call is made before its reset', async () => {
    const bench = opened()
    const kind = bench.kind(name)
    const { partition } = await firstItems(bench, kind)
    await bench.source.fail('exhausted', 120)
    let limited: unknown
    try {
      limited = await pagesOf(kind, partition).catch((error: unknown) => error)
    } finally {
      await bench.source.heal()
    }
    if (!(limited instanceof RateLimited)) throw new Error(`expected RateLimited, got ${String(limited)}`)
    const before = await bench.source.calls()
    bench.advance(Math.max(0, limited.retryAt - bench.now() - 10_000))
    await expect(pagesOf(kind, partition)).rejects.toBeInstanceOf(RateLimited)
    await expect(bench.connection.check(never())).rejects.toBeInstanceOf(RateLimited)
    expect(await bench.source.calls()).toBe(before)
    bench.advance(11_000)
    expect(await pagesOf(kind, partition)).not.toEqual([])
  })
}

export function lostScopes(opened: Opened, name: string): void {
  test('a scope that cannot be read is unknown: not left out, not empty, and nothing in it is gone', async () => {
    const bench = opened()
    const kind = bench.kind(name)
    const { partition, items } = await firstItems(bench, kind)
    const all = await kind.partitions(never())
    const before = await bench.connection.check(never())
    await bench.source.lose(partition.name)
    try {
      const now = await kind.partitions(never())
      // One that hangs on a record may be left out: what goes with that record is the engine's to prove.
      const others = (list: readonly Partition[]): string[] =>
        list.map((it) => it.name).filter((name) => partition.parent === undefined || name !== partition.name)
      expect(others(now)).toEqual(others(all))
      const unknown = partition.parent === undefined ? [partition.name] : []
      expect(now.filter((it) => it.unknown !== undefined).map((it) => it.name)).toEqual(unknown)
      await expect(pagesOf(kind, partition)).rejects.toBeInstanceOf(ScopeUnreadable)
      const after = await bench.connection.check(never())
      // What a single object of another kind shows is no matter of the credential as a whole.
      if (partition.parent === undefined) expect(after.fingerprint).not.toBe(before.fingerprint)
      const [item] = items
      if (kind.get === undefined || item === undefined) return
      const got = await kind.get(kind.key(item), kind.locator(item), partition.name, never())
      expect(got.state).toBe('unknown')
    } finally {
      await bench.source.heal()
    }
  })
}

export function deliveries(opened: Opened): void {
  test('deliveries are verified over their bytes, and whole bodies are what get gives', async () => {
    const bench = opened()
    const { webhook, kinds } = bench.connection
    const given = await bench.source.deliveries?.()
    if (webhook === undefined || given === undefined) return
    expect(given.sent.length).toBeGreaterThan(0)
    const whole = new Map<string, { kind: Kind; partition: string; key: string; body: Json }>()
    for (const delivery of given.sent) {
      const { id, event } = await webhook.verify(delivery, given.secret)
      expect(id).not.toBe('')
      expect(event).not.toBe('')
      const refused = (changed: Partial<typeof delivery>, secret = given.secret) =>
        expect(webhook.verify({ ...delivery, ...changed }, secret)).rejects.toBeInstanceOf(DeliveryRefused)
      await refused({ headers: {} })
      await refused({}, `${given.secret}x`)
      const touched = Buffer.from(delivery.body)
      const middle = Math.floor(touched.length / 2)
      touched[middle] = (touched[middle] ?? 0) ^ 1
      await refused({ body: touched })
      await refused({ body: Buffer.alloc(0) })

      const signals = webhook.signals(delivery)
      expect(webhook.signals(delivery)).toEqual(signals)
      for (const signal of signals) {
        const kind = kinds.find((it) => it.name === signal.kind)
        if (kind === undefined || signal.type === 'resync') continue
        const name = `${signal.kind} ${signal.key}`
        whole.delete(name)
        if (signal.type !== 'stale' || signal.whole !== true || signal.body === undefined) continue
        expect(kind.key(signal.body)).toBe(signal.key)
        expect(kind.version?.(signal.body)).toBe(signal.version)
        whole.set(name, { kind, partition: signal.partition, key: signal.key, body: frozen(signal.body) })
      }
    }
    for (const { kind, partition, key, body } of whole.values()) {
      const got = await kind.get?.(key, kind.locator(body), partition, never())
      if (got?.state !== 'present') throw new Error(`${kind.name} ${key} is ${got?.state}`)
      same(kind, got.body, body)
    }
  })
}
