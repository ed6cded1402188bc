import { z } from 'zod'
import { BadAnswer, type Json, type Partition, ScopeUnreadable } from '../../core/sdk/index.ts'
import type { Client } from './client.ts'
import { nextPage } from './pages.ts'
import { type GithubConfig, read, timestamp } from './schema.ts'
import { isArray, reasonOf, type Scope, unreadable } from './scope.ts'
import { objectOf, pickObject } from './shape.ts'

const owner = z.looseObject({ login: z.string(), id: z.int() })
const seenRepository = z.looseObject({
  id: z.int(),
  node_id: z.string().optional(),
  name: z.string(),
  full_name: z.string(),
  owner,
  default_branch: z.string().nullish(),
  pushed_at: timestamp.nullish(),
})

/** A repository, as far as what it holds needs it. */
export interface Home {
  readonly id: string
  /** As GraphQL calls it. */
  readonly nodeId: string
  readonly name: string
  readonly fullName: string
  readonly owner: string
  readonly defaultBranch: string
  /** When anything was pushed last. Only as fresh as the last look at the organisation. */
  readonly pushedAt: string | undefined
  /** What children carry of their repository. Only what seldom changes: else each push would rewrite all of them. */
  readonly body: Json
}

const kept = {
  id: true,
  node_id: true,
  name: true,
  full_name: true,
  private: true,
  owner: { login: true, id: true, node_id: true, type: true, html_url: true, avatar_url: true },
  html_url: true,
  url: true,
  fork: true,
  default_branch: true,
  visibility: true,
} as const

/** Reads a repository of any answer or webhook. Throws BadAnswer. */
export function homeOf(repository: Json): Home {
  const seen = read(seenRepository, repository, 'repository')
  const object = objectOf(repository, 'repository')
  // A push event gives the address of the page where every other answer gives that of the API.
  const url = typeof object['url'] === 'string' && object['url'].includes('/repos/') ? object['url'] : null
  return {
    id: String(seen.id),
    nodeId: seen.node_id ?? '',
    name: seen.name,
    fullName: seen.full_name,
    owner: seen.owner.login,
    defaultBranch: seen.default_branch ?? 'main',
    pushedAt: seen.pushed_at ?? undefined,
    body: pickObject({ ...object, url }, kept),
  }
}

/** The repositories that are partitions of other kinds. */
export interface Directory {
  /** Called at the start of each scan. One look at the organisations serves all kinds that are scanned within half a minute. */
  partitions(signal: AbortSignal): Promise<readonly Partition[]>
  /** One page of an organisation's repositories, oldest first, and the page after it. The first is '1'. Throws ScopeUnreadable. */
  page(
    org: string,
    page: string,
    signal: AbortSignal,
  ): Promise<{ readonly homes: readonly Home[]; readonly next?: string }>
  /** The repository of a partition, as it was last seen; asked for if it was not. Throws ScopeUnreadable. */
  home(partition: Partition, signal: AbortSignal): Promise<Home>
  /** The same by id, or why it cannot be read. */
  byId(id: string, signal: AbortSignal): Promise<Home | string>
}

const keepFor = 30_000

/** Of a page only this is kept, so that memory stays small beside what the listing says. */
interface Seen {
  readonly etag: string | undefined
  readonly homes: readonly Home[]
  readonly next: string | undefined
}

