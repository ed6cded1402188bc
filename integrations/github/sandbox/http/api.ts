// One request to the API, from its first byte to its last, in the order GitHub checks things.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { GithubApp, Token } from '../state/model.ts'
import type { Address } from './address.ts'
import { etagOf, unchanged } from './etag.ts'
import type { Asked, Fault } from './faults.ts'
import { rateHeaders, secondaryRefusal } from './limits.ts'
import { badRequest, forbidden, needsLogin, notFound, Refusal, tokenLacks } from './refusal.ts'
import { type AnyAnswer, type App, findRoute, parseBody, type Route } from './route.ts'
import { appOf, tokenOf, Viewer } from './viewer.ts'

const versions = ['2022-11-28', '2026-03-10']

/** What is known of a request while it is answered. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly text: string
  readonly asked: Asked
  readonly address: Address | undefined
  readonly query: URLSearchParams
  /** Origin and prefix that were asked: the root, or /api/v3. */
  readonly base: string
  token: Token | undefined
  app?: GithubApp | undefined
  listing: boolean
}

const html =
  '<!DOCTYPE html><html><head><title>Unicorn!</title></head><body><p>This page is taking too long to load.</p></body></html>'

function lostPermission(app: App, asked: Asked, address: Address | undefined): Fault | undefined {
  const lost = address?.owner === undefined ? undefined : app.faults.lost(address.owner, asked)
  if (lost?.as === 'not-found') throw notFound()
  if (lost?.as === 'forbidden') throw tokenLacks('metadata=read')
  if (lost?.as === 'saml') {
    throw forbidden(
      'Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization.',
      { 'X-GitHub-SSO': `required; url=${app.sites.web}/orgs/${address?.owner}/sso` },
    )
  }
  return lost
}

function answer(
  app: App,
  routes: readonly Route[],
  exchange: Exchange,
  rate: string,
): { answer: AnyAnswer; lost?: Fault } {
  const { asked, query, base, token, address } = exchange
  const lost = lostPermission(app, asked, address)
  const found = address && findRoute(routes, asked.method === 'HEAD' ? 'GET' : asked.method, address.parts)
  if (!found) throw notFound()
  const viewer = new Viewer(app.world, token, lost, exchange.app)
  if (asked.method !== 'GET' && asked.method !== 'HEAD' && !viewer.user && !exchange.app) throw needsLogin()
  const body = parseBody(exchange.text)
  const call = { app, viewer, params: found.params, query, body, asked, base, stablePath: address.stable, rate }
  return { answer: found.route.handle(call), ...(lost ? { lost } : {}) }
}

const without = (value: unknown, fields: readonly string[]): unknown =>
  Array.isArray(value)
    ? value.map((item) => without(item, fields))
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).filter(([name]) => !fields.includes(name)))
      : value

const resourceOf = (rate: string): string => (rate.startsWith('graphql ') ? 'graphql' : 'core')
const ratesOf = (app: App, rate: string): Record<string, string> => rateHeaders(app.limits.rate(rate), resourceOf(rate))

function exhausted(app: App, exchange: Exchange, rate: string): Refusal | undefined {
  const fault = app.faults.take('rate-limit-exhausted', exchange.asked)
  if (fault?.secondary) return secondaryRefusal(Math.max(1, Math.ceil((fault.until - app.limits.now()) / 1000)))
  const now = app.limits.rate(rate)
  if (!fault && now.remaining > 0) return undefined
  const who = exchange.token ? `user ID ${exchange.token.userId}` : exchange.request.socket.remoteAddress
  const reset = fault ? Math.ceil(fault.until / 1000) : now.reset
  const headers = rateHeaders({ ...now, used: now.limit, remaining: 0, reset }, resourceOf(rate))
  return forbidden(`API rate limit exceeded for ${who}.`, headers)
}

function commonHeaders(token: Token | undefined): Record<string, string> {
  return {
    Server: 'github.com',
    'Cache-Control': `${token ? 'private' : 'public'}, max-age=60, s-maxage=60`,
    Vary: 'Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With',
    'X-GitHub-Media-Type': 'github.v3; format=json',
    'X-GitHub-Api-Version-Selected': '2022-11-28',
    'X-GitHub-Request-Id': randomUUID().slice(0, 23).toUpperCase(),
    'X-Content-Type-Options': 'nosniff',
    ...(token?.kind === 'classic' ? { 'X-OAuth-Scopes': token.scopes.join(', ') } : {}),
    ...(token?.expiresAt
      ? { 'GitHub-Authentication-Token-Expiration': token.expiresAt.replace('T', ' ').replace('Z', ' UTC') }
      : {}),
  }
}

interface Outgoing {
  status: number
  headers: Record<string, string>
  body: string
}

const json = { 'Content-Type': 'application/json; charset=utf-8' }

function refused(app: App, exchange: Exchange, rate: string, refusal: Refusal): Outgoing {
  if (!('X-RateLimit-Reset' in refusal.headers)) app.limits.count(rate)
  const rates = ratesOf(app, rate)
  const headers = { ...commonHeaders(exchange.token), ...json, ...rates, ...refusal.headers }
  return { status: refusal.status, headers, body: JSON.stringify(refusal.body) }
}

