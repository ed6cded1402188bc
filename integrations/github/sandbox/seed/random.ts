/** A small seeded generator (mulberry32): the same seed gives the same organisation on every machine. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /** From `low` up to and including `high`. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  chance(share: number): boolean {
    return this.next() < share
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.int(0, items.length - 1)]
    if (item === undefined) throw new RangeError('nothing to pick from')
    return item
  }

  /** Up to `count` different items, in the order of `items`. */
  some<T>(items: readonly T[], count: number): T[] {
    const left = new Set(items.keys())
    while (left.size > Math.max(0, count)) left.delete(this.pick([...left]))
    return items.filter((_, i) => left.has(i))
  }
}
