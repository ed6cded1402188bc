import { isUtf8 } from 'node:buffer'
import { Webhooks } from '@octokit/webhooks'
import {
  BadAnswer,
  DeliveryRefused,
  isObject,
  type Json,
  type RawDelivery,
  type Signal,
  type VerifiedDelivery,
} from '../../core/sdk/index.ts'
import { handlers } from './events.ts'
import type { Scope } from './scope.ts'

/** Checks X-Hub-Signature-256 over the raw bytes, in constant time. Throws DeliveryRefused. */
export async function verify(delivery: RawDelivery, secret: string): Promise<VerifiedDelivery> {
  const { headers, body } = delivery
  const signature = headers['x-hub-signature-256']
  if (signature === undefined || signature === '') {
    throw new DeliveryRefused('The delivery carries no X-Hub-Signature-256.', {
      code: 'delivery_unsigned',
      hint: 'Set a secret at the webhook on GitHub, the same as `webhooks.secret` of this source.',
    })
  }
  // Octokit signs text. Bytes that are no UTF-8 would become other bytes on the way, so they never reach it.
  const signed = body.length > 0 && secret !== '' && isUtf8(body) ? body.toString('utf8') : undefined
  if (signed === undefined || !(await new Webhooks({ secret }).verify(signed, signature))) {
    throw new DeliveryRefused('The signature of the delivery does not match.', {
      code: 'delivery_signature',
      hint: 'The secret at the webhook on GitHub and `webhooks.secret` of this source must be the same.',
    })
  }
  const id = headers['x-github-delivery']
  const event = headers['x-github-event']
  if (id === undefined || id === '' || event === undefined || event === '') {
    throw new DeliveryRefused('The delivery lacks X-GitHub-Delivery or X-GitHub-Event.', { code: 'delivery_malformed' })
  }
  const payload = parse(signed)
  if (!isObject(payload)) {
    throw new DeliveryRefused('The body of the delivery is no JSON object.', {
      code: 'delivery_malformed',
      hint: 'Set the content type of the webhook on GitHub to application/json.',
    })
  }
  const action = payload['action']
  return { id, event: typeof action === 'string' ? `${event}.${action}` : event }
}

function parse(text: string): Json | undefined {
  try {
    // JSON.parse gives nothing but JSON.
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

/** What a delivery says may have changed; nothing for events that concern no kind and for owners that are not ours. */
export function signals(
  delivery: RawDelivery,
  scope: Pick<Scope, 'partitionOf'>,
  only?: readonly string[],
  extras = false,
): readonly Signal[] {
  const event = delivery.headers['x-github-event'] ?? ''
  const handler = Object.hasOwn(handlers, event) ? handlers[event] : undefined
  if (handler === undefined) return []
  const payload = parse(delivery.body.toString('utf8'))
  if (!isObject(payload)) throw new BadAnswer(`webhook ${event}: $: expected an object`)
  return handler(payload, { partitionOf: scope.partitionOf, wants: wanted(only), extras })
}

function wanted(only: readonly string[] | undefined): (fullName: string) => boolean {
  if (only === undefined) return () => true
  const names = new Set(only.map((name) => name.toLowerCase()))
  return (fullName) => names.has(fullName.toLowerCase())
}
