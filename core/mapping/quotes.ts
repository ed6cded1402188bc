/** An expression with its single-quoted strings rewritten, and where its characters came from. */
export interface Rewritten {
  readonly text: string
  /** Offset in the written expression of an offset in `text`. */
  readonly original: (offset: number) => number
}

/**
 * jq knows only double quotes, but mapping files in public use write `.type == 'Bug'`, too. Every single-quoted string
 * outside double-quoted ones becomes a double-quoted one. A quote inside of a word (`it's`) does not end the string; an
 * interpolation `\( )` inside keeps its own quotes. One that never ends is left for the parser to complain about.
 */
export function rewriteSingleQuotes(written: string): Rewritten {
  if (!written.includes("'")) return { text: written, original: (offset) => offset }
  const writer = new Writer(written)
  let at = 0
  while (at < written.length) {
    const char = written[at]
    if (char === '"') at = writer.copy(at, endOfString(written, at))
    else if (char === '#') at = writer.copy(at, lineEnd(written, at))
    else if (char === "'") at = rewriteString(writer, written, at)
    else at = writer.copy(at, at + 1)
  }
  return writer.done()
}

/** Builds the new text and remembers, per character, where it came from. */
class Writer {
  readonly #written: string
  readonly #origins: number[] = []
  #text = ''

  constructor(written: string) {
    this.#written = written
  }

  copy(from: number, to: number): number {
    for (let at = from; at < to; at++) this.put(this.#written[at] ?? '', at)
    return to
  }

  put(text: string, origin: number): void {
    this.#text += text
    for (let n = 0; n < text.length; n++) this.#origins.push(origin)
  }

  done(): Rewritten {
    const origins = this.#origins
    const end = this.#written.length
    return { text: this.#text, original: (offset) => origins[offset] ?? end }
  }
}

function rewriteString(writer: Writer, written: string, start: number): number {
  const end = closingQuote(written, start)
  if (end < 0) return writer.copy(start, start + 1)
  writer.put('"', start)
  let at = start + 1
  while (at < end) {
    const char = written[at]
    const next = written[at + 1]
    if (char === '\\' && next === '(') at = writer.copy(at, endOfInterpolation(written, at))
    else if (char === '\\' && next === "'") {
      writer.put("'", at)
      at += 2
    } else if (char === '\\') at = writer.copy(at, Math.min(at + 2, end))
    else if (char === '"') {
      writer.put('\\"', at)
      at += 1
    } else at = writer.copy(at, at + 1)
  }
  writer.put('"', end)
  return end + 1
}

/** The single quote that ends the string: the first one that no word character follows. */
function closingQuote(written: string, start: number): number {
  for (let at = start + 1; at < written.length; ) {
    const char = written[at]
    if (char === '\\') at = written[at + 1] === '(' ? endOfInterpolation(written, at) : at + 2
    else if (char === "'" && !/\w/.test(written[at + 1] ?? '')) return at
    else at += 1
  }
  return -1
}

/** Behind the double quote that ends the string starting at `start`, or the end of the text. */
function endOfString(written: string, start: number): number {
  for (let at = start + 1; at < written.length; ) {
    if (written[at] === '"') return at + 1
    if (written[at] === '\\') at = written[at + 1] === '(' ? endOfInterpolation(written, at) : at + 2
    else at += 1
  }
  return written.length
}

/** Behind the parenthesis that ends the interpolation whose backslash is at `start`. */
function endOfInterpolation(written: string, start: number): number {
  let depth = 0
  for (let at = start + 1; at < written.length; ) {
    const char = written[at]
    if (char === '"') at = endOfString(written, at)
    else {
      if (char === '(') depth += 1
      if (char === ')') depth -= 1
      at += 1
      if (depth === 0) return at
    }
  }
  return written.length
}

function lineEnd(written: string, start: number): number {
  const end = written.indexOf('\n', start)
  return end < 0 ? written.length : end
}
