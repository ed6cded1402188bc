// Webhooks of one repository: what who owns no organisation can make.
import { byCursor, paged } from '../http/paging.ts'
import { forbidden, invalid, notFound, tokenLacks } from '../http/refusal.ts'
import { type Call, change, noContent, type Route, reply, route } from '../http/route.ts'
import { deliveryItem, repoHook } from '../shapes/hook.ts'
import type { Delivery, Hook, Level, Repo, User } from '../state/model.ts'
import { enqueue } from '../webhooks/emit.ts'
import { repoOf } from './find.ts'
import { amended, configOf, creation, number, update } from './hooks.ts'
import { read } from './input.ts'

/** The repository, if the viewer administers it and their token may look after its webhooks. */
function administered(call: Call<'owner' | 'repo'>, level: Level): { repo: Repo; actor: User } {
  const { repo, has } = repoOf(call)
  const { token } = call.viewer
  const granted = token?.grants[repo.ownerId]?.repository_hooks
  if (token?.kind === 'fine-grained' && granted !== level && granted !== 'write') {
    throw tokenLacks(`repository_hooks=${level}`)
  }
  const scopes = ['repo', 'admin:repo_hook']
  if (token?.kind === 'classic' && !scopes.some((scope) => call.viewer.scopes.includes(scope))) throw notFound()
  if (has === undefined) throw notFound()
  if (has !== 'admin') throw forbidden('Must have admin rights to Repository.')
  return { repo, actor: call.viewer.person }
}

function hookOf(call: Call<'owner' | 'repo' | 'hook'>, level: Level): { repo: Repo; hook: Hook; actor: User } {
  const found = administered(call, level)
  const hook = call.app.world.get('hooks', number(call.params.hook))
  if (hook?.repoId !== found.repo.id) throw notFound()
  return { ...found, hook }
}

const hooksOf = (call: Call, repo: Repo): Hook[] =>
  [...call.app.world.all('hooks')].filter((hook) => hook.repoId === repo.id)

const nameOf = (call: Call, repo: Repo): string =>
  `${call.app.world.get('orgs', repo.ownerId)?.login ?? 'ghost'}/${repo.name}`

export const repoHookRoutes: readonly Route[] = [
  route('repos/list-webhooks', 'GET', '/repos/:owner/:repo/hooks', (call) => {
    const { repo } = administered(call, 'read')
    return paged(call, hooksOf(call, repo), (hook) => repoHook(call.app.sites, nameOf(call, repo), hook))
  }),

  route('repos/create-webhook', 'POST', '/repos/:owner/:repo/hooks', (call) => {
    const { repo, actor } = administered(call, 'write')
    const wanted = read(creation, 'Hook', call.body)
    if (hooksOf(call, repo).some((hook) => hook.config.url === wanted.config.url)) {
      throw invalid({ resource: 'Hook', code: 'custom', message: 'Hook already exists on this repository' })
    }
    const hook = change(call, actor, (c) => {
      const now = c.world.stamp()
      const { active, events } = wanted
      const made = { id: c.tx.nextId(), orgId: repo.ownerId, repoId: repo.id, active, events }
      const row: Hook = { ...made, config: configOf(wanted.config), createdAt: now, updatedAt: now }
      c.tx.put('hooks', row)
      return row
    })
    return reply(201, repoHook(call.app.sites, nameOf(call, repo), hook))
  }),

  route('repos/update-webhook', 'PATCH', '/repos/:owner/:repo/hooks/:hook', (call) => {
    const { repo, hook, actor } = hookOf(call, 'write')
    const wanted = read(update, 'Hook', call.body)
    const after = amended(hook, wanted, call.app.world.stamp(hook.updatedAt))
    change(call, actor, (c) => c.tx.put('hooks', after))
    return reply(200, repoHook(call.app.sites, nameOf(call, repo), after))
  }),

  route('repos/delete-webhook', 'DELETE', '/repos/:owner/:repo/hooks/:hook', (call) => {
    const { hook, actor } = hookOf(call, 'write')
    change(call, actor, (c) => c.tx.remove('hooks', hook.id))
    return noContent
  }),

  route('repos/list-webhook-deliveries', 'GET', '/repos/:owner/:repo/hooks/:hook/deliveries', (call) => {
    const { hook } = hookOf(call, 'read')
    const sent = [...call.app.world.all('deliveries')].filter((one) => one.hookId === hook.id && !one.pending)
    return byCursor(call, sent.reverse(), deliveryItem)
  }),

  route(
    'repos/redeliver-webhook-delivery',
    'POST',
    '/repos/:owner/:repo/hooks/:hook/deliveries/:delivery/attempts',
    (call) => {
      const { hook, actor } = hookOf(call, 'write')
      const delivery: Delivery | undefined = call.app.world.get('deliveries', number(call.params.delivery))
      if (delivery?.hookId !== hook.id || delivery.pending) throw notFound()
      const { action, repositoryId, guid, event, payload } = delivery
      change(call, actor, (c) => enqueue(c, hook, event, payload, { action, repositoryId, guid }))
      return reply(202, {})
    },
  ),
]
