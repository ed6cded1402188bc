import type { Db } from '../catalog/db.ts'
import type { Store } from '../catalog/store.ts'
import type { StoredRecord } from '../catalog/stored.ts'
import type { Connection, Kind, Page, Signal } from '../sdk/index.ts'
import { defaultMix, type Mix } from './mix.ts'

/** The ports that a plant wraps. */
export interface Planted {
  statement?(text: string): string
  connection?(inner: Connection): Connection
  /** `plain`: a connection that waits for no grant. */
  store?(inner: Store, plain: Db): Store
}

/** A defect planted into the shipped engine through its ports. The auditor must find each within 20 seeds. */
export interface Plant {
  /** What the engine then does. */
  readonly what: string
  /** What happens most in its runs, so that few steps are enough. The engine itself must be clean under it, too. */
  readonly mix: Mix
  /** `strike` is called whenever the defect makes a difference. */
  plant(strike: () => void): Planted
}

const greatest = 2n ** 62n

/** Few other faults, and a rest at the end. */
const focused: Mix = { ...defaultMix, others: 0.1, even: 0, stretch: [3000, 1] }

export const plants: Readonly<Record<string, Plant>> = {
  'sweep-after-incomplete': {
    what: 'A listing that breaks off counts as complete, and what it did not show is swept.',
    mix: {
      ...focused,
      odds: { 'listing-unavailable': 0.3, 'listing-exception': 0.3, 'listing-incomplete-flag': 0.1 },
      happen: 0.005,
      scan: 0.03,
      kinds: ['person', 'service'],
    },
    plant: (strike) => ({
      connection: (inner) =>
        withKinds(inner, (kind) => ({ ...kind, list: (request) => swallow(kind.list(request), strike) })),
    }),
  },
  'ack-before-commit': {
    what: 'A delivery is acknowledged before it is committed to the inbox.',
    mix: { ...focused, odds: { crash: 0.006 }, happen: 0.05, deliver: 0.15 },
    plant: (strike) => ({
      store: (inner) => ({
        ...inner,
        accept(...delivery) {
          strike()
          void inner.accept(...delivery).catch(() => undefined)
          return Promise.resolve('accepted')
        },
      }),
    }),
  },
  'no-watermark': {
    what: 'Nobody remembers when something was last seen, so that an old answer replaces a newer one.',
    mix: {
      ...focused,
      odds: { 'listing-slow': 1, 'answer-slow': 0, 'delivery-late': 0, 'delivery-lost': 0 },
      others: 0,
      happen: 0.03,
      deliver: 0.5,
      scan: 0.03,
      // Without versions of their own only the watermark tells which word is newer.
      kinds: ['person', 'branch'],
      deeds: { rename: 0, 're-create': 0, move: 0, toggle: 0, delete: 16, restore: 40 },
    },
    plant: (strike) => ({ store: (inner) => withoutWatermarks(inner, strike) }),
  },
  'no-entity-lock': {
    what: 'Entities are not locked before their contributions are read.',
    mix: {
      ...focused,
      odds: { 'delivery-lost': 0.3 },
      stretch: [600, 200],
      happen: 0.06,
      deliver: 0.1,
      scan: 0.03,
      kinds: ['repo', 'service', 'team'],
      names: 3,
      deeds: { change: 60, archive: 10 },
    },
    plant: (strike) => ({
      statement(text) {
        if (!text.includes('/* lock:entities */')) return text
        strike()
        return text.replace(/FOR UPDATE OF e\s*$/u, '')
      },
    }),
  },
  '404-as-gone': {
    what: 'Any answer that is no object means that it is gone, whatever the credential may see.',
    mix: { ...focused, odds: { 'get-unknown': 0.3, 'permission-lost': 0.004 }, happen: 0.04, deliver: 0.15 },
    plant: (strike) => ({
      connection: (inner) => ({
        ...withKinds(inner, (kind) => believing404(kind, strike)),
        async check(signal) {
          const answer = await inner.check(signal)
          if (answer.fingerprint !== 'sees-0') strike()
          return { ...answer, fingerprint: 'always the same' }
        },
      }),
    }),
  },
  'late-gone-believed': {
    what: 'A delivery that says "gone" is believed, however late it comes.',
    mix: {
      ...focused,
      happen: 0.04,
      deliver: 0.15,
      scan: 0.004,
      lateGone: 0.6,
      kinds: ['service'],
      deeds: { change: 10, 'change-and-back': 0, rename: 0, 're-create': 0, delete: 30, restore: 60, move: 0 },
    },
    plant: (strike) => ({
      connection(inner) {
        const { webhook } = inner
        if (webhook === undefined) return inner
        const signals = (raw: Parameters<typeof webhook.signals>[0]) =>
          webhook.signals(raw).map((signal) => believed(signal, strike))
        return { ...inner, webhook: { ...webhook, signals } }
      },
    }),
  },
}

function withKinds(inner: Connection, change: (kind: Kind) => Kind): Connection {
  return { ...inner, kinds: inner.kinds.map(change) }
}

/** One page is kept back, so that the last good one can pass for the last. */
async function* swallow(pages: AsyncIterable<Page>, strike: () => void): AsyncIterable<Page> {
  let kept: Page | undefined
  try {
    for await (const page of pages) {
      if (kept !== undefined) yield kept
      const { incomplete, ...whole } = page
      if (incomplete !== undefined) strike()
      kept = whole
    }
  } catch {
    // That is the defect.
    strike()
  }
  if (kept === undefined) return
  const { next: _, ...last } = kept
  yield last
}

function withoutWatermarks(inner: Store, strike: () => void): Store {
  return {
    ...inner,
    async compare(...asked) {
      const answer = await inner.compare(...asked)
      return { ...answer, stored: new Map([...answer.stored].map(([at, each]) => [at, forget(each, strike)])) }
    },
    async record(...asked) {
      const found = await inner.record(...asked)
      return found && forget(found, strike)
    },
    async missing(...asked) {
      return (await inner.missing(...asked)).map((row) => ({ ...row, confirmed: 0n }))
    },
    commit: (batch) =>
      inner.commit({
        ...batch,
        writes: (batch.writes ?? []).map((write) =>
          write.expected === undefined ? write : { ...write, expected: { ...write.expected, end: greatest } },
        ),
        removals: (batch.removals ?? []).map((removal) => ({ ...removal, confirmed: greatest })),
      }),
  }
}

function forget(record: StoredRecord, strike: () => void): StoredRecord {
  strike()
  const span = { begin: 0n, end: 0n }
  return { ...record, span, presences: record.presences.map((each) => ({ ...each, span })) }
}

function believing404(kind: Kind, strike: () => void): Kind {
  if (kind.get === undefined) return kind
  const get = kind.get.bind(kind)
  return {
    ...kind,
    async get(...asked) {
      const got = await get(...asked)
      if (got.state !== 'unknown') return got
      strike()
      return { state: 'gone' }
    },
  }
}

function believed(signal: Signal, strike: () => void): Signal {
  if (signal.type !== 'gone') return signal
  strike()
  return { ...signal, version: '99999999' }
}
