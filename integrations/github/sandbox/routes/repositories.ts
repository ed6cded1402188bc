import { z } from 'zod'
import { createRepo, deleteRepo, transferRepo, updateRepo } from '../changes/repositories.ts'
import { grantRepo } from '../changes/teams.ts'
import { paged } from '../http/paging.ts'
import { forbidden, invalid, notFound, tokenLacks, unprocessable } from '../http/refusal.ts'
import { type Call, change, noContent, type Route, reply, route } from '../http/route.ts'
import { fullRepository, minimalRepository } from '../shapes/repository.ts'
import { listedTeam } from '../shapes/team.ts'
import type { Repo, Visibility } from '../state/model.ts'
import { mayAtLeast, orgOf, repoOf, seesTeam } from './find.ts'
import { given, read, repoName, topicNames } from './input.ts'

const listing = z.object({
  type: z.enum(['all', 'public', 'private', 'forks', 'sources', 'member', 'internal']).catch('all'),
  sort: z.enum(['created', 'updated', 'pushed', 'full_name']).catch('created'),
  direction: z.enum(['asc', 'desc']).optional().catch(undefined),
})

const ofType = (type: z.output<typeof listing>['type'], repo: Repo): boolean => {
  if (type === 'forks') return repo.fork
  if (type === 'sources') return !repo.fork
  if (type === 'public' || type === 'internal') return repo.visibility === type
  return type === 'private' ? repo.visibility !== 'public' : true
}

const creation = z.object({
  name: repoName,
  description: z.string().nullish(),
  homepage: z.string().nullish(),
  private: z.boolean().optional(),
  visibility: z.enum(['public', 'private']).optional(),
  is_template: z.boolean().default(false),
  team_id: z.int().optional(),
  license_template: z.string().optional(),
})

const update = z.object({
  name: repoName.optional(),
  description: z.string().nullish(),
  homepage: z.string().nullish(),
  private: z.boolean().optional(),
  visibility: z.enum(['public', 'private']).optional(),
  archived: z.boolean().optional(),
  is_template: z.boolean().optional(),
  default_branch: z.string().min(1).optional(),
})

const visibilityOf = (fields: { private?: boolean | undefined; visibility?: Visibility | undefined }) =>
  fields.visibility ?? (fields.private === undefined ? undefined : fields.private ? 'private' : 'public')

const nameTaken = (): Error =>
  invalid({ resource: 'Repository', field: 'name', code: 'custom', message: 'name already exists on this account' })

/** The repository, if the viewer and their token may administer it. */
function administered(call: Call<'owner' | 'repo'>): { repo: Repo; has: 'admin' } {
  const { repo, has } = repoOf(call)
  const { token } = call.viewer
  if (token?.kind === 'fine-grained' && token.grants[repo.ownerId]?.administration !== 'write') {
    throw tokenLacks('administration=write')
  }
  const scope = repo.visibility === 'public' ? 'public_repo' : 'repo'
  if (token?.kind === 'classic' && !call.viewer.scopes.includes(scope)) throw notFound()
  if (has === undefined) throw notFound()
  if (has !== 'admin') throw forbidden('Must have admin rights to Repository.')
  return { repo, has }
}

