import type { SourceRow } from '../catalog/stored.ts'
import { DeliveryRefused, type RawDelivery } from '../sdk/index.ts'
import type { Engine, Ports, SourceRuntime } from './engine.ts'
import { Backlogged } from './errors.ts'
import { reduce } from './keep-less.ts'
import type { Settings } from './session.ts'
import { transition } from './states.ts'

/** How many deliveries may come in before the backlog is counted again. */
const RECOUNT = 100
const RETRY_SECONDS = 60

export type Receiver = (delivery: RawDelivery) => ReturnType<Engine['deliver']>

/** Verified on the raw bytes, then committed to the inbox, and only then answered (I6). Needs no lease: any process may take it. */
export function createReceiver(ports: Ports, runtime: SourceRuntime, settings: Settings, source: SourceRow): Receiver {
  let counted = Number.POSITIVE_INFINITY
  let since = 0
  let refusing = false

  const makeRoom = async (): Promise<void> => {
    if (counted + since >= settings.backlogLimit || since >= RECOUNT) {
      counted = await ports.store.backlog(source.id)
      since = 0
    }
    if (counted + since < settings.backlogLimit) {
      refusing = false
      return
    }
    // Most senders do not try again, so what is refused now is found by a scan.
    if (!refusing) for (const kind of runtime.kinds) await ports.store.requestScan(source.id, kind)
    refusing = true
    throw new Backlogged(runtime.name, counted + since, RETRY_SECONDS)
  }

  return async (delivery) => {
    const { webhook } = runtime.connection
    if (webhook === undefined || runtime.webhookSecret === undefined) {
      throw new DeliveryRefused(`The source "${runtime.name}" takes no deliveries.`, {
        code: 'delivery_unsigned',
        hint: 'Set webhooks.secret in catchment.yaml to the secret that the sender signs with.',
      })
    }
    const { id, event } = await webhook.verify(delivery, runtime.webhookSecret)
    await makeRoom()
    const { headers, body } = runtime.keeping === undefined ? delivery : reduce(runtime.connection, delivery)
    const outcome = await ports.store.accept(source.id, { id, event, headers, body })
    if (outcome === 'accepted') since += 1
    const from = outcome === 'accepted' ? 'none' : 'accepted'
    transition('delivery', from, outcome === 'accepted' ? 'accept' : 'repeat', settings.onTransition)
    ports.onEvent?.({ type: 'delivery', source: runtime.name, event, outcome })
    return { outcome, id, event }
  }
}
