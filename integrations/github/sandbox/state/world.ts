// The state with its indexes, and the one way to change it: a transaction that is applied, journalled and only then told of.
import { Journal } from './journal.ts'
import type { Key, Meta, Org, Repo, TableName, Tables, Team, User } from './model.ts'
import type { Part, PartOf, PartType } from './parts.ts'
import { type Op, Rows } from './tables.ts'

export type Account = { type: 'org'; row: Org } | { type: 'user'; row: User }

export interface Tx {
  put<T extends TableName>(table: T, row: Tables[T]): void
  remove(table: TableName, key: Key): void
  /** A number never given before, not even to something that is gone. */
  nextId(): number
}

type Sort = 'created' | 'updated' | 'pushed' | 'full_name'

const fullName = (login: string, name: string): string => `${login}/${name}`.toLowerCase()

export class World {
  readonly #rows = new Rows()
  readonly #journal: Journal
  readonly #clock: () => number
  readonly #logins = new Map<string, Account>()
  readonly #repoNames = new Map<string, number>()
  readonly #teamSlugs = new Map<string, number>()
  readonly #owned = new Map<number, Set<number>>()
  readonly #sorted = new Map<string, readonly Repo[]>()
  readonly #parts = new Map<string, Map<number, Part>>()
  readonly #listeners: ((ops: readonly Op[]) => void)[] = []

