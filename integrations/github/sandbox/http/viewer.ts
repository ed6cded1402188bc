// Who asks, and what they may see and do. The smaller of two: what the person may, and what their token was given.
import { createHash, verify } from 'node:crypto'
import { z } from 'zod'
import { atLeast, ladder } from '../shapes/repository.ts'
import type { FinePermission, GithubApp, Level, Org, Repo, RepoPermission, Token, User } from '../state/model.ts'
import type { World } from '../state/world.ts'
import type { Fault } from './faults.ts'
import { badCredentials, forbidden, needsLogin, notFound, Refusal, tokenLacks } from './refusal.ts'

export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

/** A classic scope brings those below it. */
const includes: Readonly<Record<string, readonly string[]>> = {
  repo: ['public_repo', 'repo:status'],
  'admin:org': ['write:org', 'read:org'],
  'write:org': ['read:org'],
  'admin:org_hook': [],
  user: ['read:user'],
}

/** What a route asks of a token: any of the classic scopes, or the fine-grained permission. */
export interface Need {
  readonly classic: readonly string[]
  readonly fine: readonly [FinePermission, Level]
}

const basePermission = { none: undefined, read: 'pull', write: 'push', admin: 'admin' } as const

export class Viewer {
  readonly user: User | undefined
  readonly token: Token | undefined
  /** Classic scopes with those they bring. */
  readonly scopes: readonly string[]
  readonly #world: World
  readonly #lost: Fault | undefined
  readonly #app: GithubApp | undefined
  readonly #grants = new Map<number, Map<number, RepoPermission>>()

  /** `lost` is the fault that takes something of the asked organisation away from this request. */
  constructor(world: World, token: Token | undefined, lost: Fault | undefined, app?: GithubApp) {
    this.#app = app
    this.#world = world
    this.#lost = lost
    this.token = token
    this.scopes = (token?.scopes ?? []).flatMap((scope) => [scope, ...(includes[scope] ?? [])])
    this.user = token && world.get('users', token.userId)
  }

  /** The App that a JSON Web Token proves to be; 401 without. */
  get app(): GithubApp {
    if (!this.#app) throw new Refusal(401, 'A JSON web token could not be decoded')
    return this.#app
  }

  /** The signed-in person; 401 without. */
  get person(): User {
    if (!this.user) throw needsLogin()
    return this.user
  }

  has(org: Org, need: Need): boolean {
    if (!this.token) return false
    if (this.token.kind === 'classic') {
      return need.classic.length === 0 || need.classic.some((scope) => this.scopes.includes(scope))
    }
    const level = this.token.grants[org.id]?.[need.fine[0]]
    return level === 'write' || level === need.fine[1]
  }

  /** Refuses as GitHub does: fine-grained tokens hear what they lack, classic ones which scopes would do. */
  require(org: Org, need: Need): User {
    const person = this.person
    if (this.has(org, need)) return person
    if (this.token?.kind === 'fine-grained') throw tokenLacks(`${need.fine[0]}=${need.fine[1]}`)
    throw forbidden('Must have admin rights to Organization.', { 'X-Accepted-OAuth-Scopes': need.classic.join(', ') })
  }

  role(org: Org): 'admin' | 'member' | undefined {
    return this.user && org.members[this.user.id]?.role
  }

  /** A member whose token reaches the organisation; others only see what is public. */
  inside(org: Org): boolean {
    if (this.role(org) === undefined) return false
    return this.token?.kind === 'classic' || this.token?.grants[org.id] !== undefined
  }

  /** The person must own the organisation; members hear 403, strangers 404. */
  requireOwner(org: Org, need: Need): User {
    if (!this.inside(org)) throw notFound()
    const person = this.require(org, need)
    if (this.role(org) !== 'admin') throw forbidden('You must be an organization owner.')
    return person
  }

  #grantsIn(org: Org, user: User): Map<number, RepoPermission> {
    const known = this.#grants.get(org.id)
    if (known) return known
    const grants = new Map<number, RepoPermission>()
    for (const team of this.#world.teamsOf(org.id)) {
      if (!(user.id in team.members)) continue
      // A child team has what its ancestors have.
      for (
        let at: typeof team | undefined = team;
        at;
        at = at.parentId === null ? undefined : this.#world.get('teams', at.parentId)
      ) {
        for (const [id, permission] of Object.entries(at.repos)) {
          const before = grants.get(Number(id))
          if (before === undefined || atLeast(permission, before)) grants.set(Number(id), permission)
        }
      }
    }
    this.#grants.set(org.id, grants)
    return grants
  }

