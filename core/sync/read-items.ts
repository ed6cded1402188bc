import type { ItemSetAside } from '../catalog/batch.ts'
import type { Span, StoredPage } from '../catalog/stored.ts'
import { BadAnswer, type Json, type Key, type Locator, type Page } from '../sdk/index.ts'
import { ListingBroke } from './errors.ts'
import { hashInto, hashSize } from './hash.ts'
import { checkKey, isDeeper, readable } from './limits.ts'
import { plainOf, readItem, type Seen } from './observe.ts'
import { sealOf } from './seal.ts'
import { breathEvery, type KindSession, type PartitionSession, type Session } from './session.ts'

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

/** Of most items nothing is needed but the hash, so their text is not kept: what waits is what memory and its collector cost. */
export interface ReadItems {
  /** As many as the source gave. */
  readonly count: number
  /** Each once, in the order of the page. */
  readonly keys: readonly Key[]
  /** 16 bytes a key; zeros for a refused item. */
  readonly hashes: Buffer
  /** Items that cannot be read or stored, by index: they count as seen, and the page cannot pass for unchanged later. */
  readonly refused: ReadonlyMap<number, ItemSetAside>
  /** Items without a key: nobody knows what the page contains. */
  readonly keyless: readonly ItemSetAside[]
  /** Absent when something was refused. */
  readonly seal: Buffer | undefined
  /** An item that is not refused. */
  item(index: number): Seen
  /** The store refused it: it is set aside like one that cannot be read. */
  refuse(key: Key, error: unknown): void
}

/** A poison item is set aside: its key, if it has one, counts as seen, its neighbours go on. Throws ListingBroke. */
export async function readItems(session: Session, kind: KindSession, listed: Listed): Promise<ReadItems> {
  const items = itemsOf(listed)
  const places = new Map<Key, number>()
  const raws: Json[] = []
  const hashes = Buffer.alloc(items.length * hashSize)
  const refused = new Map<number, ItemSetAside>()
  // Of a first scan everything is written, so nothing is read twice.
  const kept: (Seen | undefined)[] | undefined = listed.partition.row.state === 'unseen' ? [] : undefined
  const keyless: ItemSetAside[] = []

  const refuse = (index: number, key: Key, error: unknown, field: 'key' | 'body' = 'body'): void => {
    refused.set(index, setAside(session, kind, listed, { key, raw: raws[index] ?? null, field }, error))
    hashes.fill(0, index * hashSize, (index + 1) * hashSize)
  }

  const read = (index: number, key: Key, raw: Json): void => {
    try {
      checkKey(key)
    } catch (error) {
      refuse(index, key, error, 'key')
      return
    }
    try {
      const canonical = kind.kind.canonical(raw)
      const version = kind.kind.version?.(raw)
      const written = hashInto(hashes, index, canonical, version)
      if (kept === undefined) return
      const plain = plainOf(canonical, written)
      kept[index] = { key, raw, canonical: plain, version, text: written.text, hash: hexAt(hashes, index) }
    } catch (error) {
      refuse(index, key, error)
    }
  }

  for (const [index, raw] of items.entries()) {
    if (index % breathEvery === 0) await session.ports.breathe?.()
    let key: Key
    try {
      key = kind.kind.key(raw)
    } catch (error) {
      keyless.push(setAside(session, kind, listed, { key: '', raw, field: 'key', index }, error))
      continue
    }
    const before = places.get(key)
    if (before === undefined) {
      const index = raws.push(raw) - 1
      places.set(key, index)
      read(index, key, raw)
    } else if (!refused.has(before)) {
      // Repeated keys are harmless while they say the same; otherwise neither of them is believed.
      const first = hexAt(hashes, before)
      read(before, key, raw)
      if (!refused.has(before) && hexAt(hashes, before) !== first) {
        refuse(before, key, new BadAnswer('the key is twice on the page, with different content'))
      }
    }
  }

  const keys = [...places.keys()]
  const whole = hashes.subarray(0, keys.length * hashSize)
  return {
    count: items.length,
    keys,
    hashes: whole,
    refused,
    keyless,
    get seal() {
      return refused.size + keyless.length === 0 ? sealOf(session.mappingId, keys, whole) : undefined
    },
    item: (index) => kept?.[index] ?? readItem(kind.kind, keys[index] ?? '', raws[index] ?? null),
    refuse(key, error) {
      const index = places.get(key)
      if (index !== undefined) refuse(index, key, error)
    },
  }
}

/** They may be parsed only now. */
function itemsOf({ page }: Listed): readonly Json[] {
  try {
    return page.items
  } catch (error) {
    throw new ListingBroke(error)
  }
}

function hexAt(hashes: Buffer, index: number): string {
  return hashes.toString('hex', index * hashSize, (index + 1) * hashSize)
}

/** Says so in the log, and what is to be kept of it. `index`: of one without a key. */
export function setAside(
  session: Session,
  kind: KindSession,
  listed: Listed,
  { key, raw, field, index = 0 }: Pick<ItemSetAside, 'key' | 'field'> & { readonly raw: Json; readonly index?: number },
  thrown: unknown,
): ItemSetAside {
  const error = readable(thrown)
  const message = error instanceof Error ? error.message : String(error)
  const { cursor } = listed.page
  session.ports.log('warn', 'item set aside', { source: session.runtime.name, kind: kind.name, cursor, key, message })
  const place = `${cursor} ${index}`
  return { key, place, locator: locatorOf(kind, raw), field, message }
}

/** By what people may find it, if that much of it can be read. */
function locatorOf({ kind }: KindSession, raw: Json): Locator {
  try {
    const locator = kind.locator(raw)
    return isDeeper(locator, 3) ? {} : locator
  } catch {
    return {}
  }
}
