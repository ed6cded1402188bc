import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { openDatabase } from '../catalog/postgres/connect.ts'
import { startEmbedded } from '../catalog/postgres/embedded.ts'
import { migrate } from '../catalog/postgres/migrate.ts'
import { createDatabase, dropDatabase, withDatabase } from './database.ts'

/**
 * One server for the whole run, with one migrated database that tests copy. CATCHMENT_TEST_DATABASE_URL names a server to
 * use instead (its user must be allowed to create databases); nothing of ours stays on it.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['CATCHMENT_TEST_DATABASE_URL']
  const server =
    given === undefined || given === '' ? await startTemporary() : { url: given, stop: async () => undefined }
  const template = `template_${randomUUID().replaceAll('-', '')}`
  const teardown = async () => {
    await dropDatabase(server.url, template)
    await server.stop()
  }
  try {
    await createDatabase(server.url, template)
    const db = await openDatabase(withDatabase(server.url, template))
    try {
      await migrate(db)
    } finally {
      await db.close()
    }
  } catch (error) {
    await teardown()
    throw error
  }
  project.provide('testServer', { url: server.url, template })
  return teardown
}

/** Without fsync: nothing here must survive a power cut, and tests that need it start a server of their own. */
async function startTemporary(): Promise<{ url: string; stop: () => Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'catchment-test-'))
  await chmod(dataDir, 0o755)
  const settings = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', max_connections: '200' }
  const server = await startEmbedded({ dataDir, settings, log: () => undefined })
  return {
    url: server.url,
    async stop() {
      await server.stop()
      await rm(server.directory, { recursive: true, force: true })
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
