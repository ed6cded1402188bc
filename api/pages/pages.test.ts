import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { World } from '../../core/catalog/query/world.fixture.ts'
import { type FreshDatabase, freshDatabase } from '../../core/testkit/database.ts'
import { configured, FakeEngine, server } from '../server.fixture.ts'
import { Html, html } from './html.ts'

let database: FreshDatabase
let app: FastifyInstance
let world: World
let cookie: string
const engine = new FakeEngine([configured('github', ['repository'])])
const nasty = `<script>alert("1")</script>'&`

beforeAll(async () => {
  database = await freshDatabase()
  world = new World(database.db)
  await world.see('github', 'repository', [
    {
      key: nasty,
      locator: { name: nasty },
      entities: [
        {
          blueprint: 'service',
          identifier: nasty,
          title: nasty,
          team: [nasty],
          properties: {
            [nasty]: nasty,
            link: 'https://example.com/?a=1&b="2"',
            evil: 'javascript:alert(1)',
            deep: { a: [nasty] },
          },
          relations: { uses: [nasty, 'acme/none'] },
        },
      ],
      quarantined: [{ code: 'expression_failed', mapping: nasty, field: nasty, expression: nasty, message: nasty }],
    },
  ])
  await world.scan('github', 'repository', nasty, 'incomplete')
  const partition = await database.db.query<{ id: number }>('SELECT id FROM partitions WHERE name = $1', [nasty])
  const { fence } = await world.source('github')
  await world.store.setPartition(fence, partition.rows[0]?.id ?? 0, 'unknown', `404 ${nasty}`)
  await world.hold('github', 'repository', [nasty])
  app = await server(database.db, engine, { now: () => world.now })
  const entered = await app.inject(`/?token=${app.loginToken()}`)
  cookie = String(entered.headers['set-cookie']).split(';')[0] ?? ''
})

afterAll(async () => {
  await app.close()
  await database.drop()
})

const open = (url: string) => app.inject({ url, headers: { cookie } })

test('the tag escapes what it is given and trusts only itself', () => {
  expect(html`<p title="${'"\'<>&'}">${['<b>', html`<i>${1}</i>`, undefined, false]}</p>`.text).toBe(
    '<p title="&quot;&#39;&lt;&gt;&amp;">&lt;b&gt;<i>1</i></p>',
  )
  expect(html`${new Html('<hr>')}`.text).toBe('<hr>')
})

