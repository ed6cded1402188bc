import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Json } from '../sdk/index.ts'
import type { TestSource } from './conformance.ts'

export interface FakeRequest {
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Whether `lose` was called for this partition. */
  isLost(partition: string): boolean
}

export interface FakeAnswer {
  /** Default 200. */
  readonly status?: number
  readonly body: Json
}

/** What the conformance suite asks of a source, except for its keys. */
export interface FakeApi extends Omit<TestSource, 'unknownKey' | 'deliveries'> {
  /** Without a slash at its end. */
  readonly url: string
}

/**
 * A JSON API in this process, over real HTTP, with ETags and the faults of the conformance suite. It is strict: `close` throws
 * if anything was asked that `answer` has no answer for.
 */
export async function startFakeApi(answer: (request: FakeRequest) => FakeAnswer | undefined): Promise<FakeApi> {
  const lost = new Set<string>()
  const unexpected: string[] = []
  let fault: { how: 'cut' | 'html' | 'exhausted'; seconds: number } | undefined
  let calls = 0

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    calls += 1
    if (fault?.how === 'exhausted') {
      response.writeHead(429, { 'retry-after': String(fault.seconds) }).end()
      return
    }
    if (fault?.how === 'html') {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!DOCTYPE html><title>Log in</title>')
      return
    }
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fake')
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, value?.toString()]),
    )
    const isLost = (partition: string): boolean => lost.has(partition)
    const asked = { path: decodeURIComponent(pathname), query: searchParams, headers, isLost }
    const given = request.method === 'GET' ? answer(asked) : undefined
    if (given === undefined) unexpected.push(`${request.method} ${request.url}`)
    send(response, given ?? { status: 501, body: null }, headers['if-none-match'], fault?.how === 'cut')
  }

  const server = createServer(serve)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server has an address of this form; only pipes have a string.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    calls: () => Promise.resolve(calls),
    fail: async (how, seconds = 60) => {
      fault = { how, seconds }
    },
    lose: async (partition) => {
      lost.add(partition)
    },
    heal: async () => {
      fault = undefined
      lost.clear()
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      if (unexpected.length > 0) throw new Error(`the fake was asked what it does not know: ${unexpected.join(', ')}`)
    },
  }
}

function send(response: ServerResponse, given: FakeAnswer, known: string | undefined, cut: boolean): void {
  const { status = 200, body } = given
  const text = JSON.stringify(body)
  const etag = `"${createHash('sha256').update(text).digest('hex').slice(0, 16)}"`
  if (status === 200 && known === etag && !cut) response.writeHead(304, { etag }).end()
  else {
    response.writeHead(status, { 'content-type': 'application/json', ...(status === 200 ? { etag } : {}) })
    response.end(cut ? text.slice(0, -2) : text)
  }
}
