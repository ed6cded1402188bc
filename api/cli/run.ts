import { loadClientConfig } from '../../core/config/client.ts'
import { CatchmentError } from '../../core/sdk/index.ts'
import { Client } from './client.ts'

/** Commands load what they need only when they run: whoever asks for one entity does not wait for a server's code. */
export function run(work: () => Promise<number>): Promise<void> {
  return work().then((code) => {
    process.exitCode = code
  })
}

/** The server that read commands talk to: the environment's, or the one running on this data directory. */
export function client(): Client {
  const config = loadClientConfig()
  return new Client({
    dataDir: config.data,
    ...(config.url === undefined ? {} : { url: config.url }),
    ...(config.adminKey === undefined ? {} : { key: config.adminKey.reveal() }),
  })
}

export function usage(message: string, hint?: string): CatchmentError {
  return new CatchmentError(message, { code: 'usage', exitCode: 2, ...(hint === undefined ? {} : { hint }) })
}
