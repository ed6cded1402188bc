// What a token must be allowed to do inside a repository.
import { forbidden, notFound, tokenLacks } from '../http/refusal.ts'
import type { Call } from '../http/route.ts'
import type { FinePermission, Repo, User } from '../state/model.ts'
import { mayAtLeast, orgOf, repoOf } from './find.ts'

type InRepository = Call<'owner' | 'repo'>

function fine(call: Call, repo: Repo, permission: FinePermission, level: 'read' | 'write'): void {
  const { token } = call.viewer
  if (token?.kind !== 'fine-grained') return
  if (repo.visibility === 'public' && level === 'read' && !guarded.has(permission)) return
  const granted = token.grants[repo.ownerId]?.[permission]
  if (granted !== level && granted !== 'write') throw tokenLacks(`${permission}=${level}`)
}

/** Never public, whatever the repository is. */
const guarded = new Set<FinePermission>(['vulnerability_alerts', 'security_events', 'secret_scanning_alerts'])

/** The repository, if the token may read this of it. */
export function readable(call: InRepository, permission: FinePermission): Repo {
  const { repo } = repoOf(call)
  fine(call, repo, permission, 'read')
  return repo
}

/** The repository and who changes it, if both may: a person needs to push, and nothing of an archived one changes. */
export function writable(call: InRepository, permission: FinePermission): { repo: Repo; actor: User } {
  const { repo, has } = repoOf(call)
  fine(call, repo, permission, 'write')
  const { token } = call.viewer
  const scope = repo.visibility === 'public' ? 'public_repo' : 'repo'
  if (token?.kind === 'classic' && !call.viewer.scopes.includes(scope)) throw notFound()
  if (!mayAtLeast(has, 'push')) throw forbidden('Resource not accessible by this person')
  if (repo.archived) throw forbidden('Repository was archived so is read-only.')
  return { repo, actor: call.viewer.person }
}

/** The repositories of an organisation whose alerts the viewer may list: an owner's, since only owners may. */
export function alerted(call: Call<'org'>, permission: FinePermission): readonly Repo[] {
  const org = orgOf(call)
  call.viewer.requireOwner(org, { classic: ['repo', 'security_events'], fine: [permission, 'read'] })
  return call.viewer.visible(call.app.world.reposOf(org.id))
}
