import type { PingEvent } from '@octokit/webhooks-types'
import { z } from 'zod'
import { byCursor, paged } from '../http/paging.ts'
import { invalid, notFound } from '../http/refusal.ts'
import { type Call, change, noContent, type Route, reply, route } from '../http/route.ts'
import type { Need } from '../http/viewer.ts'
import { deliveryItem, fullDelivery, orgHook } from '../shapes/hook.ts'
import type { Delivery, Hook, HookConfig, Org, User } from '../state/model.ts'
import { type Change, enqueue, signedBy } from '../webhooks/emit.ts'
import { orgOf } from './find.ts'
import { read } from './input.ts'

const readsHooks: Need = { classic: ['admin:org_hook'], fine: ['organization_hooks', 'read'] }
const writesHooks: Need = { classic: ['admin:org_hook'], fine: ['organization_hooks', 'write'] }

export const hookConfig = z.object({
  url: z.url({ protocol: /^https?$/ }),
  content_type: z.enum(['json', 'form']).default('form'),
  secret: z.string().optional(),
  insecure_ssl: z.union([z.enum(['0', '1']), z.literal(0), z.literal(1)]).default('0'),
})
export const creation = z.object({
  name: z.literal('web'),
  active: z.boolean().default(true),
  events: z.array(z.string()).min(1).default(['push']),
  config: hookConfig,
})
export const update = z.object({
  active: z.boolean().optional(),
  events: z.array(z.string()).min(1).optional(),
  config: hookConfig.optional(),
})

export const configOf = (wanted: z.output<typeof hookConfig>, before?: HookConfig): HookConfig => ({
  url: wanted.url,
  contentType: wanted.content_type,
  insecureSsl: String(wanted.insecure_ssl) === '1' ? '1' : '0',
  // A missing secret takes the old one away, as on GitHub, where the whole configuration is replaced.
  secret: wanted.secret === '********' ? (before?.secret ?? null) : (wanted.secret ?? null),
})

/** A hook as a change to it leaves it: what is not said stays. */
export const amended = (hook: Hook, wanted: z.output<typeof update>, updatedAt: Hook['updatedAt']): Hook => ({
  ...hook,
  active: wanted.active ?? hook.active,
  events: wanted.events ?? hook.events,
  config: wanted.config ? configOf(wanted.config, hook.config) : hook.config,
  updatedAt,
})

export const number = (text: string): number => (/^\d+$/.test(text) ? Number(text) : -1)

function hookOf(call: Call<'org' | 'hook'>, need: Need): { org: Org; hook: Hook; actor: User } {
  const org = orgOf(call)
  const actor = call.viewer.requireOwner(org, need)
  const hook = call.app.world.get('hooks', number(call.params.hook))
  if (hook?.orgId !== org.id || hook.repoId !== undefined) throw notFound()
  return { org, hook, actor }
}

function deliveryOf(call: Call<'org' | 'hook' | 'delivery'>, need: Need): { hook: Hook; delivery: Delivery } {
  const { hook } = hookOf(call, need)
  const delivery = call.app.world.get('deliveries', number(call.params.delivery))
  if (delivery?.hookId !== hook.id || delivery.pending) throw notFound()
  return { hook, delivery }
}

const hooksOf = (call: Call, org: Org): Hook[] =>
  [...call.app.world.all('hooks')].filter((hook) => hook.orgId === org.id && hook.repoId === undefined)

function ping(c: Change, org: Org, hook: Hook): void {
  const { contentType, insecureSsl, secret, url } = hook.config
  const shown = orgHook(c.at, org, hook)
  const payload: Omit<PingEvent, 'hook'> & { hook: Omit<PingEvent['hook'], 'events'> & { events: string[] } } = {
    zen: 'Keep it logically awesome.',
    hook_id: hook.id,
    hook: {
      type: 'Organization',
      id: hook.id,
      name: 'web',
      active: hook.active,
      events: [...hook.events],
      config: {
        content_type: contentType,
        insecure_ssl: insecureSsl,
        url,
        ...(secret === null ? {} : { secret: '********' }),
      },
      updated_at: hook.updatedAt,
      created_at: hook.createdAt,
      url: shown.url,
      ping_url: shown.ping_url,
      deliveries_url: `${shown.url}/deliveries`,
    },
    ...signedBy(c, org),
  }
  enqueue(c, hook, 'ping', JSON.stringify(payload), { action: null, repositoryId: null })
}

