import { isObject, type Json } from '../model/json.ts'
import type { Document } from './document.ts'

/** Longer words are cut: the index refuses lexemes of 2 KB, and nobody types them. */
const longestWord = 64
/** Of one document. A readme in a searchable property must not make a write slow. */
const mostWords = 400

/**
 * The words of a text as the search index has them: runs of letters and digits, in lower case. The server's own parser
 * keeps `acme/checkout` and `v1.2` whole, so that nobody finds them by their parts. What searches must split the same way.
 */
export function searchWords(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}

/** Bits of a position in a tsvector; A ranks highest. */
const weight = { A: 0xc000, B: 0x8000, D: 0 }

/**
 * A tsvector in binary form, made here because it costs the server four times as much: title as weight A, identifier as
 * B, searchable properties as D. A word has one place, its first, which is also its best.
 */
export function tsvector(identifier: string, document: Document, searchable: readonly string[]): Buffer {
  const words = new Map<string, number>()
  if (document.title !== null) add(words, document.title, weight.A)
  add(words, identifier, weight.B)
  for (const name of searchable) for (const text of texts(document.properties[name])) add(words, text, weight.D)
  return encode(words)
}

function add(words: Map<string, number>, text: string, rank: number): void {
  for (const word of searchWords(text)) {
    if (words.size === mostWords) return
    const cut = word.length > longestWord ? word.slice(0, longestWord).toWellFormed() : word
    if (!words.has(cut)) words.set(cut, rank | (words.size + 1))
  }
}

function texts(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number') return [String(value)]
  if (Array.isArray(value)) return value.flatMap(texts)
  return isObject(value) ? Object.values(value).flatMap(texts) : []
}

/** Encoded here, then copied out at its size: most vectors are short. */
const scratch = Buffer.allocUnsafeSlow(4 + mostWords * (longestWord * 3 + 5))

function encode(words: ReadonlyMap<string, number>): Buffer {
  let at = scratch.writeInt32BE(words.size, 0)
  for (const [word, place] of words) {
    at += scratch.write(word, at)
    // End of the word, the number of its places, its place.
    scratch[at] = 0
    scratch[at + 1] = 0
    scratch[at + 2] = 1
    scratch[at + 3] = place >> 8
    scratch[at + 4] = place & 0xff
    at += 5
  }
  return Buffer.from(scratch.subarray(0, at))
}