  /** `clock` is in milliseconds. */
  constructor(dir: string, clock: () => number) {
    this.#clock = clock
    this.#journal = new Journal(dir, this.#rows)
    for (const row of this.#rows.all('orgs')) this.#index('orgs', null, row)
    for (const row of this.#rows.all('users')) this.#index('users', null, row)
    for (const row of this.#rows.all('teams')) this.#index('teams', null, row)
    for (const row of this.#rows.all('repos')) this.#index('repos', null, row)
    for (const row of this.#rows.all('parts')) this.#indexPart(null, row)
  }

  get meta(): Meta {
    return this.#rows.get('meta', 'meta') ?? { id: 'meta', seed: 1, nextId: 41_000_000, lifeStep: 0, port: 0 }
  }

  get empty(): boolean {
    return this.#rows.maps.orgs.size === 0
  }

  get<T extends TableName>(table: T, key: Key): Tables[T] | undefined {
    return this.#rows.get(table, key)
  }

  all<T extends TableName>(table: T): IterableIterator<Tables[T]> {
    return this.#rows.all(table)
  }

  size(table: TableName): number {
    return this.#rows.maps[table].size
  }

  /** Now, in whole seconds as GitHub shows them, and never before `previous`: a version does not go back with the clock. */
  stamp(previous = ''): string {
    const now = `${new Date(this.#clock()).toISOString().slice(0, 19)}Z`
    return now > previous ? now : previous
  }

  get milliseconds(): number {
    return this.#clock()
  }

  account(login: string): Account | undefined {
    return this.#logins.get(login.toLowerCase())
  }

  org(login: string): Org | undefined {
    const found = this.account(login)
    return found?.type === 'org' ? found.row : undefined
  }

  user(login: string): User | undefined {
    const found = this.account(login)
    return found?.type === 'user' ? found.row : undefined
  }

  owner(repo: Repo): Account {
    const org = this.get('orgs', repo.ownerId)
    if (org) return { type: 'org', row: org }
    const user = this.get('users', repo.ownerId)
    if (user) return { type: 'user', row: user }
    throw new Error(`repository ${repo.id} has no owner: the state is damaged`)
  }

  repo(owner: string, name: string): Repo | undefined {
    const id = this.#repoNames.get(fullName(owner, name))
    return id === undefined ? undefined : this.get('repos', id)
  }

  /** The repository that had this name before, unless it is deleted. */
  moved(owner: string, name: string): Repo | undefined {
    const redirect = this.get('redirects', fullName(owner, name))
    const repo = redirect && this.get('repos', redirect.repoId)
    return repo?.deletedAt === null ? repo : undefined
  }

  team(orgId: number, slug: string): Team | undefined {
    const id = this.#teamSlugs.get(`${orgId}/${slug.toLowerCase()}`)
    return id === undefined ? undefined : this.get('teams', id)
  }

  teamsOf(orgId: number): Team[] {
    return [...this.all('teams')].filter((team) => team.orgId === orgId)
  }

  /** Live repositories of an owner; sorted once and kept until one of them changes. */
  reposOf(ownerId: number, sort: Sort = 'created', direction: 'asc' | 'desc' = 'asc'): readonly Repo[] {
    const key = `${ownerId}/${sort}/${direction}`
    const kept = this.#sorted.get(key)
    if (kept) return kept
    const by = (repo: Repo): string =>
      ({ created: repo.createdAt, updated: repo.updatedAt, pushed: repo.pushedAt, full_name: repo.name.toLowerCase() })[
        sort
      ]
    const sign = direction === 'asc' ? 1 : -1
    const found = [...(this.#owned.get(ownerId) ?? [])].flatMap((id) => this.get('repos', id) ?? [])
    found.sort((a, b) => sign * (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : a.id - b.id))
    this.#sorted.set(key, found)
    return found
  }

  /** What a repository has of one type, oldest first. */
  parts<T extends PartType>(repoId: number, type: T): PartOf<T>[] {
    const found = [...(this.#parts.get(`${repoId}/${type}`)?.values() ?? [])].sort((a, b) => a.id - b.id)
    // The index holds parts by their type.
    return found as PartOf<T>[]
  }

  onCommit(listener: (ops: readonly Op[]) => void): void {
    this.#listeners.push(listener)
  }

  /** All or nothing. `durable: false` is for what need not survive a power cut. */
  transaction<R>(body: (tx: Tx) => R, options: { durable?: boolean } = {}): R {
    const ops: Op[] = []
    const undo: (() => void)[] = []
    const write = <T extends TableName>(table: T, key: Key, row: Tables[T] | null): void => {
      const before = this.#rows.set(table, key, row)
      this.#index(table, before, row)
      undo.push(() => {
        this.#rows.set(table, key, before)
        this.#index(table, row, before)
      })
      // `row` belongs to `table` by the signature above; the union of all pairs cannot say so.
      ops.push({ t: table, k: key, row } as Op)
    }
    let result: R
    try {
      result = body({
        put: (table, row) => write(table, row.id, row),
        remove: (table, key) => write(table, key, null),
        nextId: () => {
          const id = this.meta.nextId
          write('meta', 'meta', { ...this.meta, nextId: id + 1 })
          return id
        },
      })
      if (ops.length > 0) this.#journal.append(ops, options.durable ?? true)
    } catch (error) {
      for (const step of undo.reverse()) step()
      throw error
    }
    for (const listener of this.#listeners) listener(ops)
    return result
  }

  compact(): void {
    this.#journal.compact()
  }

  close(): void {
    this.#journal.close()
  }

  #index<T extends TableName>(table: T, before: Tables[T] | null, after: Tables[T] | null): void {
    // The generic pair (table, row) is one of those below; only a cast tells TypeScript so.
    if (table === 'orgs' || table === 'users')
      this.#indexAccount(before as Org | User | null, after as Org | User | null)
    else if (table === 'teams') this.#indexTeam(before as Team | null, after as Team | null)
    else if (table === 'repos') this.#indexRepo(before as Repo | null, after as Repo | null)
    else if (table === 'parts') this.#indexPart(before as Part | null, after as Part | null)
  }

  #indexPart(before: Part | null, after: Part | null): void {
    if (before) this.#parts.get(`${before.repoId}/${before.type}`)?.delete(before.id)
    if (!after) return
    const name = `${after.repoId}/${after.type}`
    const of = this.#parts.get(name) ?? new Map<number, Part>()
    this.#parts.set(name, of.set(after.id, after))
  }

  #indexAccount(before: Org | User | null, after: Org | User | null): void {
    if (before) this.#logins.delete(before.login.toLowerCase())
    if (!after) return
    const account: Account = 'members' in after ? { type: 'org', row: after } : { type: 'user', row: after }
    this.#logins.set(after.login.toLowerCase(), account)
  }

  #indexTeam(before: Team | null, after: Team | null): void {
    if (before) this.#teamSlugs.delete(`${before.orgId}/${before.slug}`)
    if (after) this.#teamSlugs.set(`${after.orgId}/${after.slug}`, after.id)
  }

  #indexRepo(before: Repo | null, after: Repo | null): void {
    for (const repo of [before, after]) {
      if (repo === null) continue
      for (const key of this.#sorted.keys()) if (key.startsWith(`${repo.ownerId}/`)) this.#sorted.delete(key)
    }
    if (before && before.deletedAt === null) {
      this.#repoNames.delete(fullName(this.owner(before).row.login, before.name))
      this.#owned.get(before.ownerId)?.delete(before.id)
    }
    if (after && after.deletedAt === null) {
      this.#repoNames.set(fullName(this.owner(after).row.login, after.name), after.id)
      const owned = this.#owned.get(after.ownerId) ?? new Set()
      this.#owned.set(after.ownerId, owned.add(after.id))
    }
  }
}
