import { Octokit } from '@octokit/rest'
import {
  BadAnswer,
  BUDGET_HEADER,
  CatchmentError,
  type Json,
  PRIORITY_HEADER,
  type Priority,
  READS_HEADER,
  type Tools,
} from '../../core/sdk/index.ts'
import { type Installation, Owners } from './app.ts'
import { createCredential } from './credential.ts'
import type { GithubConfig } from './schema.ts'

/** Of the address, of the query, and what is left is the body of a request that writes. */
export type Params = Readonly<Record<string, Json>>

export interface AskOptions {
  readonly signal: AbortSignal
  readonly priority?: Priority
  /** Sent as If-None-Match. */
  readonly etag?: string | undefined
  /** The bytes come along, and are parsed when `data` is asked for: it throws BadAnswer then. */
  readonly unparsed?: boolean
}

/** Statuses that mean "wait" or "broken" never get here: `tools.fetch` throws for them. */
export type Answer =
  | {
      readonly state: 'ok'
      readonly data: Json
      /** With `unparsed`. */
      readonly bytes?: Uint8Array
      readonly header: (name: string) => string | undefined
    }
  | { readonly state: 'notModified'; readonly header: (name: string) => string | undefined }
  | {
      readonly state: 'refused'
      readonly status: number
      /** GitHub's own words. */
      readonly message: string
      readonly header: (name: string) => string | undefined
    }

export interface Client {
  ask(route: string, params: Params, options: AskOptions): Promise<Answer>
  /**
   * The same, with the last answer kept in memory and asked for conditionally: an unchanged one costs nothing of the rate
   * limit. For the few addresses that are asked before every scan.
   */
  recall(route: string, params: Params, signal: AbortSignal): Promise<Exclude<Answer, { state: 'notModified' }>>
  /** A GraphQL query about what this owner has. It only reads, and has a rate limit of its own. */
  query(owner: string, query: string, variables: Params, options: Omit<AskOptions, 'etag'>): Promise<Answer>
  /** Of an App: where it is installed. Absent: the credential is a token. */
  readonly installations?: (signal: AbortSignal) => Promise<readonly Installation[]>
}

/** Who owns what is asked about, as far as it can be told. */
function ownerIn(route: string, params: Params, owners: Owners): string | undefined {
  const named = params['org'] ?? params['owner']
  if (typeof named === 'string') return named
  return / \/repositories\/\{id\}/.test(route) ? owners.of(params['id']) : undefined
}

function notInstalled(owner: string): Answer {
  return { state: 'refused', status: 404, message: `the App is not installed in ${owner}`, header: () => undefined }
}

