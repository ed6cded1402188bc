import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { PostgresError, translate } from './errors.ts'

type Handler = (payload: string | undefined) => void

const longestPause = 5_000

/** One connection for all LISTENs of a pool; reconnects by itself and then tells every handler to look. */
export class Listener {
  readonly #config: pg.ClientConfig
  readonly #handlers = new Map<string, Set<Handler>>()
  readonly #ending = new AbortController()
  #client: Promise<pg.Client> | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(config: pg.ClientConfig) {
    this.#config = config
  }

  async listen(channel: string, handler: Handler): Promise<() => Promise<void>> {
    if (this.#ending.signal.aborted) throw closed()
    const handlers = this.#handlers.get(channel) ?? new Set()
    this.#handlers.set(channel, handlers.add(handler))
    const stop = async () => {
      handlers.delete(handler)
      if (handlers.size > 0 || this.#handlers.get(channel) !== handlers) return
      this.#handlers.delete(channel)
      // A connection that broke meanwhile has forgotten the channel by itself.
      await this.#send(`unlisten ${pg.escapeIdentifier(channel)}`).catch(() => undefined)
    }
    try {
      await this.#send(`listen ${pg.escapeIdentifier(channel)}`)
      return stop
    } catch (error) {
      await stop()
      throw translate(error)
    }
  }

  async close(): Promise<void> {
    this.#ending.abort()
    this.#handlers.clear()
    const client = await this.#client?.catch(() => undefined)
    await client?.end()
  }

  /** One statement at a time: the driver wants it so. */
  #send(sql: string): Promise<void> {
    const sent = this.#last.then(async () => {
      this.#client ??= this.#connect()
      const client = await this.#client
      await client.query(sql)
    })
    this.#last = sent.catch(() => undefined)
    return sent
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client(this.#config)
    client.on('notification', ({ channel, payload }) => {
      for (const handler of this.#handlers.get(channel) ?? []) handler(payload ?? '')
    })
    client.on('error', () => undefined)
    try {
      await client.connect()
      for (const channel of this.#handlers.keys()) await client.query(`listen ${pg.escapeIdentifier(channel)}`)
      client.once('end', () => void this.#again())
      return client
    } catch (error) {
      this.#client = undefined
      await client.end().catch(() => undefined)
      throw error
    }
  }

  async #again(): Promise<void> {
    const { signal } = this.#ending
    for (let wait = 50; !signal.aborted; wait = Math.min(wait * 2, longestPause)) {
      try {
        this.#client = this.#connect()
        await this.#client
        for (const handlers of this.#handlers.values()) for (const handler of handlers) handler(undefined)
        return
      } catch {
        await pause(wait, undefined, { signal }).catch(() => undefined)
      }
    }
  }
}

function closed(): PostgresError {
  return new PostgresError('the database connection is closed', {
    code: 'database_closed',
    hint: 'Report it: something still listened.',
  })
}
