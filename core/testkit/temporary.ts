import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Binaries } from '../catalog/postgres/binaries.ts'
import { startEmbedded } from '../catalog/postgres/embedded.ts'

export interface TemporaryServer {
  readonly url: string
  /** Ends it and deletes its data. */
  stop(): Promise<void>
}

/** Without fsync: nothing here must survive a power cut, and tests that need it start a server of their own. */
const settings = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', max_connections: '200' }

/** A server for tests in a directory that goes with it. Default: the embedded PostgreSQL. */
export async function startTemporary(binaries?: Binaries): Promise<TemporaryServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'catchment-test-'))
  await chmod(dataDir, 0o755)
  const options = { dataDir, settings, log: () => undefined }
  const server = await startEmbedded(binaries ? { ...options, binaries } : options).catch(async (error: unknown) => {
    await rm(dataDir, { recursive: true, force: true })
    throw error
  })
  return {
    url: server.url,
    async stop() {
      await server.stop()
      await rm(server.directory, { recursive: true, force: true })
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
