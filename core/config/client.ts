import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { parseEnv } from 'node:util'
import { type Environment, readEnvironment, type Variables } from './environment.ts'
import { ConfigError } from './error.ts'

/**
 * What a command needs to call a server: its data directory, address and key. The configuration file is not read: who only
 * looks needs neither the secrets of the sources nor a file without mistakes. Throws ConfigError.
 */
export function loadClientConfig(env: Variables = process.env, cwd: string = process.cwd()): Environment {
  const named = env['CATCHMENT_CONFIG'] || 'catchment.yaml'
  const { environment, reports } = readEnvironment(
    { ...readDotenv(isAbsolute(named) ? named : join(cwd, named)), ...env },
    cwd,
  )
  const wrong = reports.filter(({ diagnostics }) => diagnostics.length > 0)
  if (wrong.length === 0) return environment
  throw new ConfigError(
    wrong.flatMap(({ diagnostics }) => diagnostics),
    new Map(wrong.map(({ source }) => [source.file, source])),
  )
}

/** `.env` lies beside the configuration file, whether that is there or not. */
function readDotenv(file: string): Variables {
  try {
    return parseEnv(readFileSync(join(dirname(file), '.env'), 'utf8'))
  } catch {
    return {}
  }
}
