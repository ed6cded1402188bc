import { type Connection, DeliveryRefused, type JsonObject, type RawDelivery, type Signal } from '../sdk/index.ts'
import type { Random } from './random.ts'
import { traits, versionOf } from './simulated-state.ts'
import type { Happening } from './thing.ts'

export const secret = 'simulated-secret'

/** What a delivery's body says. */
interface Message {
  readonly id: string
  readonly signals: readonly Signal[]
  readonly poison: boolean
}

export function delivery(id: string, signals: readonly Signal[], poison: boolean, forged: boolean): RawDelivery {
  const message: Message = { id, signals, poison }
  const body = Buffer.from(JSON.stringify(message))
  return { headers: { 'x-signature': forged ? 'forged' : `${secret} ${body.length}` }, body }
}

/** Events come with a whole body, with a part of it, or with a name alone; those of kinds without versions prove nothing. */
export function signalOf({ thing, partition, what, item, serial }: Happening, random: Random): Signal {
  const { kind, key } = thing
  const { versioned } = traits[kind]
  const version = versionOf(serial)
  if (what === 'gone')
    return { type: 'gone', kind, key, partition, ...(versioned && random.chance(0.8) ? { version } : {}) }
  const { name = null, born = null } = item
  const locator: JsonObject = { name, born, serial }
  if (!versioned || random.chance(0.4)) return { type: 'stale', kind, key, partition, locator }
  return { type: 'stale', kind, key, partition, locator, body: item, version, whole: random.chance(0.8) }
}

export const simulatedWebhook: NonNullable<Connection['webhook']> = {
  verify(raw, given) {
    if (raw.headers['x-signature'] !== `${given} ${raw.body.length}`) {
      throw new DeliveryRefused('the signature is wrong', { code: 'delivery_signature' })
    }
    return Promise.resolve({ id: read(raw).id, event: 'simulated' })
  },
  signals(raw) {
    const { signals, poison } = read(raw)
    if (poison) throw new Error('this delivery cannot be read')
    return signals
  },
}

function read(raw: RawDelivery): Message {
  // Its own words, made above.
  return JSON.parse(raw.body.toString()) as Message
}
