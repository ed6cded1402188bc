import { type Listed, type ReadItems, readItems } from './read-items.ts'
import { bytesSealOf } from './seal.ts'
import type { KindSession, Session } from './session.ts'

/** A page, read at most once; the decisions about it may be made several times. */
export interface ReadPage {
  readonly listed: Listed
  /** Of the bytes that the source answered with, if it gave them. */
  readonly bytesSeal: Buffer | undefined
  /** Absent while nobody needed them: a page that is known by its bytes is taken over as it is. */
  readonly read: ReadItems | undefined
  /** Reads them, if they are not. Throws ListingBroke. */
  items(): Promise<ReadItems>
  /** Whether the last scan got these bytes, once that was asked. */
  sameBytes: boolean
}

/** `lazily`: it may be known by its bytes. What is read at once is read while the page before is compared and written. Throws ListingBroke. */
export async function readPage(
  session: Session,
  kind: KindSession,
  listed: Listed,
  lazily: boolean,
): Promise<ReadPage> {
  const { partition, page } = listed
  const bytes = page.notModified === true ? undefined : page.bytes
  const bytesSeal = bytes === undefined ? undefined : bytesSealOf(kind.kind, partition.row, session.mappingId, bytes)
  let read: ReadItems | undefined
  const items = async (): Promise<ReadItems> => {
    read ??= await readItems(session, kind, listed)
    return read
  }
  if (!lazily || bytesSeal === undefined || partition.row.state === 'unseen') await items()
  return {
    listed,
    bytesSeal,
    get read() {
      return read
    },
    items,
    sameBytes: false,
  }
}
