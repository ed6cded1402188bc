import { hash as digest } from 'node:crypto'
import { type Json, type Version, writeJson } from '../sdk/index.ts'

export interface Content {
  /** Canonical JSON text, as it is stored. */
  readonly text: string
  /** Whether the text has numbers that JSON.parse would round. */
  readonly long: boolean
  /** 16 bytes as hex. */
  readonly hash: string
}

/**
 * What "the same content" means: the canonical form and the source's own version of it. Without the version a value that
 * changed and changed back would pass as unchanged while the stored version stays old, and a late delivery from the time
 * between would look newer.
 *
 * Measured on 1.4 KB items with Node 24: JSON.stringify 3.3 us, then sha256 1.6 us, sha1 1.5 us, md5 2.9 us, a 128-bit
 * hash in JavaScript 3.0 us. Half of sha256 is as fast as the fastest and cannot be made to collide on purpose.
 */
export function contentOf(canonical: Json, version: Version | undefined): Content {
  const { text, long } = writeJson(canonical)
  return {
    text,
    long,
    hash: digest('sha256', version === undefined ? text : `${text}\0${version}`, 'hex').slice(0, 32),
  }
}
