import type { Db } from '../core/catalog/db.ts'

/**
 * Tells every open stream that the feed has grown. One LISTEN for all of them, opened with the first. A reader notes
 * `version` before it reads, so that what arrives while it reads is not slept over.
 */
export class FeedHub {
  readonly #db: Pick<Db, 'listen'>
  readonly #ending = new AbortController()
  #version = 0
  #waiters = new Set<() => void>()
  #listening: Promise<() => Promise<void>> | undefined

  constructor(db: Pick<Db, 'listen'>) {
    this.#db = db
  }

  get version(): number {
    return this.#version
  }

  /** Aborts when the server stops. */
  get ending(): AbortSignal {
    return this.#ending.signal
  }

  /** Resolves once notifications arrive. Readers look by themselves at every heartbeat, so a failure only costs time. */
  async open(): Promise<void> {
    this.#listening ??= this.#db.listen('catchment_changes', () => this.#grown())
    try {
      await this.#listening
    } catch {
      this.#listening = undefined
    }
  }

  /** True when the feed has grown since `version`, false after `milliseconds` or an abort. */
  async grown(version: number, milliseconds: number, signal: AbortSignal): Promise<boolean> {
    if (this.#version !== version) return true
    if (signal.aborted) return false
    return new Promise((resolve) => {
      const end = (result: boolean): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', stop)
        this.#waiters.delete(wake)
        resolve(result)
      }
      const wake = (): void => end(true)
      const stop = (): void => end(false)
      const timer = setTimeout(stop, milliseconds)
      signal.addEventListener('abort', stop, { once: true })
      this.#waiters.add(wake)
    })
  }

  async close(): Promise<void> {
    this.#ending.abort()
    const stop = await this.#listening?.catch(() => undefined)
    await stop?.().catch(() => undefined)
  }

  #grown(): void {
    this.#version += 1
    for (const wake of this.#waiters) wake()
  }
}
