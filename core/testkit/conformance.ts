import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHttp, type Http } from '../http/index.ts'
import type { Connection, Integration, Kind, RawDelivery, Tools } from '../sdk/index.ts'
import { badAnswers, deliveries, gets, listings, lostScopes, rateLimits } from './conformance-rules.ts'

/** What an integration's test hands in: the integration, and a source over real HTTP that can be made to fail. */
export interface Subject<Config> {
  readonly integration: Integration<Config>
  /** The source has no rate limit, so nothing is said about it: files. */
  readonly unlimited?: true
  /** Called once. Every kind should have two pages or more in some partition. */
  open(): Promise<{ readonly config: Config; readonly source: TestSource }>
}

/** The other side. Faults last until `heal` and hit every request that comes in meanwhile. */
export interface TestSource {
  /** `cut`: JSON that ends too early. `html`: a page with status 200. `exhausted`: the rate limit, for `seconds`. */
  fail(how: 'cut' | 'html' | 'exhausted', seconds?: number): Promise<void>
  /** The credential may no longer read this partition. */
  lose(partition: string): Promise<void>
  heal(): Promise<void>
  /** Requests that have come in so far. */
  calls(): Promise<number>
  /** A key that no object of this kind ever had. */
  unknownKey(kind: string): string
  /** Signed deliveries, oldest first, as the source sent them for changes that it makes now. */
  deliveries?(): Promise<{ readonly secret: string; readonly sent: readonly RawDelivery[] }>
  close(): Promise<void>
}

/** What the rules work with. Kinds are named before the source is open, so that each has tests of its own. */
export interface Bench {
  readonly connection: Connection
  readonly source: TestSource
  readonly http: Http
  /** Moves the clock of our side, which decides when a reset has passed. */
  advance(milliseconds: number): void
  now(): number
  kind(name: string): Kind
}

/**
 * The contract as a suite: what the engine relies on, whatever the integration. `kinds` must be exactly those that the
 * connection has.
 */
export function describeIntegration<Config>(subject: Subject<Config>, kinds: readonly string[]): void {
  describe(`integration ${subject.integration.name}`, () => {
    let bench: Bench | undefined
    const opened = (): Bench => {
      if (bench === undefined) throw new Error('the source did not open')
      return bench
    }
    beforeAll(async () => {
      const { config, source } = await subject.open()
      let ahead = 0
      const now = (): number => Date.now() + ahead
      const log = (): void => undefined
      const sleep = async (milliseconds: number): Promise<void> => {
        await pause(Math.min(milliseconds, 5))
      }
      const http = createHttp({ credential: 'conformance', clock: { now, sleep }, random: () => 0.5, log })
      const tools: Tools = { fetch: http.fetch, log, now }
      const connection = subject.integration.connect(config, tools)
      const kind = (name: string): Kind => {
        const found = connection.kinds.find((it) => it.name === name)
        if (found === undefined) throw new Error(`no kind ${name}`)
        return found
      }
      const advance = (milliseconds: number): void => {
        ahead += milliseconds
      }
      bench = { connection, source, http, advance, now, kind }
    })
    afterAll(async () => {
      await bench?.connection.close?.()
      await bench?.http.close()
      await bench?.source.close()
    })

    test('its configuration is checked and described', () => {
      expect(subject.integration.config.safeParse(undefined).success).toBe(false)
      expect(subject.integration.config.safeParse({ nonsense: true }).success).toBe(false)
    })

    test('has exactly these kinds', () => {
      expect(opened().connection.kinds.map((kind) => kind.name)).toEqual(kinds)
    })

    test('check says who the credential is, with a fingerprint that stays', async () => {
      const { connection } = opened()
      const signal = new AbortController().signal
      const first = await connection.check(signal)
      expect(first.identity).not.toBe('')
      expect(first.fingerprint).not.toBe('')
      expect(first.missing, 'open() should hand in a credential that may read everything').toEqual([])
      expect(await connection.check(signal)).toEqual(first)
    })

    for (const name of kinds) {
      describe(`kind ${name}`, () => {
        listings(opened, name)
        gets(opened, name)
        badAnswers(opened, name)
        if (subject.unlimited !== true) rateLimits(opened, name)
        lostScopes(opened, name)
      })
    }
    deliveries(opened)
  })
}
