import type { Org, User } from '../state/model.ts'
import type { Account, World } from '../state/world.ts'
import { nodeId, type Schemas, type Sites } from './api.ts'

interface Simple {
  login: string
  id: number
  node_id: string
  avatar_url: string
  gravatar_id: string
  url: string
  html_url: string
  followers_url: string
  following_url: string
  gists_url: string
  starred_url: string
  subscriptions_url: string
  organizations_url: string
  repos_url: string
  events_url: string
  received_events_url: string
  type: 'User' | 'Bot' | 'Organization'
  site_admin: boolean
}

function simple(at: Sites, login: string, id: number, node: string, type: Simple['type']): Simple {
  const url = `${at.api}/users/${login}`
  return {
    login,
    id,
    node_id: node,
    avatar_url: `${at.web}/avatars/u/${id}?v=4`,
    gravatar_id: '',
    url,
    html_url: `${at.web}/${login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type,
    site_admin: false,
  }
}

export const eventUser = (at: Sites, user: User): Simple =>
  simple(at, user.login, user.id, nodeId('U', user.id), user.type)

export const eventOwner = (at: Sites, owner: Account): Simple =>
  owner.type === 'user'
    ? eventUser(at, owner.row)
    : simple(at, owner.row.login, owner.row.id, nodeId('O', owner.row.id), 'Organization')

export const simpleUser = (at: Sites, user: User): Schemas['simple-user'] => ({
  ...eventUser(at, user),
  user_view_type: 'public',
})

export const simpleOwner = (at: Sites, owner: Account): Schemas['simple-user'] => ({
  ...eventOwner(at, owner),
  user_view_type: 'public',
})

/** What everybody sees of a person or, through /users/:login, of an organisation. */
export function publicUser(at: Sites, world: World, account: Account): Schemas['public-user'] {
  const { row } = account
  const repos = world.reposOf(row.id).filter((repo) => repo.visibility === 'public').length
  return {
    ...simpleOwner(at, account),
    gravatar_id: '',
    name: row.name,
    company: row.company,
    blog: account.type === 'org' ? account.row.blog : '',
    location: row.location,
    email: account.type === 'org' ? account.row.email : null,
    hireable: null,
    bio: account.type === 'user' ? account.row.bio : null,
    twitter_username: null,
    public_repos: repos,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
  }
}

/** What a person sees of themselves. */
export function privateUser(at: Sites, world: World, user: User): Schemas['private-user'] {
  const own = world.reposOf(user.id).filter((repo) => repo.visibility !== 'public')
  return {
    ...publicUser(at, world, { type: 'user', row: user }),
    email: user.email,
    user_view_type: 'private',
    private_gists: 0,
    total_private_repos: own.length,
    owned_private_repos: own.length,
    disk_usage: own.reduce((sum, repo) => sum + repo.size, 0),
    collaborators: 0,
    two_factor_authentication: true,
    plan: { name: 'free', space: 976_562_499, collaborators: 0, private_repos: 10_000 },
  }
}

export function simpleOrg(at: Sites, org: Org): Schemas['organization-simple'] {
  const url = `${at.api}/orgs/${org.login}`
  return {
    login: org.login,
    id: org.id,
    node_id: nodeId('O', org.id),
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: `${at.web}/avatars/u/${org.id}?v=4`,
    description: org.description,
  }
}

/** `GET /orgs/:org`; `inside` adds what only members with the right scope see. */
export function fullOrg(at: Sites, world: World, org: Org, inside: boolean): Schemas['organization-full'] {
  const repos = world.reposOf(org.id)
  const hidden = repos.filter((repo) => repo.visibility !== 'public').length
  const seen: Schemas['organization-full'] = {
    ...simpleOrg(at, org),
    name: org.name,
    company: org.company ?? '',
    blog: org.blog ?? '',
    location: org.location ?? '',
    email: org.email ?? '',
    twitter_username: null,
    is_verified: false,
    has_organization_projects: true,
    has_repository_projects: true,
    public_repos: repos.length - hidden,
    public_gists: 0,
    followers: 0,
    following: 0,
    html_url: `${at.web}/${org.login}`,
    created_at: org.createdAt,
    updated_at: org.updatedAt,
    archived_at: null,
    type: 'Organization',
  }
  if (!inside) return seen
  const seats = Object.keys(org.members).length
  return {
    ...seen,
    total_private_repos: hidden,
    owned_private_repos: hidden,
    private_gists: 0,
    disk_usage: repos.reduce((sum, repo) => sum + repo.size, 0),
    collaborators: 0,
    billing_email: org.billingEmail,
    plan: { name: 'team', space: 976_562_499, private_repos: 999_999, filled_seats: seats, seats: seats + 10 },
    default_repository_permission: org.defaultRepositoryPermission,
    members_can_create_repositories: org.membersCanCreateRepositories,
    two_factor_requirement_enabled: true,
    members_allowed_repository_creation_type: org.membersCanCreateRepositories ? 'all' : 'none',
    members_can_create_public_repositories: org.membersCanCreateRepositories,
    members_can_create_private_repositories: org.membersCanCreateRepositories,
    members_can_create_internal_repositories: false,
    members_can_create_pages: true,
    members_can_create_public_pages: true,
    members_can_create_private_pages: true,
    members_can_fork_private_repositories: false,
    web_commit_signoff_required: false,
  }
}
