import { hash as digest } from 'node:crypto'
import { type Json, type Version, writeJson } from '../sdk/index.ts'

export interface Written {
  /** Canonical JSON text, as it is stored. */
  readonly text: string
  /** Whether the text has numbers that JSON.parse would round. */
  readonly long: boolean
}

export interface Content extends Written {
  /** 16 bytes as hex. */
  readonly hash: string
}

/** Bytes of a content hash. */
export const hashSize = 16

/**
 * What "the same content" means: the canonical form and the source's own version of it. Without the version a value that
 * changed and changed back would pass as unchanged while the stored version stays old, and a late delivery from the time
 * between would look newer.
 *
 * Half of sha256 (docs/decisions/0030-content-hash.md): as fast as what is faster on paper, and nobody can make it collide
 * on purpose.
 */
export function contentOf(canonical: Json, version: Version | undefined): Content {
  const { text, long } = writeJson(canonical)
  return { text, long, hash: digest('sha256', bytesOf(text, version), 'hex').slice(0, 2 * hashSize) }
}

/** The same hash as bytes, written at the place of a page's item. */
export function hashInto(page: Buffer, index: number, canonical: Json, version: Version | undefined): Written {
  const written = writeJson(canonical)
  page.write(digest('sha256', bytesOf(written.text, version), 'binary'), index * hashSize, hashSize, 'latin1')
  return written
}

/** Text is encoded here once, rather than joined to a longer string and encoded by the hash. */
const scratch = Buffer.allocUnsafeSlow(256 * 1024)

/** `TEXT` or `TEXT NUL VERSION`. Valid until the next call. */
function bytesOf(text: string, version: Version | undefined): Buffer | string {
  if ((text.length + (version?.length ?? 0)) * 3 >= scratch.length) {
    return version === undefined ? text : `${text}\0${version}`
  }
  let end = scratch.write(text, 0)
  if (version !== undefined) {
    scratch[end++] = 0
    end += scratch.write(version, end)
  }
  return scratch.subarray(0, end)
}
