import type { RawDelivery } from '../sdk/index.ts'
import type { Faults } from './faults.ts'
import type { Mix } from './mix.ts'
import type { Random } from './random.ts'
import { delivery, signalOf } from './simulated-webhook.ts'
import type { Happening, SourceName } from './thing.ts'

export interface Parcel {
  readonly source: SourceName
  readonly id: string
  readonly raw: RawDelivery
  readonly forged: boolean
  /** Step before which it does not arrive. */
  readonly due: number
}

/** What the sources sent and what has not arrived yet: deliveries are lost, repeated, late and in any order. */
export class Network {
  readonly #random: Random
  readonly #faults: Faults
  readonly #mix: Mix
  #parcels: Parcel[] = []
  #sent = 0

  constructor(random: Random, faults: Faults, mix: Mix) {
    this.#mix = mix
    this.#random = random
    this.#faults = faults
  }

  get size(): number {
    return this.#parcels.length
  }

  send(happenings: readonly Happening[], step: number): void {
    for (const happening of happenings) {
      const { source, kind } = happening.thing
      const id = `${source}-${++this.#sent}`
      if (this.#faults.happens('delivery-lost')) continue
      const resync = this.#faults.happens('delivery-resync')
      const poison = this.#faults.happens('delivery-poison')
      const forged = this.#faults.happens('delivery-forged')
      const signal = resync ? ({ type: 'resync', kind } as const) : signalOf(happening, this.#random)
      const slow = happening.what === 'gone' && this.#faults.on && this.#random.chance(this.#mix.lateGone)
      if (slow) this.#faults.count('delivery-late')
      const late = slow || this.#faults.happens('delivery-late') ? 200 + this.#random.below(600) : 0
      const parcel = { source, id, raw: delivery(id, [signal], poison, forged), forged }
      const copies = this.#faults.happens('delivery-repeated') ? 2 + this.#random.below(2) : 1
      for (let copy = 0; copy < copies; copy++) {
        this.#parcels.push({ ...parcel, due: step + late + this.#random.below(60) })
      }
    }
  }

  /** One that may arrive now. */
  take(step: number): Parcel | undefined {
    const due = this.#parcels.filter((parcel) => parcel.due <= step)
    if (due.length === 0) return undefined
    const parcel = this.#random.pick(due)
    if (parcel !== this.#parcels[0]) this.#faults.count('delivery-reordered')
    this.#parcels.splice(this.#parcels.indexOf(parcel), 1)
    return parcel
  }

  /** Nothing is late any more. */
  hurry(): void {
    this.#parcels = this.#parcels.map((parcel) => ({ ...parcel, due: 0 }))
  }
}
