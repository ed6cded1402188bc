import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import {
  BadAnswer,
  BUDGET_HEADER,
  PRIORITY_HEADER,
  RateLimited,
  READS_HEADER,
  SourceUnavailable,
} from '../sdk/index.ts'
import { closedPort, connectProxy, type Handler, type Local, serve, testHttp } from './server.fixture.ts'
import { authority } from './tls.fixture.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((it) => it.close()))
})
const track = <T extends { close(): Promise<void> }>(it: T): T => {
  open.push(it)
  return it
}
const start = async (handler: Handler): Promise<Local> => track(await serve(handler))
const client = (options: Parameters<typeof testHttp>[0] = {}) => track(testHttp(options))
const json =
  (body: unknown): Handler =>
  (_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(body))
  }

test('answers as fetch does, with the whole body, the status and where a redirect ended', async () => {
  const server = await start((request, response) => {
    if (request.url === '/old') response.writeHead(301, { location: '/new' }).end()
    else json({ path: request.url })(request, response)
  })
  const answer = await client().fetch(`${server.url}/old`)
  expect(await answer.json()).toEqual({ path: '/new' })
  expect(answer.status).toBe(200)
  expect(answer.url).toBe(`${server.url}/new`)
})

test('hands 4xx and 304 to the caller, and decodes compressed bodies', async () => {
  const server = await start((request, response) => {
    if (request.url === '/304') response.writeHead(304, { etag: '"a"' }).end()
    else if (request.url === '/gzip') response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('hello'))
    else response.writeHead(422, { 'content-type': 'application/json' }).end('{"message":"no"}')
  })
  const { fetch } = client()
  expect((await fetch(`${server.url}/304`)).status).toBe(304)
  expect((await fetch(`${server.url}/422`)).status).toBe(422)
  expect(await (await fetch(`${server.url}/gzip`)).text()).toBe('hello')
})

test('repeats a GET over 5xx with growing waits, and only so often', async () => {
  let failures = 2
  const server = await start((request, response) => {
    if (failures > 0) response.writeHead(502).end('bad gateway')
    else json([])(request, response)
    failures -= 1
  })
  const http = client({ limits: { backoffMs: 100, attempts: 4 } })
  expect(await (await http.fetch(server.url)).json()).toEqual([])
  expect(http.clock.sleeps).toEqual([100, 200])
  failures = 99
  await expect(http.fetch(server.url)).rejects.toThrow(/502.*Tried 4 times/)
  expect(server.requests).toHaveLength(3 + 4)
})

test('gives up when the waits would outlast the overall deadline', async () => {
  const server = await start((_, response) => response.writeHead(500).end())
  const http = client({ limits: { backoffMs: 1000, attempts: 50, overallMs: 5000 } })
  await expect(http.fetch(server.url)).rejects.toBeInstanceOf(SourceUnavailable)
  expect(http.clock.sleeps).toEqual([1000, 2000])
})

test('makes an unsafe request once, and says that its effect is unknown', async () => {
  const server = await start((_, response) => response.writeHead(500).end())
  await expect(client().fetch(server.url, { method: 'POST', body: 'x' })).rejects.toThrow(/not known whether the POST/)
  expect(server.requests).toHaveLength(1)
})

test('an unsafe request keeps its body and headers', async () => {
  let seen = ''
  const server = await start((request, response) => {
    request.on('data', (chunk) => (seen += String(chunk)))
    request.on('end', () => response.writeHead(201).end())
  })
  const headers = { 'content-type': 'application/json', authorization: 'Bearer x' }
  await client().fetch(server.url, { method: 'PUT', body: '{"a":1}', headers })
  expect(seen).toBe('{"a":1}')
  expect(server.requests[0]?.headers).toMatchObject(headers)
})

test('the priority header does not leave the house', async () => {
  const server = await start(json({}))
  await client().fetch(server.url, { headers: { [PRIORITY_HEADER]: 'scan' } })
  expect(server.requests[0]?.headers).not.toHaveProperty(PRIORITY_HEADER)
})

test('a body cut at any byte is BadAnswer after its retries, never a shorter success', async () => {
  const whole = JSON.stringify([{ id: 1, name: 'a}b' }, { id: 2 }])
  let cut = 0
  const server = await start((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length })
    response.write(whole.slice(0, cut), () => response.destroy())
  })
  const http = client({ limits: { attempts: 2 } })
  for (cut = 0; cut < whole.length; cut += 1) {
    await expect(http.fetch(server.url), `cut at ${cut}`).rejects.toBeInstanceOf(Error)
  }
  expect(server.requests).toHaveLength(2 * whole.length)
})

test('a body cut inside a correct frame, or shorter than it should be, is noticed', async () => {
  const whole = JSON.stringify([{ id: 1 }, { id: 2 }])
  const server = await start((request, response) => {
    const cut = Number(request.url?.slice(1))
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': cut })
    response.socket?.write('')
    response.end(whole.slice(0, cut))
  })
  const http = client({ limits: { attempts: 2 } })
  for (let cut = 0; cut < whole.length; cut += 1) {
    await expect(http.fetch(`${server.url}/${cut}`), `cut at ${cut}`).rejects.toBeInstanceOf(BadAnswer)
  }
  expect((await http.fetch(`${server.url}/${whole.length}`)).status).toBe(200)
})

test('an HTML page with 200 is BadAnswer where JSON was asked for, without another try', async () => {
  const server = await start((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>sign in</html>')
  })
  const http = client()
  const headers = { accept: 'application/vnd.github.v3+json' }
  await expect(http.fetch(server.url, { headers })).rejects.toThrow(/HTML page instead of JSON/)
  expect(server.requests).toHaveLength(1)
  expect(await (await http.fetch(server.url, { headers: { accept: 'text/html' } })).text()).toContain('sign in')
})