/** Everything but sending: the status, headers and bytes of the answer. */
function compose(app: App, routes: readonly Route[], exchange: Exchange, rate: string): Outgoing {
  const { request, asked, token } = exchange
  const version = request.headers['x-github-api-version']
  if (typeof version === 'string' && !versions.includes(version))
    throw badRequest(`Unsupported API version: ${version}`)
  const refusal = exhausted(app, exchange, rate)
  if (refusal) throw refusal
  // A query changes nothing: it is one point.
  app.limits.spend(rate, asked.path === '/graphql' ? 'GET' : asked.method)
  const result = answer(app, routes, exchange, rate)
  const { status, lastModified } = result.answer
  const shown = result.lost?.as === 'fields' ? without(result.answer.body, result.lost.fields) : result.answer.body
  const body = status === 204 ? '' : JSON.stringify(shown)
  exchange.listing = Array.isArray(shown)
  const headers = { ...commonHeaders(token), ...result.answer.headers, ...(body === '' ? {} : json) }
  if (asked.method === 'GET' || asked.method === 'HEAD') {
    const etag = etagOf(body, token?.id)
    Object.assign(headers, { ETag: etag })
    if (lastModified !== undefined) Object.assign(headers, { 'Last-Modified': new Date(lastModified).toUTCString() })
    if (unchanged(request.headers, etag, lastModified)) {
      // Free, but only for who is signed in.
      if (!token) app.limits.count(rate)
      return { status: 304, headers: { ...headers, ...ratesOf(app, rate) }, body: '' }
    }
  }
  if (asked.path !== '/rate_limit') app.limits.count(rate)
  return { status, headers: { ...headers, ...ratesOf(app, rate) }, body }
}

function send(exchange: Exchange, out: Outgoing, truncate: Fault | undefined): void {
  const { response } = exchange
  const bytes = Buffer.from(out.body)
  const bare = out.status === 204 || out.status === 304
  if (!truncate) {
    response.writeHead(out.status, { ...out.headers, ...(bare ? {} : { 'Content-Length': bytes.length }) })
    response.end(exchange.asked.method === 'HEAD' ? undefined : bytes)
    return
  }
  const cut = bytes.subarray(0, truncate.bytes ?? Math.floor(bytes.length / 2))
  response.writeHead(out.status, { ...out.headers, 'Content-Length': truncate.honest ? cut.length : bytes.length })
  if (truncate.honest) response.end(cut)
  else response.write(cut, () => response.destroy())
}

/** What happens before anybody is asked who they are: faults that break the answer as a whole. */
function brokenEarly(app: App, { request, asked }: Exchange): Outgoing | undefined {
  const plain = (status: number, type: string, body: string): Outgoing => ({
    status,
    headers: { ...commonHeaders(undefined), 'Content-Type': type },
    body,
  })
  if (!request.headers['user-agent']) {
    const advice =
      'Please make sure your request has a User-Agent header (https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required).'
    return plain(403, 'text/html', `Request forbidden by administrative rules. ${advice}\n`)
  }
  const broken = app.faults.take('error', asked)
  if (broken) return plain(broken.status, json['Content-Type'], JSON.stringify({ message: 'Server Error' }))
  return app.faults.take('html', asked) ? plain(200, 'text/html; charset=utf-8', html) : undefined
}

/** Answers one request and says with which status. */
export async function serveApi(app: App, routes: readonly Route[], exchange: Exchange): Promise<number> {
  const { request, asked } = exchange
  let rate = `address:${request.socket.remoteAddress ?? ''}`
  let wrong: Refusal | undefined
  try {
    exchange.app = appOf(app.world, request.headers.authorization)
    if (!exchange.app) exchange.token = tokenOf(app.world, request.headers.authorization)
    if (exchange.app) rate = `app:${exchange.app.id}`
    const { token } = exchange
    if (token) rate = token.installation === undefined ? `user:${token.userId}` : `installation:${token.installation}`
    if (asked.path === '/graphql') rate = `graphql ${rate}`
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    wrong = error
  }
  if (!app.limits.begin(rate)) wrong ??= secondaryRefusal(60)
  try {
    const slow = app.faults.take('delay', asked)
    if (slow) await sleep(slow.ms)
    const out = brokenEarly(app, exchange) ?? outcome(app, routes, exchange, rate, wrong)
    send(exchange, out, app.faults.take('truncate', asked))
    return out.status
  } finally {
    app.limits.end(rate)
  }
}

function outcome(
  app: App,
  routes: readonly Route[],
  exchange: Exchange,
  rate: string,
  wrong: Refusal | undefined,
): Outgoing {
  try {
    if (wrong) throw wrong
    return compose(app, routes, exchange, rate)
  } catch (error) {
    if (error instanceof Refusal) return refused(app, exchange, rate, error)
    throw error
  }
}
