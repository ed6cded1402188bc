import { createHash, randomBytes } from 'node:crypto'
import type { PartitionRow } from '../catalog/stored.ts'
import type { Kind } from '../sdk/index.ts'
import { hashSize } from './hash.ts'

/** What a page of a listing says: its keys and their hashes in order, and the mapping version they were looked at with. */
export function sealOf(mappingId: number, keys: readonly string[], hashes: Buffer): Buffer {
  const seal = createHash('sha256')
    .update(`${mappingId} ${JSON.stringify(keys)}`)
    .update(hashes)
  return seal.digest().subarray(0, hashSize)
}

/**
 * Names the code that reads the pages of a kind, with its configuration and with what is dropped: the object that holds it.
 * A seal of bytes is worth something only to who made it, so nothing has to be told apart that a release, a restart or
 * another configuration may change.
 */
const readers = new WeakMap<Kind, Buffer>()

function readerOf(kind: Kind): Buffer {
  const known = readers.get(kind)
  if (known !== undefined) return known
  const reader = randomBytes(16)
  readers.set(kind, reader)
  return reader
}

/**
 * Of a page's bytes and of all else that its items and their hashes are made of: pages with one such seal have one `sealOf`,
 * too. The page's cursor is compared beside it.
 */
export function bytesSealOf(
  kind: Kind,
  { name, parent }: Pick<PartitionRow, 'name' | 'parent'>,
  mappingId: number,
  bytes: Uint8Array,
): Buffer {
  const seal = createHash('sha256')
    .update(readerOf(kind))
    .update(`${JSON.stringify([mappingId, name, parent ?? null])}\n`)
    .update(bytes)
  return seal.digest().subarray(0, hashSize)
}
