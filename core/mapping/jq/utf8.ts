const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Bytes as text. Where they are no UTF-8, jq puts one replacement character for a character that is cut short, wrongly
 * encoded or none, while the decoders of JavaScript may put several.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes)
  } catch {
    let text = ''
    for (let at = 0; at < bytes.length; ) {
      const { code, width } = next(bytes, at)
      text += String.fromCodePoint(code)
      at += width
    }
    return text
  }
}

const replacement = 0xfffd

function next(bytes: Uint8Array, at: number): { code: number; width: number } {
  const first = bytes[at] ?? 0
  if (first < 0x80) return { code: first, width: 1 }
  const width = first < 0xc2 || first > 0xf4 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  if (width === 1) return { code: replacement, width }
  if (at + width > bytes.length) return { code: replacement, width: bytes.length - at }
  let code = first & (0x7f >> width)
  for (let more = 1; more < width; more++) {
    const byte = bytes[at + more] ?? 0
    if ((byte & 0xc0) !== 0x80) return { code: replacement, width: more }
    code = (code << 6) | (byte & 0x3f)
  }
  const least = [0x80, 0x800, 0x10000][width - 2] ?? 0
  const valid = code >= least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
  return { code: valid ? code : replacement, width }
}