export function createDirectory(
  config: GithubConfig,
  client: Client,
  scope: Scope,
  options: { readonly type: string; readonly now: () => number },
): Directory {
  const homes = new Map<string, Home>()
  const pagesSeen = new Map<string, Seen>()
  const byOrg = new Map<string, { readonly at: number; readonly homes: readonly Home[] }>()

  async function ofOrg(org: string, signal: AbortSignal): Promise<readonly Home[]> {
    const known = byOrg.get(org)
    if (known !== undefined && options.now() - known.at < keepFor) return known.homes
    const at = options.now()
    const found = config.only === undefined ? await listed(org, signal) : await named(org, config.only, signal)
    byOrg.set(org, { at, homes: found })
    return found
  }

  async function listed(org: string, signal: AbortSignal): Promise<readonly Home[]> {
    const found: Home[] = []
    for (let page: string | undefined = '1'; page !== undefined; ) {
      const seen = await onePage(org, page, signal)
      found.push(...seen.homes)
      page = after(seen, page)
    }
    return found
  }

  /** A page that begins after a full last one does not change that one's ETag: it is looked for. */
  const after = (seen: Seen, page: string): string | undefined =>
    seen.next ?? (seen.homes.length >= config.pageSize ? String(Number(page) + 1) : undefined)

  async function onePage(org: string, page: string, signal: AbortSignal): Promise<Seen> {
    const what = `repositories of ${org}`
    const name = `${org} ${page}`
    const known = pagesSeen.get(name)
    const params = { org, type: options.type, sort: 'created', direction: 'asc', per_page: config.pageSize, page }
    const asked = { signal, priority: 'scan', etag: known?.etag } as const
    const answer = await client.ask('GET /orgs/{org}/repos', params, asked)
    if (answer.state === 'refused') throw unreadable(answer, what)
    if (answer.state === 'notModified') {
      if (known === undefined) throw new BadAnswer(`${what}: 304 to a question without If-None-Match`)
      return known
    }
    if (!isArray(answer.data)) throw new BadAnswer(`${what}: $: expected an array`)
    const etag = answer.header('etag')
    const next = nextPage(answer.header('link'), what)
    const seen = { etag, homes: answer.data.map(homeOf), next }
    if (etag !== undefined) pagesSeen.set(name, seen)
    return seen
  }

  async function named(org: string, only: readonly string[], signal: AbortSignal): Promise<readonly Home[]> {
    const own = only.filter((name) => name.toLowerCase().startsWith(`${org.toLowerCase()}/`))
    return Promise.all(
      own.map(async (fullName) => {
        const [login = '', repo = ''] = fullName.split('/')
        const answer = await client.recall('GET /repos/{owner}/{repo}', { owner: login, repo }, signal)
        if (answer.state === 'refused') throw unreadable(answer, `repository ${fullName}`)
        return homeOf(answer.data)
      }),
    )
  }

  const directory: Directory = {
    async page(org, page, signal) {
      if (config.only !== undefined) return { homes: await named(org, config.only, signal) }
      const seen = await onePage(org, page, signal)
      const next = after(seen, page)
      return { homes: seen.homes, ...(next === undefined ? {} : { next }) }
    },
    async partitions(signal) {
      const all: Partition[] = []
      for (const org of scope.organizations) {
        const seen = await scope.look(org, signal)
        const before = byOrg.get(org)?.homes ?? []
        const found = typeof seen === 'string' ? before : await ofOrg(org, signal)
        const unknown = typeof seen === 'string' ? { unknown: seen } : {}
        for (const home of found) {
          homes.set(home.id, home)
          all.push({ name: home.fullName, parent: { kind: 'repository', key: home.id }, ...unknown })
        }
      }
      return all
    },
    async home(partition, signal) {
      const id = partition.parent?.key
      const known = id === undefined ? undefined : homes.get(id)
      if (known !== undefined) return known
      const [login = '', repo = ''] = partition.name.split('/')
      const answer =
        id === undefined
          ? await client.ask('GET /repos/{owner}/{repo}', { owner: login, repo }, { signal })
          : await client.ask('GET /repositories/{id}', { id }, { signal })
      if (answer.state === 'refused') throw unreadable(answer, `repository ${partition.name}`)
      if (answer.state === 'notModified') throw new ScopeUnreadable(`repository ${partition.name}: unexpected 304`)
      const home = homeOf(answer.data)
      homes.set(home.id, home)
      return home
    },
    async byId(id, signal) {
      const answer = await client.ask('GET /repositories/{id}', { id }, { signal })
      if (answer.state === 'refused') return reasonOf(answer, `repository ${id}`)
      if (answer.state === 'notModified') return 'unexpected 304'
      const home = homeOf(answer.data)
      if (home.id !== id) return `repository ${id} answered as ${home.id}`
      homes.set(id, home)
      return home
    },
  }
  return directory
}
