// What the sandbox remembers. Rows are immutable: a change puts a new row under the same id.
// Times are ISO strings of whole seconds, as GitHub shows them.
import type { Part } from './parts.ts'

export type Key = number | string
export type Visibility = 'public' | 'private' | 'internal'
export type RepoPermission = 'pull' | 'triage' | 'push' | 'maintain' | 'admin'

export interface User {
  readonly id: number
  readonly login: string
  readonly type: 'User' | 'Bot'
  readonly name: string
  readonly email: string | null
  readonly company: string | null
  readonly location: string | null
  readonly bio: string | null
  readonly createdAt: string
  readonly updatedAt: string
}

export interface OrgMember {
  readonly role: 'admin' | 'member'
  /** A public member is shown to everybody, the others only to members. */
  readonly public: boolean
}

export interface Org {
  readonly id: number
  readonly login: string
  readonly name: string
  readonly description: string
  readonly company: string | null
  readonly blog: string | null
  readonly location: string | null
  readonly email: string | null
  readonly billingEmail: string
  readonly defaultRepositoryPermission: 'none' | 'read' | 'write' | 'admin'
  readonly membersCanCreateRepositories: boolean
  readonly members: Readonly<Record<string, OrgMember>>
  readonly createdAt: string
  readonly updatedAt: string
}

export interface Repo {
  readonly id: number
  /** An organisation or a user: both share one space of ids, as on GitHub. */
  readonly ownerId: number
  readonly name: string
  readonly description: string | null
  readonly homepage: string | null
  readonly visibility: Visibility
  readonly archived: boolean
  readonly fork: boolean
  readonly isTemplate: boolean
  readonly topics: readonly string[]
  readonly languages: Readonly<Record<string, number>>
  readonly license: string | null
  readonly defaultBranch: string
  readonly stars: number
  readonly forks: number
  readonly openIssues: number
  readonly subscribers: number
  /** Kilobytes, as GitHub counts. */
  readonly size: number
  readonly createdAt: string
  readonly updatedAt: string
  readonly pushedAt: string
  /** Set while deleted; a deleted repository can be restored under its old id. */
  readonly deletedAt: string | null
  /** True for what the script of life made, which it also takes away again. */
  readonly passing: boolean
}

export interface Team {
  readonly id: number
  readonly orgId: number
  readonly name: string
  readonly slug: string
  readonly description: string | null
  readonly privacy: 'closed' | 'secret'
  readonly notifications: boolean
  readonly parentId: number | null
  readonly members: Readonly<Record<string, 'member' | 'maintainer'>>
  readonly repos: Readonly<Record<string, RepoPermission>>
  readonly createdAt: string
  readonly updatedAt: string
}

export interface HookConfig {
  readonly url: string
  readonly contentType: 'json' | 'form'
  readonly insecureSsl: '0' | '1'
  readonly secret: string | null
}

export interface Hook {
  readonly id: number
  readonly orgId: number
  /** Of one repository alone. Absent: of the whole organisation. */
  readonly repoId?: number
  readonly active: boolean
  readonly events: readonly string[]
  readonly config: HookConfig
  readonly createdAt: string
  readonly updatedAt: string
}

export interface Delivery {
  readonly id: number
  readonly hookId: number
  readonly guid: string
  readonly event: string
  readonly action: string | null
  readonly repositoryId: number | null
  readonly redelivery: boolean
  /** Waiting to be sent. It is stored with the change it tells of, so a crash in between loses none. */
  readonly pending: boolean
  readonly deliveredAt: string
  /** Seconds. */
  readonly duration: number
  readonly status: string
  readonly statusCode: number
  /** The exact bytes that are signed and sent, before any form encoding. */
  readonly payload: string
  readonly requestHeaders: Readonly<Record<string, string>>
  readonly responseHeaders: Readonly<Record<string, string>> | null
  readonly responsePayload: string | null
}

export type Level = 'read' | 'write'
/** Names of fine-grained permissions that the served routes ask for. */
export type FinePermission =
  | 'metadata'
  | 'administration'
  | 'members'
  | 'organization_administration'
  | 'organization_hooks'
  | 'repository_hooks'
  | 'actions'
  | 'contents'
  | 'deployments'
  | 'environments'
  | 'issues'
  | 'pull_requests'
  | 'secret_scanning_alerts'
  | 'security_events'
  | 'vulnerability_alerts'

export interface Token {
  readonly id: number
  readonly name: string
  readonly kind: 'classic' | 'fine-grained'
  /** Made by an App for this installation of it: nobody's own, though it may do what an owner lets it. */
  readonly installation?: number
  /** SHA-256 of the token in hexadecimal; the token itself is shown once and not kept here. */
  readonly hash: string
  readonly userId: number
  /** Classic scopes. */
  readonly scopes: readonly string[]
  /** Fine-grained: permissions by organisation id; an organisation that is missing was not granted. */
  readonly grants: Readonly<Record<string, Readonly<Partial<Record<FinePermission, Level>>>>>
  readonly expiresAt: string | null
  readonly revoked: boolean
}

/** A GitHub App, by its public key alone. */
export interface GithubApp {
  readonly id: number
  readonly slug: string
  readonly publicKey: string
  readonly createdAt: string
  readonly installations: readonly {
    readonly id: number
    readonly orgId: number
    readonly permissions: Token['grants'][string]
  }[]
}

/** Where a former owner/name (lower case) leads to. */
interface Redirect {
  readonly id: string
  readonly repoId: number
}

export interface Meta {
  readonly id: 'meta'
  readonly seed: number
  readonly nextId: number
  readonly lifeStep: number
  /** The port of the first start, so that the addresses inside bodies stay the same after a restart. */
  readonly port: number
}

export interface Tables {
  meta: Meta
  users: User
  orgs: Org
  repos: Repo
  teams: Team
  hooks: Hook
  deliveries: Delivery
  tokens: Token
  apps: GithubApp
  redirects: Redirect
  parts: Part
}
export type TableName = keyof Tables
export const tableNames = [
  'meta',
  'users',
  'orgs',
  'repos',
  'teams',
  'hooks',
  'deliveries',
  'tokens',
  'apps',
  'redirects',
  'parts',
] as const satisfies readonly TableName[]
