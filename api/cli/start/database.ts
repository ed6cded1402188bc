import { setTimeout as pause } from 'node:timers/promises'
import type { Db } from '../../../core/catalog/db.ts'
import { beginEpoch } from '../../../core/catalog/epoch.ts'
import { ensureChangePartitions } from '../../../core/catalog/feed.ts'
import { openDatabase } from '../../../core/catalog/postgres/connect.ts'
import { type EmbeddedEvent, startEmbedded } from '../../../core/catalog/postgres/embedded.ts'
import { asDamage } from '../../../core/catalog/postgres/errors.ts'
import { migrate } from '../../../core/catalog/postgres/migrate.ts'
import { createStore } from '../../../core/catalog/postgres-store.ts'
import { expireHistory } from '../../../core/catalog/retention.ts'
import type { Store } from '../../../core/catalog/store.ts'

export interface Database {
  readonly db: Db
  readonly store: Store
  /** For people, without credentials. */
  readonly where: string
  /** Resolves with what happened when an embedded server ended by itself. */
  readonly lost: Promise<Error | undefined>
  close(): Promise<void>
}

/** With a URL that server, else PostgreSQL from npm on `.catchment/postgres`; migrated either way. */
export async function openCatalog(options: {
  readonly dataDir: string
  readonly databaseUrl?: string
  /** How long history is kept. */
  readonly keepSeconds: number
  readonly say: (text: string) => void
  readonly log: (level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>) => void
}): Promise<Database> {
  const embedded =
    options.databaseUrl === undefined
      ? await startEmbedded({ dataDir: options.dataDir, log: (event) => tell(event, options) })
      : undefined
  const url = embedded?.url ?? options.databaseUrl ?? ''
  let closing = false
  let db: Db | undefined
  try {
    db = await openDatabase(url, {
      onConnectionError: (error) => {
        if (!closing) options.log('warn', 'a database connection broke', { error: error.message })
      },
    })
    const opened = db
    await migrate(opened)
    if (await beginEpoch(opened))
      options.log(
        'warn',
        'the database was restored or moved: readers of the change feed have to read the catalog again',
      )
    await ensureChangePartitions(opened, new Date())
    // The change feed is partitioned by month: the next month's is there long before it is needed, and old ones go.
    let housekeeping = Promise.resolve()
    const keepHouse = async (): Promise<void> => {
      try {
        await ensureChangePartitions(opened, new Date())
        const expired = await expireHistory(opened, { keepSeconds: options.keepSeconds, now: Date.now() })
        if (expired !== undefined) options.log('info', 'old history was dropped', { ...expired })
      } catch (error) {
        if (!closing)
          options.log('warn', 'the months of the change feed could not be looked after', { error: String(error) })
      }
    }
    const hourly = setInterval(() => {
      housekeeping = housekeeping.then(keepHouse)
    }, 3_600_000)
    hourly.unref()
    housekeeping = keepHouse()
    return {
      db: opened,
      store: createStore(opened),
      where:
        embedded === undefined
          ? `PostgreSQL at ${new URL(url).host}`
          : `PostgreSQL 18, embedded, in ${embedded.directory}`,
      lost: embedded?.exited ?? new Promise(() => {}),
      close: async () => {
        clearInterval(hourly)
        closing = true
        await housekeeping
        await opened.close()
        await embedded?.stop()
      },
    }
  } catch (error) {
    closing = true
    // A server that ended says why better than a connection that broke.
    const ended = embedded && (await Promise.race([embedded.exited, pause(500, undefined)]))
    await db?.close()
    await embedded?.stop()
    throw ended ?? (embedded === undefined ? error : asDamage(error))
  }
}

function tell(event: EmbeddedEvent, options: Pick<Parameters<typeof openCatalog>[0], 'say' | 'log'>): void {
  if (event.event === 'relocated')
    options.say(`The database lives in ${event.directory}: its user cannot reach the data directory.`)
  else if (event.event === 'orphan_ended')
    options.say(`The last run was killed and left its database running (pid ${event.pid}); it was stopped cleanly.`)
  else if (event.event === 'waiting') options.say(`PostgreSQL is getting ready: ${event.line}`)
  else options.log('info', 'embedded postgres', { ...event })
}