test('a body larger than the bound is refused while it still comes', async () => {
  const server = await start((_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536))) continue
      if (!response.destroyed) response.once('drain', more)
    }
    more()
  })
  await expect(client({ limits: { bodyBytes: 1_000_000 } }).fetch(server.url)).rejects.toThrow(
    /larger than 1000000 bytes/,
  )
  expect(server.requests).toHaveLength(1)
})

test('a source that never finishes is given up at the deadline of each attempt', async () => {
  const server = await start((request, response) => {
    if (request.url === '/body') response.writeHead(200).write('[')
  })
  const http = client({ limits: { attemptMs: 50, attempts: 2 } })
  await expect(http.fetch(`${server.url}/silent`)).rejects.toThrow(/No full answer within 50 ms/)
  await expect(http.fetch(`${server.url}/body`)).rejects.toThrow(/No full answer within 50 ms/)
  expect(server.requests).toHaveLength(4)
})

test("the caller's abort ends the call at once, with its own reason and without a retry", async () => {
  const stop = new AbortController()
  const server = await start(() => stop.abort(new Error('lease lost')))
  await expect(client().fetch(server.url, { signal: stop.signal })).rejects.toThrow('lease lost')
  await expect(client().fetch(server.url, { signal: stop.signal })).rejects.toThrow('lease lost')
  expect(server.requests).toHaveLength(1)
})

test('a refused connection is SourceUnavailable with the code of the network error', async () => {
  const http = client({ limits: { attempts: 2 } })
  await expect(http.fetch(`http://localhost:${await closedPort()}`)).rejects.toThrow(/ECONNREFUSED.*Tried 2 times/)
})

test('tokens are in no error and in no log line', async () => {
  const secret = 'ghp_topsecret'
  const server = await start((_, response) => response.writeHead(500).end(secret))
  const http = client({ limits: { attempts: 2 } })
  const error: unknown = await http
    .fetch(`${server.url}/a?key=${secret}`, { headers: { authorization: `Bearer ${secret}` } })
    .catch((e: unknown) => e)
  const { inspect } = await import('node:util')
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret)
  expect(http.logged()).toContain('/a')
  expect(http.logged()).not.toContain(secret)
})

test('an own certificate authority is trusted, and only with it', async () => {
  const server = track(await serve(json({ ok: true }), { tls: true }))
  expect(await (await client({ ca: authority }).fetch(server.url)).json()).toEqual({ ok: true })
  const stranger = client({ limits: { attempts: 1 } })
  await expect(stranger.fetch(server.url)).rejects.toThrow(/UNABLE_TO_VERIFY|SELF_SIGNED/)
})

test('https goes through the proxy with CONNECT, plain http and NO_PROXY do not', async () => {
  const proxy = track(await connectProxy())
  const secure = track(await serve(json({ ok: 1 }), { tls: true }))
  const plain = await start(json({ ok: 2 }))
  const http = client({ proxy: proxy.url, ca: authority })
  expect(await (await http.fetch(secure.url)).json()).toEqual({ ok: 1 })
  expect(await (await http.fetch(plain.url)).json()).toEqual({ ok: 2 })
  expect(proxy.tunnels).toEqual([`localhost:${secure.port}`])
  const direct = client({ proxy: proxy.url, ca: authority, noProxy: 'localhost' })
  expect(await (await direct.fetch(secure.url)).json()).toEqual({ ok: 1 })
  expect(proxy.tunnels).toHaveLength(1)
})

test('counts what listings call, and what of it the source counts', async () => {
  const server = await start((request, response) => {
    if (request.url !== '/free') response.setHeader('x-ratelimit-remaining', '10')
    if (request.url === '/304') response.writeHead(304).end()
    else json([])(request, response)
  })
  const http = client()
  const call = (path: string, priority = 'scan') =>
    http.fetch(`${server.url}${path}`, { headers: { [PRIORITY_HEADER]: priority } })
  await call('/page')
  await call('/304')
  await call('/free')
  await call('/page', 'live')
  expect(http.usage()).toEqual({ calls: 3, quota: 1 })
})

test('each allowance of a credential is counted on its own', async () => {
  const server = await start((request, response) => {
    if (request.url === '/full') response.setHeader('x-ratelimit-remaining', '0').setHeader('x-ratelimit-reset', '600')
    json([])(request, response)
  })
  const http = client()
  const call = (path: string, allowance?: string) =>
    http.fetch(`${server.url}${path}`, allowance === undefined ? {} : { headers: { [BUDGET_HEADER]: allowance } })
  await call('/full', 'graphql')
  await expect(call('/', 'graphql')).rejects.toThrow(RateLimited)
  await call('/')
  await call('/', 'installation 7')
  expect(server.requests.at(-1)?.headers).not.toHaveProperty(BUDGET_HEADER)
})

test('a POST that only reads is sent again, and its answer looked at, like a GET', async () => {
  let failures = 1
  const server = await start((request, response) => {
    if (failures > 0) response.writeHead(502).end('bad gateway')
    else json({ data: 1 })(request, response)
    failures -= 1
  })
  const http = client()
  const post = { method: 'POST', body: '{}' }
  const answer = await http.fetch(server.url, { ...post, headers: { [READS_HEADER]: 'yes' } })
  expect(await answer.json()).toEqual({ data: 1 })
  expect(server.requests.at(-1)?.headers).not.toHaveProperty(READS_HEADER)
  failures = 1
  await expect(http.fetch(server.url, post)).rejects.toThrow(/not known whether the POST/)
})