export const repositoryRoutes: readonly Route[] = [
  route('repos/list-for-org', 'GET', '/orgs/:org/repos', (call) => {
    const org = orgOf(call)
    const { type, sort, direction } = listing.parse(Object.fromEntries(call.query))
    const order = direction ?? (sort === 'full_name' ? 'asc' : 'desc')
    const repos = call.viewer.visible(call.app.world.reposOf(org.id, sort, order))
    const wanted = type === 'all' ? repos : repos.filter((repo) => ofType(type, repo))
    return paged(call, wanted, (repo) =>
      minimalRepository(call.app.sites, call.app.world, repo, call.viewer.sees(repo)?.has),
    )
  }),

  route('repos/list-for-user', 'GET', '/users/:user/repos', (call) => {
    const account = call.app.world.account(call.params.user)
    if (!account) throw notFound()
    const repos = call.viewer.visible(call.app.world.reposOf(account.row.id, 'full_name', 'asc'))
    return paged(call, repos, (repo) =>
      minimalRepository(call.app.sites, call.app.world, repo, call.viewer.sees(repo)?.has),
    )
  }),

  route('repos/get', 'GET', '/repos/:owner/:repo', (call) => {
    const { repo, has } = repoOf(call)
    return reply(200, fullRepository(call.app.sites, call.app.world, repo, has), { lastModified: repo.updatedAt })
  }),

  route('repos/create-in-org', 'POST', '/orgs/:org/repos', (call) => {
    const org = orgOf(call)
    const actor = call.viewer.require(org, { classic: ['repo', 'public_repo'], fine: ['administration', 'write'] })
    const role = call.viewer.role(org)
    if (!role) throw notFound()
    if (role === 'member' && !org.membersCanCreateRepositories) {
      throw forbidden('You need admin access to the organization before adding a repository to it.')
    }
    const fields = read(creation, 'Repository', call.body)
    if (call.app.world.repo(org.login, fields.name)) throw nameTaken()
    const team = fields.team_id === undefined ? undefined : call.app.world.get('teams', fields.team_id)
    const repo = change(call, actor, (c) => {
      const made = createRepo(c, org, {
        name: fields.name,
        description: fields.description ?? null,
        homepage: fields.homepage ?? null,
        visibility: visibilityOf(fields) ?? 'public',
        isTemplate: fields.is_template,
        license: fields.license_template ?? null,
      })
      if (team?.orgId === org.id) grantRepo(c, org, team, made, 'push')
      return made
    })
    const body = fullRepository(call.app.sites, call.app.world, repo, 'admin')
    return reply(201, body, { headers: { Location: body.url } })
  }),

  route('repos/update', 'PATCH', '/repos/:owner/:repo', (call) => {
    const { repo: before, has } = administered(call)
    const fields = read(update, 'Repository', call.body)
    const { login } = call.app.world.owner(before).row
    const namesake = fields.name === undefined ? undefined : call.app.world.repo(login, fields.name)
    if (namesake && namesake.id !== before.id) throw nameTaken()
    if (before.archived && fields.archived !== false) throw forbidden('Repository was archived so is read-only.')
    const { is_template: isTemplate, default_branch: defaultBranch, private: _private, ...rest } = fields
    const changes = given({ ...rest, isTemplate, defaultBranch, visibility: visibilityOf(fields) })
    const repo = change(call, call.viewer.person, (c) => updateRepo(c, before, changes))
    return reply(200, fullRepository(call.app.sites, call.app.world, repo, has))
  }),

  route('repos/delete', 'DELETE', '/repos/:owner/:repo', (call) => {
    const { repo } = administered(call)
    if (call.viewer.token?.kind === 'classic' && !call.viewer.scopes.includes('delete_repo')) {
      throw forbidden('Must have admin rights to Repository.', { 'X-Accepted-OAuth-Scopes': 'delete_repo' })
    }
    change(call, call.viewer.person, (c) => deleteRepo(c, repo))
    return noContent
  }),

  route('repos/transfer', 'POST', '/repos/:owner/:repo/transfer', (call) => {
    const { repo: before } = administered(call)
    const fields = read(z.object({ new_owner: z.string(), new_name: repoName.optional() }), 'Repository', call.body)
    const to = call.app.world.account(fields.new_owner)
    if (!to) throw unprocessable(`Repositories cannot be transferred to ${fields.new_owner}`)
    const name = fields.new_name ?? before.name
    if (call.app.world.repo(to.row.login, name)) throw nameTaken()
    if (to.type === 'org' && !call.viewer.role(to.row)) throw forbidden('You must have admin rights to the new owner.')
    const repo = change(call, call.viewer.person, (c) => transferRepo(c, before, to, name))
    const has = call.viewer.sees(repo)?.has
    return reply(202, minimalRepository(call.app.sites, call.app.world, repo, has))
  }),

  route('repos/list-languages', 'GET', '/repos/:owner/:repo/languages', (call) =>
    reply(200, { ...repoOf(call).repo.languages }),
  ),

  route('repos/get-all-topics', 'GET', '/repos/:owner/:repo/topics', (call) =>
    reply(200, { names: [...repoOf(call).repo.topics] }),
  ),

  route('repos/replace-all-topics', 'PUT', '/repos/:owner/:repo/topics', (call) => {
    const { repo } = administered(call)
    const { names } = read(z.object({ names: topicNames }), 'Repository', call.body)
    const topics = [...new Set(names)]
    change(call, call.viewer.person, (c) => updateRepo(c, repo, { topics }))
    return reply(200, { names: topics })
  }),

  route('repos/list-teams', 'GET', '/repos/:owner/:repo/teams', (call) => {
    const { repo, has } = repoOf(call)
    const org = call.app.world.get('orgs', repo.ownerId)
    if (!mayAtLeast(has, 'push')) throw notFound()
    const teams = org ? call.app.world.teamsOf(org.id).filter((team) => repo.id in team.repos) : []
    const seen = teams.filter((team) => org && seesTeam(call, org, team))
    return paged(call, org ? seen.map((team) => ({ org, team })) : [], (item) =>
      listedTeam(call.app.sites, call.app.world, item.org, item.team, item.team.repos[repo.id]),
    )
  }),
]
