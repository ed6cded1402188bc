import {
  BUDGET_HEADER,
  type CatchmentError,
  PRIORITY_HEADER,
  type Priority,
  RateLimited,
  READS_HEADER,
  SourceUnavailable,
} from '../sdk/index.ts'
import { type Answer, AttemptFailed, attempt, type Outgoing } from './attempt.ts'
import { type Budget, type BudgetState, Budgets } from './budget.ts'
import { createDispatcher } from './dispatcher.ts'
import { defaultLimits, type HttpLimits } from './limits.ts'
import { readRateHeaders } from './rate-headers.ts'

export interface HttpOptions {
  /** Key of the rate budget: a name or a digest, never the secret itself. */
  readonly credential: string
  /** Sources that share a credential hand in the same one. Default: a budget of one's own. */
  readonly budgets?: Budgets
  readonly clock: {
    now(): number
    /** Resolves early, without an error, when the signal aborts. */
    sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
  }
  /** 0 <= n < 1, for jitter. */
  random(): number
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>): void
  /** HTTPS_PROXY and NO_PROXY. */
  readonly proxy?: string
  readonly noProxy?: string
  /** PEM of an own certificate authority. */
  readonly ca?: string
  /** Share of the rate limit that scans leave to the credential's other users, 0 to 1. */
  readonly reserveShare?: number
  readonly limits?: Partial<HttpLimits>
}

/** Calls of listings since the process started; `quota`: those that the source counts against a rate limit it states. */
export interface Usage {
  readonly calls: number
  readonly quota: number
}

export interface Http {
  /**
   * As the global fetch, except that it answers with a whole body and throws RateLimited, SourceUnavailable (5xx and network
   * errors that outlived their retries) or BadAnswer. Other statuses are the caller's.
   */
  readonly fetch: typeof globalThis.fetch
  /** The same with another priority for calls that carry no PRIORITY_HEADER. */
  as(priority: Priority): typeof globalThis.fetch
  budget(): BudgetState
  /** What listings have called so far. */
  usage(): Usage
  /** No call before this time: what an earlier process had been told. */
  blockUntil(time: number): void
  close(): Promise<void>
}

const priorities: ReadonlySet<string> = new Set(['live', 'action', 'confirm', 'scan'] satisfies Priority[])
const isPriority = (text: string | null): text is Priority => text !== null && priorities.has(text)

export function createHttp(options: HttpOptions): Http {
  const { clock } = options
  const limits = { ...defaultLimits, ...options.limits }
  const budgets = options.budgets ?? new Budgets()
  const budget = budgets.of(options.credential)
  const reserveShare = options.reserveShare ?? 0.4
  const usage = { calls: 0, quota: 0 }
  const dispatcher = createDispatcher({
    connections: limits.connections,
    connectMs: Math.min(limits.attemptMs, 10_000),
    ...(options.proxy === undefined ? {} : { proxy: options.proxy }),
    ...(options.noProxy === undefined ? {} : { noProxy: options.noProxy }),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  })

  async function once(out: Outgoing, priority: Priority, budget: Budget): Promise<Answer> {
    budget.enter(priority, reserveShare, clock.now())
    let answer: Answer
    try {
      answer = await attempt(out, limits, dispatcher)
    } finally {
      budget.leave()
    }
    const now = clock.now()
    const note = readRateHeaders(answer.headers, now)
    if (priority === 'scan') {
      usage.calls += 1
      // "Not modified" is free where a limit is stated at all.
      if (note.remaining !== undefined && answer.status !== 304) usage.quota += 1
    }
    if (tellsToWait(answer)) {
      const retryAt = budget.refuse(note, now)
      options.log('warn', 'the source asked to wait', { ...where(out), status: answer.status, retryAt })
      throw new RateLimited(`The source answered ${answer.status}: its rate limit is used up.`, retryAt)
    }
    // An unknown token is counted by address, with an allowance that says nothing about the credential's.
    if (answer.status !== 401) budget.observe(note, now)
    if (answer.status >= 500) {
      throw new AttemptFailed(new SourceUnavailable(`The source answered ${answer.status}.`), true)
    }
    return answer
  }

  async function call(out: Outgoing, priority: Priority, budget: Budget): Promise<Response> {
    const started = clock.now()
    for (let tries = 1; ; tries += 1) {
      try {
        return toResponse(await once(out, priority, budget))
      } catch (error) {
        if (!(error instanceof AttemptFailed)) throw error
        const wait = limits.backoffMs * 2 ** (tries - 1) * (0.5 + options.random())
        const late = clock.now() + wait - started > limits.overallMs
        if (!out.safe || !error.again || tries >= limits.attempts || late) throw lastWord(error, out, tries)
        options.log('debug', 'request failed, trying again', { ...where(out), reason: error.message, tries })
        await clock.sleep(wait, out.signal)
      }
    }
  }

  const as = (fallback: Priority): typeof globalThis.fetch => {
    return async (input, init) => {
      const request = new Request(input, init)
      const asked = request.headers.get(PRIORITY_HEADER)
      const allowance = request.headers.get(BUDGET_HEADER)
      const reads = request.headers.has(READS_HEADER)
      for (const name of [PRIORITY_HEADER, BUDGET_HEADER, READS_HEADER]) request.headers.delete(name)
      const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer())
      const out: Outgoing = {
        url: request.url,
        method: request.method,
        headers: [...request.headers],
        redirect: request.redirect,
        signal: request.signal,
        safe: reads || request.method === 'GET' || request.method === 'HEAD',
        ...(body === undefined ? {} : { body }),
      }
      const own = allowance === null ? budget : budgets.of(`${options.credential} ${allowance}`)
      return call(out, isPriority(asked) ? asked : fallback, own)
    }
  }

  return {
    fetch: as('live'),
    as,
    budget: () => budget.state(clock.now()),
    usage: () => ({ ...usage }),
    blockUntil: (time) => budget.block(time),
    close: () => dispatcher.destroy(),
  }
}

function lastWord(failure: AttemptFailed, out: Outgoing, tries: number): CatchmentError {
  const { reason } = failure
  if (!(reason instanceof SourceUnavailable)) return reason
  if (out.safe) return new SourceUnavailable(`${reason.message} Tried ${tries} times.`)
  return new SourceUnavailable(`${reason.message} It is not known whether the ${out.method} had its effect.`)
}

/** 429; 403 with rate headers or words that say so (a 403 is a missing permission as well); 503 with a time. */
function tellsToWait(answer: Answer): boolean {
  if (answer.status === 429) return true
  if (answer.status === 503) return answer.headers.has('retry-after')
  if (answer.status !== 403) return false
  if (answer.headers.has('retry-after') || answer.headers.get('x-ratelimit-remaining') === '0') return true
  return /rate limit|abuse detection/i.test(Buffer.from(answer.body.subarray(0, 2048)).toString('utf8'))
}

/** Origin and path only: some vendors take keys in the query, and headers carry the token. */
function where(out: Outgoing): { method: string; url: string } {
  const url = new URL(out.url)
  return { method: out.method, url: `${url.origin}${url.pathname}` }
}

function toResponse(answer: Answer): Response {
  const bodiless = answer.status === 204 || answer.status === 205 || answer.status === 304
  const response = new Response(bodiless ? null : answer.body, {
    status: answer.status,
    statusText: answer.statusText,
    headers: answer.headers,
  })
  // The constructor cannot set it, and a client that follows a rename wants to know where it ended.
  Object.defineProperty(response, 'url', { value: answer.url })
  return response
}
