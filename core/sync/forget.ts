import { now, type Session } from './session.ts'
import { transition } from './states.ts'

const DAY = 24 * 3_600_000
/** How often it is looked for deliveries that may be forgotten. */
const EVERY = 3_600_000
/** In one transaction. */
const AT_A_TIME = 1000

/**
 * Deliveries that were applied are forgotten after a while: so long a copy is known as one, and people can look at it. Those
 * that were set aside stay until a person replays them, or removes the source. Answers how many.
 */
export async function forgetDeliveries(session: Session): Promise<number> {
  const { ports, fence, source, settings, forgetting } = session
  if (now(session) < forgetting.lookAt) return 0
  const count = await ports.store.forgetDeliveries(
    fence,
    source.id,
    now(session) - settings.deliveryDays * DAY,
    AT_A_TIME,
  )
  if (count > 0) transition('delivery', 'applied', 'forget', settings.onTransition)
  if (count < AT_A_TIME) forgetting.lookAt = now(session) + EVERY
  return count
}
