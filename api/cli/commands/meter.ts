import { setTimeout as pause } from 'node:timers/promises'
import type { SourceConfig } from '../../../core/config/index.ts'
import { type BudgetState, Budgets } from '../../../core/http/index.ts'
import type { Tools } from '../../../core/sdk/index.ts'
import { openHttp } from '../start/open-http.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** HTTP as the engine calls a source, with a clock beside it. */
export interface Meter {
  readonly tools: Tools
  /** Milliseconds that each answered request took. */
  readonly took: readonly number[]
  budget(): BudgetState
  close(): Promise<void>
}

/** `folder`: of the configuration file. */
export function openMeter(
  source: Pick<SourceConfig, 'config' | 'quota'>,
  environment: Environment,
  folder?: string,
): Meter {
  const nothing = (): void => undefined
  const http = openHttp(source, {
    budgets: new Budgets(),
    environment,
    ports: {
      clock: {
        now: Date.now,
        sleep: (milliseconds, signal) =>
          pause(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(nothing),
      },
      random: Math.random,
      log: nothing,
    },
  })
  const took: number[] = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const started = performance.now()
    const answer = await http.fetch(input, init)
    took.push(performance.now() - started)
    return answer
  }
  const tools = { fetch, log: nothing, now: Date.now, ...(folder === undefined ? {} : { folder }) }
  return { tools, took, budget: () => http.budget(), close: () => http.close() }
}