  #personMay(repo: Repo, user: User): RepoPermission | undefined {
    if (repo.ownerId === user.id) return 'admin'
    const org = this.#world.get('orgs', repo.ownerId)
    const role = org && this.role(org)
    if (org && role === 'admin') return 'admin'
    const base = org && role ? basePermission[org.defaultRepositoryPermission] : undefined
    const granted = org && role ? this.#grantsIn(org, user).get(repo.id) : undefined
    const best = Math.max(base ? ladder.indexOf(base) : -1, granted ? ladder.indexOf(granted) : -1)
    return ladder[best] ?? (repo.visibility === 'public' ? 'pull' : undefined)
  }

  #tokenReaches(repo: Repo): boolean {
    if (repo.visibility === 'public') return true
    if (this.token?.kind === 'classic') return this.scopes.includes('repo')
    return repo.ownerId in (this.token?.grants ?? {})
  }

  /** Undefined: it does not exist for this viewer. `has` is absent for somebody who is not signed in. */
  sees(repo: Repo): { has?: RepoPermission } | undefined {
    if (this.#lost?.as === 'public-only' && repo.visibility !== 'public') return undefined
    if (!this.user) return repo.visibility === 'public' ? {} : undefined
    if (!this.#tokenReaches(repo)) return undefined
    const has = this.#personMay(repo, this.user)
    return has && { has }
  }

  visible(repos: readonly Repo[]): readonly Repo[] {
    return repos.filter((repo) => this.sees(repo) !== undefined)
  }
}

const claims = z.object({ iss: z.union([z.string(), z.number()]), iat: z.number(), exp: z.number() })

/** The App whose JSON Web Token this is: signed by its key, for ten minutes at most. Undefined: it is no such token. */
export function appOf(world: World, header: string | undefined): GithubApp | undefined {
  const [, head = '', body = '', signature = ''] = /^Bearer ([\w-]+)\.([\w-]+)\.([\w-]+)$/i.exec(header ?? '') ?? []
  if (signature === '') return undefined
  const said = claims.safeParse(JSON.parse(Buffer.from(body, 'base64url').toString()))
  const app = said.success ? world.get('apps', Number(said.data.iss)) : undefined
  if (!said.success || app === undefined) throw new Refusal(401, 'Integration not found')
  const { iat, exp } = said.data
  const now = world.milliseconds / 1000
  if (exp < now || exp > now + 600 || iat > now + 60) {
    throw new Refusal(401, "'Expiration time' claim ('exp') must be a numeric value representing the future time")
  }
  const signed = verify(
    'RSA-SHA256',
    Buffer.from(`${head}.${body}`),
    app.publicKey,
    Buffer.from(signature, 'base64url'),
  )
  if (!signed) throw new Refusal(401, 'A JSON web token could not be decoded')
  return app
}

/** `Authorization: Bearer|token X`, or Basic with the token as password. Absent is anonymous, wrong is 401. */
export function tokenOf(world: World, header: string | undefined): Token | undefined {
  if (header === undefined || header === '') return undefined
  const [scheme = '', value = ''] = header.trim().split(/\s+/, 2)
  let secret = value
  if (scheme.toLowerCase() === 'basic') secret = Buffer.from(value, 'base64').toString().split(':').slice(1).join(':')
  else if (!['bearer', 'token'].includes(scheme.toLowerCase())) throw badCredentials()
  const hash = hashToken(secret)
  for (const token of world.all('tokens')) {
    if (token.hash !== hash) continue
    if (token.revoked || (token.expiresAt !== null && token.expiresAt <= world.stamp())) break
    return token
  }
  throw badCredentials()
}
