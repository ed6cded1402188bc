import { randomUUID } from 'node:crypto'
import { openDatabase } from '../catalog/postgres/connect.ts'
import { migrate } from '../catalog/postgres/migrate.ts'
import { createDatabase, dropDatabase, withDatabase } from './database.ts'
import { startTemporary } from './temporary.ts'

/** A server for simulations, with a migrated database that each of them gets a copy of. */
export interface SimulationServer {
  /** Runs `work` on a database of its own. */
  fresh<T>(work: (url: string) => Promise<T>): Promise<T>
  stop(): Promise<void>
}

const template = 'simulation'

export async function startSimulationServer(): Promise<SimulationServer> {
  const server = await startTemporary()
  try {
    await createDatabase(server.url, template)
    const db = await openDatabase(withDatabase(server.url, template), { max: 1 })
    await migrate(db)
    // Both go by the real clock: the scheduler finds deadlocks itself, and nothing may move rows about in the background.
    await db.query(`ALTER SYSTEM SET deadlock_timeout = '1h'`)
    await db.query('ALTER SYSTEM SET autovacuum = off')
    await db.query('SELECT pg_reload_conf()')
    await db.close()
  } catch (error) {
    await server.stop()
    throw error
  }
  return {
    async fresh(work) {
      const name = `simulation_${randomUUID().replaceAll('-', '')}`
      await createDatabase(server.url, name, { template })
      try {
        return await work(withDatabase(server.url, name))
      } finally {
        await dropDatabase(server.url, name)
      }
    },
    stop: () => server.stop(),
  }
}
