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
const lastPosition = 0x3fff

/**
 * A tsvector in binary form, made here because it costs the server four times as much: title as weight A, identifier as
 * B, searchable properties as D.
 */
export function tsvector(identifier: string, document: Document, searchable: readonly string[]): Buffer {
  const words = new Map<string, number[]>()
  let position = 0
  const add = (text: string, rank: number): void => {
    for (const word of searchWords(text)) {
      position = Math.min(position + 1, lastPosition)
      const cut = word.length > longestWord ? word.slice(0, longestWord).toWellFormed() : word
      const places = words.get(cut)
      // Places must grow, and the server keeps 255 of a word.
      if (places === undefined) {
        if (words.size < mostWords) words.set(cut, [rank | position])
      } else if (places.length < 8 && position < lastPosition) places.push(rank | position)
    }
  }
  if (document.title !== null) add(document.title, weight.A)
  add(identifier, weight.B)
  for (const name of searchable) for (const text of texts(document.properties[name])) add(text, weight.D)
  return encode(words)
}

function* texts(value: Json | undefined): Generator<string> {
  if (typeof value === 'string') yield value
  else if (typeof value === 'number') yield String(value)
  else if (Array.isArray(value)) for (const each of value) yield* texts(each)
  else if (isObject(value)) for (const each of Object.values(value)) yield* texts(each)
}

function encode(words: ReadonlyMap<string, readonly number[]>): Buffer {
  let size = 4
  for (const [word, places] of words) size += Buffer.byteLength(word) + 3 + places.length * 2
  const buffer = Buffer.allocUnsafe(size)
  let at = buffer.writeInt32BE(words.size, 0)
  for (const [word, places] of words) {
    at += buffer.write(word, at)
    at = buffer.writeUInt8(0, at)
    at = buffer.writeUInt16BE(places.length, at)
    for (const place of places) at = buffer.writeUInt16BE(place, at)
  }
  return buffer
}
