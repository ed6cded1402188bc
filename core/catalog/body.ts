/**
 * How a record's canonical JSON text is kept: one byte that names the encoding, then the bytes. As bytes it keeps what
 * jsonb would lose: NUL, halves of surrogate pairs (as JSON escapes), `1.0`, the order of members.
 */
const raw = 0
/** Only the hash is kept; nothing follows. */
const none = 1

export function encodeBody(text: string | undefined): Buffer {
  if (text === undefined) return Buffer.from([none])
  const buffer = Buffer.allocUnsafe(1 + Buffer.byteLength(text))
  buffer[0] = raw
  buffer.write(text, 1)
  return buffer
}

/** Undefined: it is not kept. */
export function decodeBody(stored: Buffer): string | undefined {
  if (stored[0] === none) return undefined
  if (stored[0] !== raw) throw new Error(`a record's body has the unknown encoding ${stored[0]}`)
  return stored.toString('utf8', 1)
}

/** In SQL: whether a body is kept. Its length alone tells, without reading it. */
export const bodyKept = 'octet_length(r.body) > 1'