test.each([
  ['/'],
  ['/parts/overview'],
  ['/entities'],
  [`/entities?q=${encodeURIComponent(nasty)}&blueprint=${encodeURIComponent(nasty)}`],
  [`/entities/service/${encodeURIComponent(nasty)}`],
  [`/entities/${encodeURIComponent(nasty)}/${encodeURIComponent(nasty)}`],
  [`/explain?reference=${encodeURIComponent(nasty)}`],
  [`/explain?reference=${encodeURIComponent(`record:github/repository/${nasty}`)}`],
  ['/held'],
  ['/held?source=none'],
  [`/nowhere/${encodeURIComponent(nasty)}`],
])('%s lets nothing of the catalog become markup', async (url) => {
  const { body } = await open(url)
  expect(body).not.toContain('<script>alert')
  expect(body).not.toMatch(/href="javascript:/i)
  expect(body).not.toContain(`"'&`)
})

test.each(['/', '/entities', '/held', '/entities/service/none', '/login'])(
  '%s has a policy that forbids all but our own',
  async (url) => {
    const { headers } = await open(url)
    if (url === '/login') return
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(headers['content-security-policy']).not.toContain('unsafe')
    expect(headers['referrer-policy']).toBe('same-origin')
    expect(headers['cache-control']).toBe('no-store')
  },
)

test('the first page says what is unknown and held, and what to do', async () => {
  const { body } = await open('/')
  expect(body).toContain('<span class="badge unknown">unknown</span>')
  expect(body).toContain('404 &lt;script&gt;')
  expect(body).toContain('Give the credential access to it again')
  expect(body).toContain('<b>1 held.</b>')
  // The lines of `catchment status`, with the same next command.
  expect(body).toContain('<code>catchment held --source github --kind repository</code>')
  expect(body).toContain('<code>catchment quarantine --source github --kind')
  expect(body).toContain('<b>1 quarantined.</b>')
  expect(body).toMatch(/<b>1<\/b>\s+Service/)
  expect(body).toContain('<span class="badge ok">created</span>')
})

test('search finds, and asks why when it does not', async () => {
  const found = (await open('/entities?q=alert')).body
  expect(found).toContain('href="/entities/service/%3Cscript')
  expect(found).toContain('<span class="badge unknown">unknown</span>')
  expect(found).not.toMatch(/>\S+ 0<\/a>/)
  expect((await open('/entities?q=ghost')).body).toContain('/explain?reference=ghost')
  const conditions = await open('/entities?q=is:failed')
  expect(conditions.body).toContain('Nothing found')
  expect(conditions.body).not.toContain('/explain?')
  const line = await open(`/entities?q=${encodeURIComponent('blueprint:servce')}`)
  expect(line.statusCode).toBe(200)
  expect(line.body).toContain('There is no blueprint &quot;servce&quot;. (at character 11)')
  expect(line.body).toContain('Did you mean service?')
})

test('an entity with its properties, relations and reasons; an absent one with its reason', async () => {
  const { body } = await open(`/entities/service/${encodeURIComponent(nasty)}`)
  expect(body).toContain('href="https://example.com/?a=1&amp;b=&quot;2&quot;"')
  expect(body).toContain('<a href="/entities/service/acme%2Fnone">service:acme/none</a>')
  expect(body).toContain('not in the catalog')
  expect(body).toContain('because github has the repository')
  expect(body).toMatch(/Every field is from github repository \S+: <span class="badge/)
  const absent = await open('/entities/service/acme%2Fnone')
  expect(absent.statusCode).toBe(404)
  expect(absent.body).toContain('was never seen, but parts of the sources cannot be read now')
})

test('held is decided by forms, from this origin only', async () => {
  const { body } = await open('/held')
  const action = /action="(\/held\/\d+\/reject)"/.exec(body)?.[1] ?? ''
  expect(action).not.toBe('')
  const send = async (headers: object) =>
    app.inject({
      method: 'POST',
      url: action,
      payload: '',
      headers: { cookie, 'content-type': 'application/x-www-form-urlencoded', ...headers },
    })
  const refused = await send({ origin: 'https://evil.example' })
  expect(refused.statusCode).toBe(403)
  expect(refused.headers['content-type']).toContain('text/html')
  const done = await send({ origin: 'http://localhost:80' })
  expect([done.statusCode, done.headers.location]).toEqual([303, '/held'])
  expect(engine.woken).toBe(1)
  const { rows } = await database.db.query<{ state: string; decided_by: string }>('SELECT state, decided_by FROM held')
  expect(rows).toEqual([{ state: 'rejected', decided_by: 'browser session' }])
  expect((await open('/held')).body).toContain('Nothing is held.')

  await world.hold('github', 'team', []).catch(() => undefined)
  const all = await app.inject({
    method: 'POST',
    url: '/held/approve',
    payload: 'source=github&kind=repository',
    headers: { cookie, origin: 'http://localhost:80', 'content-type': 'application/x-www-form-urlencoded' },
  })
  expect(all.statusCode).toBe(303)
})

test('assets are served with a tag and to anybody', async () => {
  for (const name of ['style.css', 'parts.css', 'narrow.css', 'feed.js', 'icon.svg']) {
    const first = await app.inject(`/assets/${name}`)
    expect(first.statusCode).toBe(200)
    const again = await app.inject({ url: `/assets/${name}`, headers: { 'if-none-match': String(first.headers.etag) } })
    expect(again.statusCode).toBe(304)
  }
})
