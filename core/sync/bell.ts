import type { Ports } from './engine.ts'

/** Lets loops sleep until something happens. A ring while nobody waits is kept for the next wait. */
export interface Bell {
  readonly ring: () => void
  /** Resolves at the next ring (true), after so many milliseconds, or when the signal aborts. */
  wait(clock: Ports['clock'], milliseconds: number, signal: AbortSignal): Promise<boolean>
}

export function createBell(): Bell {
  let rung = new AbortController()
  return {
    ring() {
      rung.abort()
    },
    async wait(clock, milliseconds, signal) {
      if (!rung.signal.aborted) await clock.sleep(milliseconds, AbortSignal.any([signal, rung.signal]))
      const { aborted } = rung.signal
      if (aborted) rung = new AbortController()
      return aborted
    },
  }
}
