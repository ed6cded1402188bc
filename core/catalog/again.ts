import { MappingMoved, StaleDecision } from './refusals.ts'

const attempts = 5

/** Somebody else wrote at the same time: looks and decides again, a few times. Throws what the last one threw. */
export async function again<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const moved = error instanceof StaleDecision || error instanceof MappingMoved
      if (!moved || attempt === attempts) throw error
    }
  }
}
