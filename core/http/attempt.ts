import { type Dispatcher, fetch } from 'undici'
import { BadAnswer, CatchmentError, SourceUnavailable } from '../sdk/index.ts'
import { isHtml, isJson, jsonDefect, readBody } from './body.ts'
import type { HttpLimits } from './limits.ts'

/** A request that can be sent more than once. */
export interface Outgoing {
  readonly url: string
  readonly method: string
  readonly headers: readonly [string, string][]
  readonly body?: Uint8Array<ArrayBuffer>
  readonly redirect: 'error' | 'follow' | 'manual'
  readonly signal: AbortSignal
  readonly safe: boolean
}

export interface Answer {
  readonly status: number
  readonly statusText: string
  readonly headers: Headers
  readonly body: Uint8Array<ArrayBuffer>
  readonly url: string
}

/** One attempt that brought nothing usable. `again`: a safe request may be repeated. */
export class AttemptFailed extends Error {
  readonly again: boolean
  readonly reason: CatchmentError

  constructor(reason: CatchmentError, again: boolean) {
    super(reason.message)
    this.reason = reason
    this.again = again
  }
}

/** Sends once and reads the whole body. Throws AttemptFailed, or the caller's own abort reason. */
export async function attempt(out: Outgoing, limits: HttpLimits, dispatcher: Dispatcher): Promise<Answer> {
  const deadline = AbortSignal.timeout(limits.attemptMs)
  const signal = AbortSignal.any([out.signal, deadline])
  const failed = (error: unknown, reason: CatchmentError): Error => {
    if (out.signal.aborted) return abortReason(out.signal)
    if (deadline.aborted) {
      return new AttemptFailed(new SourceUnavailable(`No full answer within ${limits.attemptMs} ms.`), true)
    }
    if (error instanceof CatchmentError) return new AttemptFailed(error, false)
    return new AttemptFailed(reason, true)
  }
  let response: Awaited<ReturnType<typeof fetch>>
  try {
    response = await fetch(out.url, {
      method: out.method,
      headers: [...out.headers],
      redirect: out.redirect,
      signal,
      dispatcher,
      ...(out.body === undefined ? {} : { body: out.body }),
    })
  } catch (error) {
    throw failed(error, new SourceUnavailable(`The source cannot be reached (${networkCode(error)}).`))
  }
  let body: Uint8Array<ArrayBuffer>
  try {
    body = await readBody(response, limits.bodyBytes)
  } catch (error) {
    throw failed(error, new BadAnswer(`The answer was cut off (${networkCode(error)}).`))
  }
  const headers = new Headers([...response.headers])
  if (response.ok && out.safe) refuseDefects(out, headers, body)
  return { status: response.status, statusText: response.statusText, headers, body, url: response.url }
}

/** A success that is not what was asked for: a proxy's login page, a body that ends too early within a correct frame. */
function refuseDefects(out: Outgoing, headers: Headers, body: Uint8Array): void {
  if (out.method === 'HEAD') return
  const type = headers.get('content-type')
  const wantsJson = out.headers.some(([name, value]) => name.toLowerCase() === 'accept' && value.includes('json'))
  if (wantsJson && isHtml(type)) {
    throw new AttemptFailed(new BadAnswer('The source answered with an HTML page instead of JSON.'), false)
  }
  const defect = isJson(type) ? jsonDefect(body) : undefined
  if (defect !== undefined) throw new AttemptFailed(new BadAnswer(`The answer is not usable JSON: ${defect}.`), true)
}

/** What an aborted call throws, as fetch does: the reason, if it is an error. */
function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error ? reason : new DOMException('The call was aborted.', 'AbortError')
}

/** The code of a network error, never its message: messages may quote addresses with secrets in them. */
function networkCode(error: unknown): string {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if ('code' in at && typeof at.code === 'string') return at.code
  }
  return 'connection error'
}