export const hookRoutes: readonly Route[] = [
  route('orgs/list-webhooks', 'GET', '/orgs/:org/hooks', (call) => {
    const org = orgOf(call)
    call.viewer.requireOwner(org, readsHooks)
    return paged(call, hooksOf(call, org), (hook) => orgHook(call.app.sites, org, hook))
  }),

  route('orgs/create-webhook', 'POST', '/orgs/:org/hooks', (call) => {
    const org = orgOf(call)
    const actor = call.viewer.requireOwner(org, writesHooks)
    const wanted = read(creation, 'Hook', call.body)
    const twin = hooksOf(call, org).find((hook) => hook.config.url === wanted.config.url)
    if (twin && [...twin.events].sort().join() === [...wanted.events].sort().join()) {
      throw invalid({ resource: 'Hook', code: 'custom', message: 'Hook already exists on this organization' })
    }
    const hook = change(call, actor, (c) => {
      const now = c.world.stamp()
      const made: Hook = {
        id: c.tx.nextId(),
        orgId: org.id,
        active: wanted.active,
        events: wanted.events,
        config: configOf(wanted.config),
        createdAt: now,
        updatedAt: now,
      }
      c.tx.put('hooks', made)
      ping(c, org, made)
      return made
    })
    const body = orgHook(call.app.sites, org, hook)
    return reply(201, body, { headers: { Location: body.url } })
  }),

  route('orgs/get-webhook', 'GET', '/orgs/:org/hooks/:hook', (call) => {
    const { org, hook } = hookOf(call, readsHooks)
    return reply(200, orgHook(call.app.sites, org, hook))
  }),

  route('orgs/update-webhook', 'PATCH', '/orgs/:org/hooks/:hook', (call) => {
    const { org, hook, actor } = hookOf(call, writesHooks)
    const wanted = read(update, 'Hook', call.body)
    const after = amended(hook, wanted, call.app.world.stamp(hook.updatedAt))
    change(call, actor, (c) => c.tx.put('hooks', after))
    return reply(200, orgHook(call.app.sites, org, after))
  }),

  route('orgs/delete-webhook', 'DELETE', '/orgs/:org/hooks/:hook', (call) => {
    const { hook, actor } = hookOf(call, writesHooks)
    change(call, actor, (c) => {
      c.tx.remove('hooks', hook.id)
      for (const delivery of c.world.all('deliveries')) {
        if (delivery.hookId === hook.id) c.tx.remove('deliveries', delivery.id)
      }
    })
    return noContent
  }),

  route('orgs/ping-webhook', 'POST', '/orgs/:org/hooks/:hook/pings', (call) => {
    const { org, hook, actor } = hookOf(call, writesHooks)
    change(call, actor, (c) => ping(c, org, hook))
    return noContent
  }),

  route('orgs/list-webhook-deliveries', 'GET', '/orgs/:org/hooks/:hook/deliveries', (call) => {
    const { hook } = hookOf(call, readsHooks)
    const sent = [...call.app.world.all('deliveries')].filter((one) => one.hookId === hook.id && !one.pending)
    return byCursor(call, sent.reverse(), deliveryItem)
  }),

  route('orgs/get-webhook-delivery', 'GET', '/orgs/:org/hooks/:hook/deliveries/:delivery', (call) => {
    const { hook, delivery } = deliveryOf(call, readsHooks)
    return reply(200, fullDelivery(hook, delivery))
  }),

  route('orgs/redeliver-webhook-delivery', 'POST', '/orgs/:org/hooks/:hook/deliveries/:delivery/attempts', (call) => {
    const { hook, delivery } = deliveryOf(call, writesHooks)
    const { action, repositoryId, guid } = delivery
    change(call, call.viewer.person, (c) =>
      enqueue(c, hook, delivery.event, delivery.payload, { action, repositoryId, guid }),
    )
    return reply(202, {})
  }),
]
