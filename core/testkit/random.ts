/** Numbers that follow from a seed alone. */
export interface Random {
  /** 0 <= n < 1. */
  next(): number
  /** An integer, 0 <= n < `limit`. */
  below(limit: number): number
  chance(probability: number): boolean
  /** Throws for an empty list. */
  pick<T>(list: readonly T[]): T
  /** One of them with its probability; none with what is left to 1. Together more than 1 are weights. */
  pickWeighted<T>(list: readonly (readonly [T, number])[]): T | undefined
  /** A generator of its own, so that drawing from one does not move the other. */
  fork(): Random
}

/** sfc32: small, fast, passes PractRand; what it draws must be the same everywhere and for ever. */
export function createRandom(seed: number): Random {
  let [a, b, c, counter] = [seed | 0, Math.trunc(seed / 0x1_0000_0000) | 0, 0x9e37_79b9 | 0, 1]
  const draw = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    c |= 0
    return sum >>> 0
  }
  for (let round = 0; round < 15; round++) draw()
  const next = (): number => draw() / 0x1_0000_0000
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick(list) {
      if (list.length === 0) throw new Error('nothing to pick from')
      // The index is below the length.
      return list[below(list.length)] as (typeof list)[number]
    },
    pickWeighted(list) {
      const sum = list.reduce((total, [, weight]) => total + weight, 0)
      let at = next() * Math.max(1, sum)
      return list.find(([, weight]) => (at -= weight) < 0)?.[0]
    },
    fork: () => createRandom(draw() * 0x20_0000 + (draw() >>> 11)),
  }
}
