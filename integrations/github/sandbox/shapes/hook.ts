import type { Delivery, Hook, Org } from '../state/model.ts'
import type { Schemas, Sites } from './api.ts'

const hidden = '********'

const shared = (hook: Hook) => ({
  id: hook.id,
  name: 'web',
  active: hook.active,
  events: [...hook.events],
  config: {
    content_type: hook.config.contentType,
    insecure_ssl: hook.config.insecureSsl,
    url: hook.config.url,
    ...(hook.config.secret === null ? {} : { secret: hidden }),
  },
  updated_at: hook.updatedAt,
  created_at: hook.createdAt,
})

export function orgHook(at: Sites, org: Org, hook: Hook): Schemas['org-hook'] {
  const url = `${at.api}/orgs/${org.login}/hooks/${hook.id}`
  return {
    ...shared(hook),
    type: 'Organization',
    url,
    ping_url: `${url}/pings`,
    deliveries_url: `${url}/deliveries`,
  }
}

export function repoHook(at: Sites, fullName: string, hook: Hook): Schemas['hook'] {
  const url = `${at.api}/repos/${fullName}/hooks/${hook.id}`
  return {
    ...shared(hook),
    type: 'Repository',
    url,
    test_url: `${url}/tests`,
    ping_url: `${url}/pings`,
    deliveries_url: `${url}/deliveries`,
    last_response: { code: null, status: 'unused', message: null },
  }
}

export const deliveryItem = (delivery: Delivery): Schemas['hook-delivery-item'] => ({
  id: delivery.id,
  guid: delivery.guid,
  delivered_at: delivery.deliveredAt,
  redelivery: delivery.redelivery,
  duration: delivery.duration,
  status: delivery.status,
  status_code: delivery.statusCode,
  event: delivery.event,
  action: delivery.action,
  installation_id: null,
  repository_id: delivery.repositoryId,
  throttled_at: null,
})

export function fullDelivery(hook: Hook, delivery: Delivery): Schemas['hook-delivery'] {
  const payload: unknown = JSON.parse(delivery.payload)
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: delivery.deliveredAt,
    redelivery: delivery.redelivery,
    duration: delivery.duration,
    status: delivery.status,
    status_code: delivery.statusCode,
    event: delivery.event,
    action: delivery.action,
    installation_id: null,
    repository_id: delivery.repositoryId,
    throttled_at: null,
    url: hook.config.url,
    request: {
      headers: { ...delivery.requestHeaders },
      payload: typeof payload === 'object' && payload !== null ? { ...payload } : null,
    },
    response: {
      headers: delivery.responseHeaders === null ? null : { ...delivery.responseHeaders },
      payload: delivery.responsePayload,
    },
  }
}
