import { BadAnswer } from '../sdk/index.ts'

/** What is read of an answer's body. */
interface Readable {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: AsyncIterable<Uint8Array> | null
}

/** Reads a whole body into memory. Throws BadAnswer above `limit` bytes, and what the stream throws when it is cut. */
export async function readBody(answer: Readable, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  if (answer.body === null) return new Uint8Array(0)
  const declared = Number(answer.headers.get('content-length') ?? 0)
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop by an exception cancels the stream, so an endless body costs no more than `limit`.
  for await (const chunk of answer.body) {
    size += chunk.byteLength
    if (size > limit || declared > limit) throw new BadAnswer(`The answer is larger than ${limit} bytes.`)
    chunks.push(chunk)
  }
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.byteLength
  }
  return whole
}

const space = new Set([0x20, 0x0a, 0x0d, 0x09])
const closing = new Map([
  [0x7b, 0x7d],
  [0x5b, 0x5d],
])
/** " - 0-9 t f n: what else a JSON text may begin with. */
const scalar = /^["\-0-9tfn]/

/**
 * A cheap look at the two ends of a body that claims to be JSON; parsing it is the caller's. Says what is wrong, or
 * undefined. Finds nearly every cut; what it misses fails in the parser.
 */
export function jsonDefect(bytes: Uint8Array): string | undefined {
  let first = 0
  let last = bytes.length - 1
  while (first <= last && space.has(bytes[first] ?? 0)) first += 1
  while (last >= first && space.has(bytes[last] ?? 0)) last -= 1
  if (first > last) return 'it is empty'
  const open = bytes[first] ?? 0
  const close = closing.get(open)
  if (close !== undefined) return last > first && bytes[last] === close ? undefined : 'it is cut off'
  return scalar.test(String.fromCharCode(open)) ? undefined : 'it is no JSON'
}

/** `application/json`, `application/problem+json`, `application/vnd.github.v3+json; charset=utf-8`. */
export function isJson(contentType: string | null): boolean {
  return /^[^;]*[/+]json\s*(;|$)/i.test(contentType ?? '')
}

export function isHtml(contentType: string | null): boolean {
  return /^\s*(text\/html|application\/xhtml)/i.test(contentType ?? '')
}
