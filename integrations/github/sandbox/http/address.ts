// GitHub knows one thing under several paths: by name, by id, and (on GitHub Enterprise Server) below /api/v3.
import type { World } from '../state/world.ts'

export interface Address {
  /** Path segments by name: what routes are matched on. */
  readonly parts: readonly string[]
  /** The organisation (or other owner) that the path lies in. */
  readonly owner: string | undefined
  readonly name: string
  /** The same with ids, as in links. */
  readonly stable: string
}

const id = (text: string | undefined): number => (text !== undefined && /^\d+$/.test(text) ? Number(text) : -1)

/** Rewrites /repositories/:id, /organizations/:id, /organizations/:id/team/:id, /teams/:id and /user/:id to names. */
function byName(world: World, parts: readonly string[]): readonly string[] | undefined {
  const [first, second, third, fourth] = parts
  if (first === 'repositories' && second !== undefined) {
    const repo = world.get('repos', id(second))
    if (!repo || repo.deletedAt !== null) return undefined
    return ['repos', world.owner(repo).row.login, repo.name, ...parts.slice(2)]
  }
  if (first === 'organizations' && second !== undefined) {
    const org = world.get('orgs', id(second))
    if (!org) return undefined
    if (third !== 'team') return ['orgs', org.login, ...parts.slice(2)]
    const team = world.get('teams', id(fourth))
    return team?.orgId === org.id ? ['orgs', org.login, 'teams', team.slug, ...parts.slice(4)] : undefined
  }
  if (first === 'teams' && second !== undefined) {
    const team = world.get('teams', id(second))
    const org = team && world.get('orgs', team.orgId)
    return team && org ? ['orgs', org.login, 'teams', team.slug, ...parts.slice(2)] : undefined
  }
  if (first === 'user' && parts.length === 2 && id(second) >= 0) {
    const login = world.get('users', id(second))?.login ?? world.get('orgs', id(second))?.login
    return login === undefined ? undefined : ['users', login]
  }
  return parts
}

function byId(world: World, parts: readonly string[]): string {
  const [first, second = '', third = '', fourth = ''] = parts
  const org = first === 'orgs' ? world.org(second) : undefined
  if (org) {
    const team = third === 'teams' && parts.length > 4 ? world.team(org.id, fourth) : undefined
    const rest = team ? ['team', String(team.id), ...parts.slice(4)] : parts.slice(2)
    return `/${['organizations', String(org.id), ...rest].join('/')}`
  }
  const repo = first === 'repos' ? world.repo(second, third) : undefined
  return `/${(repo ? ['repositories', String(repo.id), ...parts.slice(3)] : parts).join('/')}`
}

/** Undefined where an id leads to nothing. */
export function addressOf(world: World, path: string): Address | undefined {
  const asked = path.split('/').slice(1).map(decodePart)
  const parts = byName(world, asked)
  if (parts === undefined) return undefined
  const owner = parts[0] === 'orgs' || parts[0] === 'repos' ? parts[1] : undefined
  return { parts, owner, name: `/${parts.join('/')}`, stable: byId(world, parts) }
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
