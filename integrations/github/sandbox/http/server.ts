import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { addressOf } from './address.ts'
import { type Exchange, serveApi } from './api.ts'
import { pageOf } from './paging.ts'
import type { RequestLog } from './requestLog.ts'
import type { App, Route } from './route.ts'

/** A request to the switchboard; the answer is JSON. */
export type Switchboard = (
  method: string,
  path: string,
  query: URLSearchParams,
  text: string,
  key: string,
) => Promise<{
  status: number
  body: unknown
}>

const bodyAtMost = 1024 * 1024

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > bodyAtMost) throw new Error('body too large')
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString()
}

const bearer = (header: string | undefined): string => /^bearer\s+(\S+)$/i.exec(header ?? '')?.[1] ?? ''

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' })
  response.end(`${JSON.stringify(body)}\n`)
}

export interface ServerParts {
  readonly app: App
  readonly routes: readonly Route[]
  readonly log: RequestLog
  readonly switchboard: Switchboard
  /** A page for a person who follows an html_url; undefined if there is none. */
  readonly page: (path: string) => string | undefined
}

async function serve(parts: ServerParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const at = Date.now()
  const started = performance.now()
  const url = new URL(request.url ?? '/', 'http://sandbox')
  const method = request.method ?? 'GET'
  const text = await readText(request)
  if (url.pathname.startsWith('/_sandbox/')) {
    const key = bearer(request.headers.authorization)
    const { status, body } = await parts.switchboard(
      method,
      url.pathname.slice('/_sandbox'.length),
      url.searchParams,
      text,
      key,
    )
    sendJson(response, status, body)
    return
  }
  if (method === 'GET' && (request.headers.accept ?? '').includes('text/html')) {
    const page = parts.page(url.pathname)
    if (page !== undefined) {
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' })
      response.end(page)
      return
    }
  }
  // Of GitHub Enterprise GraphQL lies beside version 3.
  const prefix = /^\/api(\/v3(?=\/|$)|(?=\/graphql$))/.exec(url.pathname)?.[0] ?? ''
  const path = url.pathname.slice(prefix.length) || '/'
  const page = pageOf(url.searchParams)
  const base = `http://${request.headers.host ?? new URL(parts.app.sites.web).host}${prefix}`
  const address = addressOf(parts.app.world, path)
  // One thing has one path in faults and log, by name, whether it was asked for by name or by id.
  const asked = { method, path: address?.name ?? path, page }
  const exchange: Exchange = {
    request,
    response,
    text,
    asked,
    address,
    query: url.searchParams,
    base,
    token: undefined,
    listing: false,
  }
  const status = await serveApi(parts.app, parts.routes, exchange)
  parts.log.add({
    at,
    method,
    path: asked.path,
    query: url.search.slice(1),
    page,
    status,
    token: exchange.token?.name ?? null,
    conditional: 'if-none-match' in request.headers || 'if-modified-since' in request.headers,
    listing: exchange.listing,
    ms: Math.round(performance.now() - started),
  })
}

export function makeServer(parts: ServerParts): Server {
  return createServer((request, response) => {
    serve(parts, request, response).catch((error: unknown) => {
      console.error('sandbox: request failed', error)
      if (response.headersSent) response.destroy()
      else sendJson(response, 500, { message: 'Server Error' })
    })
  })
}
