/**
 * Raised when the engine gives other entities for the same file and record: stored records are then mapped again.
 */
export const engineVersion = 1

/** JSON text in which the order of members says nothing: a database gives them back in an order of its own. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )
}

/** A hash to notice changes by, as hex; it is no protection against somebody who wants two texts to collide. */
export function contentHash(text: string): string {
  return half(text, 0x9e3779b9) + half(text, 0x85ebca6b)
}

/** 64 bits by two multiply-and-mix lanes over UTF-16 units (the construction known as cyrb53). */
function half(text: string, seed: number): string {
  let a = 0xdeadbeef ^ seed
  let b = 0x41c6ce57 ^ seed
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    a = Math.imul(a ^ unit, 2654435761)
    b = Math.imul(b ^ unit, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return (b >>> 0).toString(16).padStart(8, '0') + (a >>> 0).toString(16).padStart(8, '0')
}
