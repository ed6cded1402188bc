/**
 * How a record's canonical JSON text is kept: one byte that names the encoding, then the bytes. As bytes it keeps what
 * jsonb would lose: NUL, halves of surrogate pairs (as JSON escapes), `1.0`, the order of members.
 */
const raw = 0

export function encodeBody(text: string): Buffer {
  const buffer = Buffer.allocUnsafe(1 + Buffer.byteLength(text))
  buffer[0] = raw
  buffer.write(text, 1)
  return buffer
}

export function decodeBody(stored: Buffer): string {
  if (stored[0] !== raw) throw new Error(`a record's body has the unknown encoding ${stored[0]}`)
  return stored.toString('utf8', 1)
}
