// What the real GitHub once answered, recorded by the makers of Octokit: read by our kinds, and set beside what the sandbox
// answers to the same questions, so that neither is a thing of our own imagination.
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { isObject, type Json, type Kind, type Page } from '../../core/sdk/index.ts'
import { homeOf } from './directory.ts'
import { github } from './index.ts'
import { withHome } from './kinds/child.ts'
import { childSpecs } from './kinds/index.ts'
import { type GithubSource, openSource } from './source.fixture.ts'

const folder = new URL('./scenarios/api.github.com/', import.meta.resolve('@octokit/fixtures'))
const recorded = z.array(
  z.object({
    method: z.string(),
    path: z.string(),
    status: z.int(),
    response: z.json().default(null),
    headers: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  }),
)
type Recorded = z.output<typeof recorded>[number]

const all = readdirSync(folder).flatMap((scenario) =>
  recorded
    .parse(JSON.parse(readFileSync(new URL(`${scenario}/normalized-fixture.json`, folder), 'utf8')))
    .map((one) => ({ scenario, ...one, title: `${scenario}: ${one.method.toUpperCase()} ${one.path} ${one.status}` })),
)

interface Read {
  readonly kind: string
  readonly is: (one: Recorded) => boolean
  /** The same question to the sandbox. */
  readonly asked: () => Promise<Json>
}

const ok = (one: Recorded, path: RegExp): boolean => one.status < 300 && path.test(one.path.split('?')[0] ?? '')
const repo = '/repos/acme/checkout'

const reads: readonly Read[] = [
  {
    kind: 'organization',
    is: (one) => one.method === 'get' && ok(one, /^\/orgs\/[^/]+$/),
    asked: () => source.change('GET', '/orgs/acme') as Promise<Json>,
  },
  {
    kind: 'repository',
    is: (one) => ok(one, /^(\/repos\/[^/]+\/[^/]+|\/repositories\/\d+)$/),
    asked: () => source.change('GET', repo) as Promise<Json>,
  },
  {
    kind: 'issue',
    is: (one) => ok(one, /\/issues$/) && !one.path.startsWith('/search'),
    asked: () => source.change('POST', `${repo}/issues`, { title: 'x' }) as Promise<Json>,
  },
  {
    kind: 'release',
    is: (one) => ok(one, /\/releases\/tags\/[^/]+$/),
    asked: () => source.change('POST', `${repo}/releases`, { tag_name: 'v1' }) as Promise<Json>,
  },
  {
    kind: 'collaborator',
    is: (one) => ok(one, /\/collaborators$/),
    asked: () => source.change('GET', `${repo}/collaborators`) as Promise<unknown> as Promise<Json>,
  },
]

