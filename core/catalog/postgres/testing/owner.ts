import { CatchmentError } from '../../../sdk/errors.ts'
import { startEmbedded } from '../embedded.ts'

/**
 * A process that owns an embedded server, for tests that kill it: `node owner.ts DATA_DIRECTORY [NAME=VALUE...]` with
 * settings of the server. Prints one JSON object a line; ends in order on SIGINT and SIGTERM,
 * and without a word to its server on SIGUSR2.
 */
const [dataDir = '', ...settings] = process.argv.slice(2)

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

try {
  const postgres = await startEmbedded({
    dataDir,
    log: say,
    settings: Object.fromEntries(settings.map((each) => each.split('=', 2))),
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void postgres.stop())
  process.on('SIGUSR2', () => process.exit(7))
  say({ event: 'ready', url: postgres.url, pid: postgres.pid, directory: postgres.directory })
  const error = await postgres.exited
  await postgres.stop()
  say({ event: 'exited', code: error?.code, message: error?.message })
} catch (error) {
  if (!(error instanceof CatchmentError)) throw error
  say({ event: 'failed', code: error.code, message: error.message, hint: error.hint })
  process.exitCode = error.exitCode
}
