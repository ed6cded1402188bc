import type { ItemSetAside, PageWrite } from '../catalog/batch.ts'
import type { StoredRecord } from '../catalog/stored.ts'
import { decideSeen, planDoubt, planWrite, presenceState, type Seen, scanCause } from './observe.ts'
import { newPlan, type Plan } from './plan.ts'
import { type Listed, setAside } from './read-items.ts'
import type { ReadPage } from './read-page.ts'
import { breathEvery, type KindSession, type Session } from './session.ts'

/** Compares a page with what is stored and decides about each item that differs. */
export async function planPage(session: Session, kind: KindSession, read: ReadPage): Promise<Plan> {
  const { partition, page, scan } = read.listed
  const plan = newPlan(scanCause(scan, partition.row.name))
  plan.moves.add('scan', 'running', 'page')
  plan.page = remember(read) ?? (await recognise(session, kind, read)) ?? (await compare(session, kind, plan, read))
  if (page.notModified !== true && plan.page.known.size > 0) plan.moves.add('presence', 'live', 'confirm')
  return plan
}

type Base = Omit<PageWrite, 'counts'>

function baseOf({ bytesSeal, listed: { page, span, scan, number } }: ReadPage): Base {
  return {
    scan,
    page: number,
    cursor: page.cursor,
    span,
    ...(page.next === undefined ? {} : { next: page.next }),
    ...(page.validator === undefined ? {} : { validator: page.validator }),
    ...(bytesSeal === undefined ? {} : { bytesSeal }),
    keys: [],
    hashes: Buffer.alloc(0),
    known: new Map(),
  }
}

/** The source said that the page is what it was. */
function remember(read: ReadPage): PageWrite | undefined {
  const { page, remembered } = read.listed
  if (page.notModified !== true || remembered === undefined) return undefined
  const counts = { items: remembered.items, changed: 0, failed: 0 }
  return { ...baseOf(read), remembered: { page: remembered.page, unmodified: true }, counts }
}

/**
 * The page says what it said at the last complete scan, and nothing of it was written since: no item is looked at. Where its
 * bytes tell, none is even read.
 */
async function recognise(session: Session, kind: KindSession, page: ReadPage): Promise<PageWrite | undefined> {
  if (page.listed.partition.row.state === 'unseen') return undefined
  const known = page.read === undefined ? await unchanged(session, kind, page) : undefined
  if (known !== undefined) return known
  const { seal } = await page.items()
  return seal === undefined ? undefined : unchanged(session, kind, page, seal)
}

async function unchanged(
  session: Session,
  kind: KindSession,
  page: ReadPage,
  seal?: Buffer,
): Promise<PageWrite | undefined> {
  const { bytesSeal, listed } = page
  const { partition, number } = listed
  const { store } = session.ports
  const asked = { number, cursor: listed.page.cursor, seal, bytesSeal }
  const found = await store.unchangedPage(kind.id, partition.row.id, session.mappingId, asked)
  page.sameBytes = found?.sameBytes === true
  if (found === undefined) return undefined
  const counts = { items: found.items, changed: 0, failed: 0 }
  return { ...baseOf(page), remembered: { page: number, unmodified: false }, asOf: found.asOf, counts }
}

async function compare(session: Session, kind: KindSession, plan: Plan, page: ReadPage): Promise<PageWrite> {
  const { partition } = page.listed
  const items = await page.items()
  const { keys, hashes, refused, keyless, seal } = items
  const { store } = session.ports
  const asked = { keys, hashes }
  const { same, stored, asOf } = await store.compare(kind.id, partition.row.id, session.mappingId, asked, true)
  const counts = { items: items.count, changed: 0, failed: keyless.length + refused.size }
  const aside = [...keyless, ...refused.values()]
  const known = new Map<number, bigint>()
  for (let index = 0; index < keys.length; index++) {
    if (refused.has(index)) continue
    if (index % breathEvery === 0) await session.ports.breathe?.()
    const unchanged = same.get(index)
    if (unchanged !== undefined) known.set(index, unchanged)
    else {
      const set = planItem(session, kind, plan, page.listed, items.item(index), stored.get(index), counts)
      if (set !== undefined) aside.push(set)
    }
  }
  const { validator, ...base } = baseOf(page)
  // What was set aside must be looked at again: such a page is not to be answered with "not modified".
  const again = counts.failed > 0 || validator === undefined ? {} : { validator }
  return {
    ...base,
    ...again,
    keys,
    hashes,
    known,
    asOf,
    ...(seal === undefined ? {} : { seal }),
    counts,
    setAside: aside,
  }
}

function planItem(
  session: Session,
  kind: KindSession,
  plan: Plan,
  listed: Listed,
  item: Seen,
  stored: StoredRecord | undefined,
  counts: { changed: number; failed: number },
): ItemSetAside | undefined {
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
    return setAside(session, kind, listed, { key: item.key, raw: item.raw, field: 'body' }, error)
  }
  return undefined
}