export function createClient(
  config: Pick<GithubConfig, 'token' | 'app' | 'organizations' | 'baseUrl'>,
  tools: Tools,
): Client {
  // Deprecations come as warnings; everything else is a line per request, and an error for every 304.
  const warn = (message: string): void => tools.log('debug', 'octokit warns', { message })
  const nothing = (): void => undefined
  const log = { debug: nothing, info: nothing, warn, error: nothing }
  const octokit = new Octokit({
    baseUrl: config.baseUrl.replace(/\/+$/, ''),
    userAgent: 'catchment',
    log,
  })
  const memory = new Map<string, { etag: string; answer: Extract<Answer, { state: 'ok' }> }>()

  const credential = createCredential(config, raw, () => tools.now())
  const owners = new Owners()

  async function ask(route: string, params: Params, options: AskOptions): Promise<Answer> {
    const own = /^[A-Z]+ \/app(\/|$)/.test(route) ? credential.own?.() : undefined
    if (own !== undefined) return raw(route, params, own, options)
    const owner = ownerIn(route, params, owners)
    const first = owner === undefined ? undefined : await credential.of(owner, options.signal)
    if (owner !== undefined && first === undefined) return notInstalled(owner)
    const tokens = first === undefined ? await credential.all(options.signal) : [first]
    let answer: Answer | undefined
    for (const token of tokens) {
      answer = await raw(route, params, token, options)
      if (answer.state === 'refused' && answer.status === 401) credential.forget(token)
      // Another installation may see what this one does not.
      if (answer.state !== 'refused' || ![403, 404].includes(answer.status)) break
    }
    return answer ?? notInstalled(config.organizations.join(', '))
  }

  async function raw(route: string, params: Params, token: string, options: AskOptions, kind = ''): Promise<Answer> {
    const allowance = `${credential.allowance?.(token) ?? ''} ${kind}`.trim()
    try {
      const response = await octokit.request(route, {
        ...params,
        headers: {
          authorization: `Bearer ${token}`,
          'x-github-api-version': '2022-11-28',
          [PRIORITY_HEADER]: options.priority ?? 'live',
          ...(options.etag === undefined ? {} : { 'if-none-match': options.etag }),
          ...(allowance === '' ? {} : { [BUDGET_HEADER]: allowance }),
          ...(kind === '' ? {} : { [READS_HEADER]: 'yes' }),
        },
        // Octokit takes a body that is cut off for text, and makes BigInts of long numbers; we parse ourselves.
        request: { fetch: tools.fetch, log, signal: options.signal, parseSuccessResponseBody: false },
      })
      const bytes = await bytesOf(response.data)
      const header = headerOf(response.headers)
      const parsed = (): Json => {
        const data = parse(bytes, route)
        if (credential.own !== undefined) owners.learn(data)
        return data
      }
      if (options.unparsed !== true) return { state: 'ok', data: parsed(), header }
      return {
        state: 'ok',
        bytes,
        get data() {
          return parsed()
        },
        header,
      }
    } catch (error) {
      return refusal(error)
    }
  }

  return {
    ask,
    async query(owner, query, variables, options) {
      const token = await credential.of(owner, options.signal)
      if (token === undefined) return notInstalled(owner)
      const answer = await raw(`POST ${graphqlOf(config.baseUrl)}`, { query, variables }, token, options, 'graphql')
      if (answer.state === 'refused' && answer.status === 401) credential.forget(token)
      return answer
    },
    ...(credential.installations === undefined ? {} : { installations: credential.installations }),
    async recall(route, params, signal) {
      const name = JSON.stringify([route, params])
      const known = memory.get(name)
      const answer = await ask(route, params, { signal, etag: known?.etag })
      if (answer.state === 'ok') {
        const etag = answer.header('etag')
        if (etag === undefined) memory.delete(name)
        else memory.set(name, { etag, answer })
        return answer
      }
      if (answer.state === 'refused') return answer
      if (known === undefined) throw new BadAnswer(`${route}: 304 to a question without If-None-Match`)
      return known.answer
    },
  }
}

/** Of GitHub Enterprise the address of GraphQL lies beside that of version 3. */
const graphqlOf = (baseUrl: string): string => `${baseUrl.replace(/\/+$/, '').replace(/\/v3$/, '')}/graphql`

async function bytesOf(body: unknown): Promise<Uint8Array> {
  return body instanceof ReadableStream ? new Uint8Array(await new Response(body).arrayBuffer()) : new Uint8Array()
}

function parse(bytes: Uint8Array, route: string): Json {
  const text = new TextDecoder().decode(bytes)
  // 204 says yes without a word.
  if (text === '') return null
  try {
    // JSON.parse gives nothing but JSON.
    return JSON.parse(text) as Json
  } catch {
    throw new BadAnswer(`${route}: the answer is not valid JSON`)
  }
}

type Headers = Readonly<Record<string, string | number | undefined>>

function headerOf(headers: Headers): (name: string) => string | undefined {
  return (name) => {
    const value = headers[name]
    return value === undefined ? undefined : String(value)
  }
}

interface RequestErrorLike extends Error {
  readonly status: number
  readonly response?: { readonly headers: Headers; readonly data: unknown }
}

// Octokit's RequestError, by what we use of it: its class lives in a package that is not ours to import.
const isRequestError = (error: unknown): error is RequestErrorLike =>
  error instanceof Error && 'status' in error && typeof error.status === 'number'

/** Octokit makes an exception of every status but 2xx, and wraps what fetch threw. */
function refusal(error: unknown): Answer {
  if (!isRequestError(error)) throw error
  if (error.cause instanceof CatchmentError || (error.response === undefined && error.cause instanceof Error)) {
    throw error.cause
  }
  if (error.response === undefined) throw error
  const header = headerOf(error.response.headers)
  if (error.status === 304) return { state: 'notModified', header }
  // Never `error` itself: it holds the request with its headers.
  return { state: 'refused', status: error.status, message: wordsOf(error.response.data), header }
}

function wordsOf(data: unknown): string {
  const words = typeof data === 'object' && data !== null && 'message' in data ? data.message : undefined
  return typeof words === 'string' ? words.slice(0, 200) : 'no reason given'
}
