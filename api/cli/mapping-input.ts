/**
 * Splits a stream of JSON texts, as jq reads them: one after the other, with or without blanks between. `rest` is what is
 * left when a text does not end.
 */
export function jsonTexts(stream: string): { readonly texts: readonly string[]; readonly rest: string } {
  const texts: string[] = []
  let at = 0
  for (;;) {
    while (/\s/.test(stream[at] ?? '')) at += 1
    if (at >= stream.length) return { texts, rest: '' }
    const end = endOf(stream, at)
    if (end < 0) return { texts, rest: stream.slice(at) }
    texts.push(stream.slice(at, end))
    at = end
  }
}

/** Behind the JSON text that starts at `start`; -1 when it is not closed. What is inside is for the parser to judge. */
function endOf(stream: string, start: number): number {
  const first = stream[start] ?? ''
  if (first === '"') return endOfString(stream, start)
  if (first !== '{' && first !== '[') {
    let end = start + 1
    while (end < stream.length && !/[\s{}[\]",:]/.test(stream[end] ?? '')) end += 1
    return end
  }
  let depth = 0
  for (let at = start; at < stream.length; ) {
    const char = stream[at]
    if (char === '"') {
      at = endOfString(stream, at)
      if (at < 0) return -1
      continue
    }
    if (char === '{' || char === '[') depth += 1
    if (char === '}' || char === ']') depth -= 1
    at += 1
    if (depth === 0) return at
  }
  return -1
}

function endOfString(stream: string, start: number): number {
  for (let at = start + 1; at < stream.length; at++) {
    if (stream[at] === '\\') at += 1
    else if (stream[at] === '"') return at + 1
  }
  return -1
}
