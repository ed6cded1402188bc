import { randomUUID } from 'node:crypto'
import type { TestProject } from 'vitest/node'
import { openDatabase } from '../catalog/postgres/connect.ts'
import { migrate } from '../catalog/postgres/migrate.ts'
import { createDatabase, dropDatabase, withDatabase } from './database.ts'
import { startTemporary } from './temporary.ts'

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
