import { afterEach, expect, test } from 'vitest'
import { PRIORITY_HEADER, RateLimited } from '../sdk/index.ts'
import { Budgets } from './budget.ts'
import { readRateHeaders } from './rate-headers.ts'
import { type Handler, serve, testHttp } from './server.fixture.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((it) => it.close()))
})
const track = <T extends { close(): Promise<void> }>(it: T): T => {
  open.push(it)
  return it
}
const start = async (handler: Handler) => track(await serve(handler))
const client = (options: Parameters<typeof testHttp>[0] = {}) => track(testHttp(options))

const epoch = Date.UTC(2026, 0, 1)
const headersOf = (fields: Record<string, string>): Headers => new Headers(fields)

test.each([
  ['seconds', { 'retry-after': '30' }, { retryAt: epoch + 30_000 }],
  ['a date', { 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT' }, { retryAt: epoch + 60_000 }],
  ['nonsense', { 'retry-after': 'soon' }, {}],
  ['epoch seconds', { 'x-ratelimit-reset': String(epoch / 1000 + 5) }, { resetAt: epoch + 5000 }],
  ['epoch milliseconds', { 'x-ratelimit-reset': String(epoch + 5000) }, { resetAt: epoch + 5000 }],
  ['seconds from now', { 'ratelimit-reset': '5' }, { resetAt: epoch + 5000 }],
  [
    'the draft standard',
    { 'ratelimit-limit': '100, 100;w=60', 'ratelimit-remaining': '7' },
    { limit: 100, remaining: 7 },
  ],
])('reads %s', (_, fields, note) => {
  expect(readRateHeaders(headersOf(fields), epoch)).toEqual(note)
})

test('absolute times are relative to the Date of the answer: our clock may be an hour off', () => {
  const served = { date: 'Thu, 01 Jan 2026 00:00:00 GMT' }
  for (const skew of [-3_600_000, 0, 3_600_000]) {
    const now = epoch + skew
    const reset = { ...served, 'x-ratelimit-reset': String(epoch / 1000 + 60) }
    expect(readRateHeaders(headersOf(reset), now).resetAt).toBe(now + 60_000)
    const date = { ...served, 'retry-after': 'Thu, 01 Jan 2026 00:01:00 GMT' }
    expect(readRateHeaders(headersOf(date), now).retryAt).toBe(now + 60_000)
  }
})

const limits: readonly [string, number, Record<string, string>, string, number][] = [
  ['429 with seconds', 429, { 'retry-after': '7' }, '', 7000],
  ['403 with seconds', 403, { 'retry-after': '7' }, '', 7000],
  ['503 with seconds', 503, { 'retry-after': '7' }, '', 7000],
  ['403 with nothing left', 403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '9' }, '', 9000],
  ['429 with nothing', 429, {}, '', 60_000],
  [
    '403 that says so',
    403,
    { 'x-ratelimit-remaining': '99' },
    '{"message":"You have exceeded a secondary rate limit."}',
    60_000,
  ],
]
test.each(limits)('%s: no call before it, whatever the priority', async (_, status, headers, body, wait) => {
  let limited = true
  const server = await start((__, response) => {
    if (limited) response.writeHead(status, headers).end(body)
    else response.end('ok')
  })
  const http = client()
  const error: unknown = await http.fetch(server.url).catch((e: unknown) => e)
  if (!(error instanceof RateLimited)) throw new Error(`expected RateLimited, got ${String(error)}`)
  expect(error.retryAt).toBe(http.clock.now() + wait)
  limited = false
  http.clock.time += wait - 1
  for (const priority of ['live', 'action', 'confirm', 'scan'] as const) {
    await expect(http.as(priority)(server.url)).rejects.toThrow(RateLimited)
  }
  expect(server.requests).toHaveLength(1)
  expect(http.budget().blockedUntil).toBe(error.retryAt)
  http.clock.time += 1
  expect(await (await http.fetch(server.url)).text()).toBe('ok')
})

test('a 403 for a missing permission is not a rate limit', async () => {
  const server = await start((_, response) => {
    response.writeHead(403, { 'x-ratelimit-remaining': '10' }).end('{"message":"Resource not accessible"}')
  })
  const http = client()
  expect((await http.fetch(server.url)).status).toBe(403)
  expect((await http.fetch(server.url)).status).toBe(403)
})

test('a scan stops where the reserve begins; a live read goes on', async () => {
  let remaining = 60
  const server = await start((_, response) => {
    remaining -= 1
    const headers = {
      'x-ratelimit-limit': '100',
      'x-ratelimit-remaining': String(remaining),
      'x-ratelimit-reset': '600',
    }
    response.writeHead(200, headers).end('ok')
  })
  const http = client({ reserveShare: 0.5 })
  const scan = { headers: { [PRIORITY_HEADER]: 'scan' } }
  const done = async () => {
    for (let n = 0; ; n += 1) {
      const error: unknown = await http.fetch(server.url, scan).catch((e: unknown) => e)
      if (error instanceof RateLimited) return n
    }
  }
  expect(await done()).toBe(10)
  expect((await http.fetch(server.url)).status).toBe(200)
})

test('the allowance of a refused token says nothing about the credential', async () => {
  const server = await start((_, response) => {
    const headers = { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '600' }
    response.writeHead(401, headers).end()
  })
  const http = client()
  expect((await http.fetch(server.url)).status).toBe(401)
  expect((await http.fetch(server.url)).status).toBe(401)
})

test('two clients of one credential share the block; what an earlier process was told holds', async () => {
  const server = await start((_, response) => response.writeHead(429, { 'retry-after': '60' }).end())
  const budgets = new Budgets()
  const one = client({ budgets })
  await expect(one.fetch(server.url)).rejects.toThrow(RateLimited)
  await expect(client({ budgets }).fetch(server.url)).rejects.toThrow(RateLimited)
  const fresh = client()
  fresh.blockUntil(fresh.clock.now() + 5)
  await expect(fresh.fetch(server.url)).rejects.toThrow(RateLimited)
  expect(server.requests).toHaveLength(1)
})

test('a block that begins while a call waits for its next try stops that try', async () => {
  const server = await start((_, response) => response.writeHead(500).end())
  const budgets = new Budgets()
  const http = client({ budgets, limits: { attempts: 3 } })
  const sleep = http.clock.sleep
  http.clock.sleep = async (ms) => {
    budgets.of('test').refuse({}, http.clock.now())
    await sleep(ms)
  }
  await expect(http.fetch(server.url)).rejects.toThrow(RateLimited)
  expect(server.requests).toHaveLength(1)
})
