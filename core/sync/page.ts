import type { Span, StoredPage, StoredRecord } from '../catalog/stored.ts'
import { BadAnswer, type Json, type Key, type Page } from '../sdk/index.ts'
import { decideSeen, planDoubt, planWrite, presenceState, readItem, type Seen, scanCause } from './observe.ts'
import { newPlan, type Plan } from './plan.ts'
import type { KindSession, PartitionSession, Session } from './session.ts'

export interface Listed {
  readonly scan: bigint
  readonly partition: PartitionSession
  /** Number of the page in its scan, from 0. */
  readonly number: number
  readonly page: Page
  readonly span: Span
  /** The page of the last complete scan at this cursor, if it may be taken over. */
  readonly remembered: StoredPage | undefined
}

/** Items of a page, read once; the decisions about them may be made several times. */
export interface ReadPage {
  readonly listed: Listed
  readonly items: readonly (Seen | Refused)[]
  /** Items without a key: nobody knows what the page contains. */
  readonly keyless: number
  /** Keys of items that the store refused: set aside like those that cannot be read. */
  readonly unstorable: Set<Key>
}

interface Refused {
  readonly key: Key
  readonly error: unknown
}

/** A poison item is set aside: its key, if it has one, counts as seen, its neighbours go on. */
export function readPage(session: Session, kind: KindSession, listed: Listed): ReadPage {
  const items = new Map<Key, Seen | Refused>()
  let keyless = 0
  for (const raw of listed.page.items) {
    let key: Key
    try {
      key = kind.kind.key(raw)
    } catch (error) {
      keyless += 1
      setAside(session, kind, listed, '', error)
      continue
    }
    const item = read(session, kind, listed, key, raw)
    const before = items.get(key)
    // Repeated keys are harmless while they say the same; otherwise neither of them is believed.
    if (before !== undefined && !('error' in before) && !('error' in item) && before.hash !== item.hash) {
      items.set(key, { key, error: new BadAnswer('the key is twice on the page, with different content') })
    } else items.set(key, item)
  }
  return { listed, items: [...items.values()], keyless, unstorable: new Set() }
}

function read(session: Session, kind: KindSession, listed: Listed, key: Key, raw: Json): Seen | Refused {
  try {
    return readItem(kind.kind, key, raw)
  } catch (error) {
    setAside(session, kind, listed, key, error)
    return { key, error }
  }
}

export function setAside(session: Session, kind: KindSession, listed: Listed, key: Key, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  const { cursor } = listed.page
  session.ports.log('warn', 'item set aside', { source: session.runtime.name, kind: kind.name, cursor, key, message })
}

/** Compares a page with what is stored and decides about each item. */
export async function planPage(session: Session, kind: KindSession, read: ReadPage): Promise<Plan> {
  const { listed } = read
  const items = read.items.map((item) =>
    read.unstorable.has(item.key) ? { key: item.key, error: 'the store refused it' } : item,
  )
  const { partition, page, span, scan, number } = listed
  const plan = newPlan(scanCause(scan, partition.row.name))
  plan.moves.add('scan', 'running', 'page')
  const base = {
    scan,
    page: number,
    cursor: page.cursor,
    span,
    ...(page.next === undefined ? {} : { next: page.next }),
  }
  const validator = page.validator === undefined ? {} : { validator: page.validator }
  if (page.notModified === true) {
    const records = listed.remembered?.records ?? []
    const known = new Map(records.map((id, index) => [index, id]))
    const counts = { items: records.length, changed: 0, failed: 0 }
    plan.page = { ...base, ...validator, keys: [], hashes: [], known, notModified: true, counts }
    return plan
  }
  const good = items.filter((item): item is Seen => !('error' in item))
  const asked = good.map(({ key, hash }) => ({ key, hash }))
  const { id } = partition.row
  const { same, stored, asOf } = await session.ports.store.compare(kind.id, id, session.mappingId, asked, true)
  const counts = { items: page.items.length, changed: 0, failed: read.keyless }
  const known = new Map<number, bigint>()
  let compared = -1
  for (const [index, item] of items.entries()) {
    if ('error' in item) {
      counts.failed += 1
      continue
    }
    compared += 1
    const unchanged = same.get(compared)
    if (unchanged === undefined) planItem(session, kind, plan, listed, item, stored.get(compared), counts)
    else known.set(index, unchanged)
  }
  if (known.size > 0) plan.moves.add('presence', 'live', 'confirm')
  const keys = items.map(({ key }) => key)
  const hashes = items.map((item) => ('error' in item ? '' : item.hash))
  // What was set aside must be looked at again: such a page is not to be answered with "not modified".
  const again = counts.failed > 0 ? {} : validator
  plan.page = { ...base, ...again, keys, hashes, known, asOf, notModified: false, counts }
  return plan
}

function planItem(
  session: Session,
  kind: KindSession,
  plan: Plan,
  listed: Listed,
  item: Seen,
  stored: StoredRecord | undefined,
  counts: { changed: number; failed: number },
): void {
  const { partition, span } = listed
  const where = { via: 'list', partition, span, presences: [partition.row.id] } as const
  const decision = decideSeen(session, kind, item, where, stored)
  try {
    if (decision.do === 'replace') {
      planWrite(session, kind, plan, item, where, stored)
      counts.changed += 1
    } else if (decision.do === 'ask') {
      const locator = kind.kind.locator(item.raw)
      planDoubt(
        kind,
        plan,
        partition,
        { key: item.key, reason: decision.reason, serial: span.end, signed: false, locator },
        presenceState(stored, partition.row.id),
      )
    }
  } catch (error) {
    counts.failed += 1
    setAside(session, kind, listed, item.key, error)
  }
}
