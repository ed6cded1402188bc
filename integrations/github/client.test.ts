import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { BadAnswer, type Known, type Page, PRIORITY_HEADER, SourceUnavailable } from '../../core/sdk/index.ts'
import { github } from './index.ts'

const secret = 'ghp_not_to_be_seen'

/** Repositories of acme, as answered by `answer`: for what no server sends on its own. */
function listing(answer: (request: Request) => Response | Promise<Response>, known?: Known) {
  const asked: Request[] = []
  const logged: unknown[] = []
  const tools = {
    fetch: async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
      const request = new Request(input, init)
      asked.push(request)
      return answer(request)
    },
    log: (...line: unknown[]) => logged.push(line),
    now: () => 0,
  }
  const config = github.config.parse({ token: secret, organizations: ['acme'], pageSize: 2 })
  const kind = github.connect(config, tools).kinds.find((it) => it.name === 'repository')
  if (kind === undefined) throw new Error('no kind repository')
  const request = { partition: { name: 'acme' }, signal: new AbortController().signal, known: () => known }
  const pages = async (): Promise<Page[]> => {
    const all: Page[] = []
    for await (const page of kind.list(request)) all.push(page)
    return all
  }
  return { kind, asked, logged, pages }
}

const json = (body: string, headers: Record<string, string> = {}, status = 200): Response =>
  new Response(status === 304 ? null : body, { status, headers: { 'content-type': 'application/json', ...headers } })

test.each([
  ['an object', '{}'],
  ['null', 'null'],
  ['a word', '"ok"'],
  ['nothing', ''],
  ['a cut array', '[{"id":1},'],
])('%s where a page should be is BadAnswer', async (_, body) => {
  await expect(listing(() => json(body)).pages()).rejects.toBeInstanceOf(BadAnswer)
})

test('an HTML page under the name of JSON, and one under its own, are BadAnswer', async () => {
  await expect(listing(() => json('<html>')).pages()).rejects.toBeInstanceOf(BadAnswer)
  const html = { 'content-type': 'text/html' }
  await expect(listing(() => json('<html>', html)).pages()).rejects.toBeInstanceOf(BadAnswer)
})

test('an answer to an ETag of another token is parsed when its items are asked for', async () => {
  const known = { validator: JSON.stringify({ n: 2, etag: 'W/"of another token"', stamp: '' }), next: '2' }
  const answered = (body: string) =>
    listing((request) => {
      const last = request.url.includes('page=2') && !request.url.includes('&page=1')
      const next = { link: '<https://api.github.com/x?page=2>; rel="next"', etag: 'W/"of this one"' }
      return last ? json('[]') : json(body, next)
    }, known)
  const sound = '[{"id":1},\n {"id":2}]'
  const [first, second] = await answered(sound).pages()
  expect(first).toMatchObject({
    cursor: '1',
    next: '2',
    items: [{ id: 1 }, { id: 2 }],
    bytes: new TextEncoder().encode(sound),
  })
  expect(second).toMatchObject({ cursor: '2', items: [] })
  const [broken] = await answered('[{"id":1},').pages()
  expect(() => broken?.items).toThrow(BadAnswer)
})

test('a 304 that nobody asked for is BadAnswer; one that says a page follows now is followed', async () => {
  await expect(listing(() => json('', {}, 304)).pages()).rejects.toBeInstanceOf(BadAnswer)
  const next = { link: '<https://api.github.com/x?page=2>; rel="next"' }
  const grown = listing(
    (request) =>
      /[?&]page=2/u.test(request.url) && !request.url.includes('page=1') ? json('[]') : json('', next, 304),
    { validator: JSON.stringify({ n: 1, etag: 'W/"a"', stamp: '' }) },
  )
  const pages = await grown.pages()
  expect(pages.map((page) => [page.cursor, page.next, page.notModified])).toEqual([
    ['1', '2', true],
    ['2', undefined, undefined],
  ])
  expect(grown.asked[0]?.headers.get('if-none-match')).toBe('W/"a"')
})

test('what GitHub left out for want of single sign-on makes the page incomplete', async () => {
  const headers = { 'x-github-sso': 'partial-results; organizations=21955855' }
  expect(await listing(() => json('[]', headers)).pages()).toMatchObject([
    { incomplete: expect.stringContaining('sign-on') },
  ])
})

test('long numbers stay JSON: no BigInt gets into a body', async () => {
  const [page] = await listing(() => json('[{"id":1,"size":9007199254740993}]')).pages()
  expect(page?.items).toEqual([{ id: 1, size: 9007199254740992 }])
})

test('hostile items are data: a page passes them on, and canonical keeps only what is declared', async () => {
  const item = `{"id":1,"__proto__":{"polluted":true},"name":"\\u0000 \\ud800"}`
  const deep = `{"id":2,"nested":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
  const { kind, pages } = listing(() => json(`[${item},${deep}]`))
  const items = (await pages())[0]?.items ?? []
  expect(items.map((it) => kind.key(it))).toEqual(['1', '2'])
  for (const it of items) expect(() => kind.canonical(it)).toThrow(BadAnswer)
  expect({}).not.toHaveProperty('polluted')
})

test('a listing says that it is a scan, signs with the token, and shows it to nobody', async () => {
  const { asked, logged, pages } = listing(() => json(`{"message":"Forbidden"}`, { deprecation: 'x' }, 403))
  const error: unknown = await pages().catch((e: unknown) => e)
  expect(asked[0]?.headers.get(PRIORITY_HEADER)).toBe('scan')
  expect(asked[0]?.headers.get('authorization')).toContain(secret)
  expect(logged).toMatchObject([['debug', 'octokit warns', { message: expect.stringContaining('deprecated') }]])
  expect(inspect([error, logged], { depth: 20, showHidden: true })).not.toContain(secret)
})

test('errors of the engine come through as they are, and strange ones are not taken for answers', async () => {
  const down = new SourceUnavailable('down')
  await expect(listing(() => Promise.reject(down)).pages()).rejects.toBe(down)
  const odd = new TypeError('odd')
  await expect(listing(() => Promise.reject(odd)).pages()).rejects.toBe(odd)
})

test('a link in an answer leads the token nowhere else', async () => {
  const { asked, pages } = listing((request) =>
    /[?&]page=2/u.test(request.url)
      ? json('[]')
      : json('[]', { link: '<https://evil.example/orgs/acme/repos?per_page=2&page=2>; rel="next"' }),
  )
  await pages()
  expect(asked.length).toBeGreaterThan(1)
  expect(new Set(asked.map(({ url }) => new URL(url).hostname))).toEqual(new Set(['api.github.com']))
})