/** What is recorded beside that, and why nothing of ours reads it. */
const skipped: readonly (readonly [RegExp, string])[] = [
  [/\/collaborators\/|invitations/, 'invites and removes people'],
  [/\/labels(\/|$)/, 'labels are part of an issue'],
  [/\/protection$/, 'branch protection is no kind'],
  [
    /\/contents\/(test\.txt|README\.md)?$/,
    'writes a file, asks for one as text, or lists a folder: files are read by their tree',
  ],
  [/\/statuses|\/status$/, 'commit statuses are no kind'],
  [/tarball|legacy\.tar/, 'archives are not read'],
  [/^\/$/, 'the root of the API'],
  [/\/git\/refs/, 'references are read as branches and tags'],
  [/\/lock$/, 'locks an issue'],
  [/^\/notifications/, 'notifications are a person’s own'],
  [/^\/markdown/, 'renders text'],
  [/^\/projects\//, 'project cards are no kind'],
  [/\/assets/, 'assets are part of a release'],
  [/^\/search\//, 'nothing is searched for'],
  [/rename-repository$/, 'a redirect: repositories are asked for by their number'],
]

let source: GithubSource
beforeAll(async () => {
  source = await openSource({ repos: 12 })
})
afterAll(async () => {
  await source.close()
})

const kinds = (fetch: typeof globalThis.fetch): readonly Kind[] =>
  github.connect(github.config.parse({ token: 'x', organizations: ['octokit-fixture-org'], pageSize: 3 }), {
    fetch,
    log: () => undefined,
    now: () => 0,
  }).kinds

const nothing = (): Promise<Response> => Promise.reject(new Error('nothing is called'))

function kindOf(name: string, fetch: typeof globalThis.fetch = nothing): Kind {
  const kind = kinds(fetch).find((it) => it.name === name)
  if (kind === undefined) throw new Error(`no kind ${name}`)
  return kind
}

const [, recordedHome] = all.filter(({ path, status }) => status === 200 && path === '/repositories/1000')
const items = (one: Recorded): readonly Json[] => (Array.isArray(one.response) ? one.response : [one.response])

/** As a listing hands it to `canonical`. */
function raw(kind: string, item: Json): Json {
  const spec = childSpecs.find(({ name }) => name === kind)
  return spec === undefined ? item : withHome(spec, item, homeOf(recordedHome?.response ?? null))
}

test('every recorded answer is read by a kind, or skipped with a reason', () => {
  const left = all.filter(
    (one) => !reads.some(({ is }) => is(one)) && !skipped.some(([path]) => path.test(one.path.split('?')[0] ?? '')),
  )
  expect(left.map(({ title }) => title)).toEqual([])
  const read = all.filter((one) => reads.some(({ is }) => is(one)))
  console.info(`recorded answers: ${read.length} read, ${all.length - read.length} skipped`)
  for (const [path, reason] of skipped)
    expect(
      all.some((one) => path.test(one.path.split('?')[0] ?? '')),
      reason,
    ).toBe(true)
})

/** `a.b[]` of every member, with its type; null fits every type. */
function shapeOf(value: Json, at = '$', found = new Map<string, Set<string>>()): Map<string, Set<string>> {
  const type = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
  found.set(at, (found.get(at) ?? new Set()).add(type))
  if (Array.isArray(value)) for (const one of value as readonly Json[]) shapeOf(one, `${at}[]`, found)
  else if (isObject(value)) for (const [name, one] of Object.entries(value)) shapeOf(one, `${at}.${name}`, found)
  return found
}

/** Fields that GitHub gave then and gives no more, gives only to some, or only of one object and not in a listing. */
const past =
  /\.(open_issues|watchers|forks|has_pages|permissions|temp_clone_token|performed_via_github_app|subscribers_count|network_count|collaborators|disk_usage|private_gists|total_private_repos|owned_private_repos|plan|billing_email|closed_by)\b/

describe.each(reads)('$kind', ({ kind, is, asked }) => {
  const answers = all.filter(is)

  test('what GitHub answered is read, with every field that we keep', () => {
    expect(answers.length).toBeGreaterThan(0)
    const read = kindOf(kind)
    for (const one of answers.flatMap(items)) {
      const item = raw(kind, one)
      expect(read.key(item)).toMatch(/^\d+(\/.+)?$/)
      const kept = read.canonical(item)
      if (!isObject(kept) || !isObject(item)) throw new Error('no object')
      for (const [name, value] of Object.entries(kept)) if (value !== null) expect(item[name], name).not.toBeUndefined()
    }
  })

  test('the sandbox answers with the same shape', async () => {
    const ours = await asked()
    const list: Json = Array.isArray(ours) ? ours : [ours]
    const shape = shapeOf(list)
    const theirs = shapeOf(answers.flatMap(items))
    const wrong: string[] = []
    for (const [path, types] of theirs) {
      if (past.test(path)) continue
      const parent = path.replace(/(\.[^.[\]]+|\[\])$/, '')
      const own = shape.get(path)
      // What is empty or null here says nothing of what would be in it.
      const open = [...(shape.get(parent) ?? [])]
      if (own === undefined) {
        if (open.includes('object')) wrong.push(`${path} is missing`)
        continue
      }
      const fits = [...own].some((type) => type === 'null' || types.has('null') || types.has(type))
      if (!fits) wrong.push(`${path} is ${[...own].join('|')} and was ${[...types].join('|')}`)
    }
    expect(wrong).toEqual([])
  })
})

test('the recorded pages of issues are listed to their end', async () => {
  const recordedPages = all.filter(({ scenario }) => scenario === 'paginate-issues')
  const asked: string[] = []
  const fetch = async (input: string | URL | Request): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : String(input))
    asked.push(url.pathname)
    const home = { ...(recordedHome?.response as object), full_name: 'octokit-fixture-org/paginate-issues', id: 1000 }
    if (url.pathname === '/repositories/1000') return Response.json(home)
    const page = recordedPages[Number(url.searchParams.get('page') ?? 1) - 1]
    if (!url.pathname.endsWith('/issues') || page === undefined) return Response.json({ message: 'x' }, { status: 404 })
    return Response.json(page.response, { headers: { link: String(page.headers['link'] ?? '') } })
  }
  const partition = { name: 'octokit-fixture-org/paginate-issues', parent: { kind: 'repository', key: '1000' } }
  const pages: Page[] = []
  const kind = kindOf('issue', fetch)
  const signal = new AbortController().signal
  for await (const page of kind.list({ partition, signal, known: () => undefined })) pages.push(page)
  expect(pages.map((page) => page.items.length)).toEqual([3, 3, 3, 3, 1])
  const keys = pages.flatMap((page) => page.items.map((item) => kind.key(item)))
  expect(keys.length).toBe(13)
})
