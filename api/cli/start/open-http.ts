import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { SourceConfig } from '../../../core/config/index.ts'
import { type Budgets, createHttp, type Http } from '../../../core/http/index.ts'
import type { Ports } from '../../../core/sync/engine.ts'

export interface SourceTools {
  readonly ports: Pick<Ports, 'clock' | 'random' | 'log'>
  readonly budgets: Budgets
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Of the configuration file. */
  readonly folder?: string
}

/** HTTP as a source is called with: its credential's budget, the machine's proxy and certificate authority. */
export function openHttp(source: Pick<SourceConfig, 'config' | 'quota'>, tools: SourceTools): Http {
  const { environment, ports } = tools
  const ca = environment['NODE_EXTRA_CA_CERTS']
  const proxy = environment['HTTPS_PROXY'] ?? environment['https_proxy']
  const noProxy = environment['NO_PROXY'] ?? environment['no_proxy']
  return createHttp({
    // Sources that use one token share its allowance; the digest names it without telling it.
    credential: createHash('sha256')
      .update(JSON.stringify(credentialOf(source.config.reveal())))
      .digest('hex'),
    budgets: tools.budgets,
    clock: ports.clock,
    random: ports.random,
    log: ports.log,
    reserveShare: source.quota.reserve,
    ...(proxy === undefined || proxy === '' ? {} : { proxy }),
    ...(noProxy === undefined ? {} : { noProxy }),
    ...(ca === undefined || ca === '' ? {} : { ca: readFileSync(ca, 'utf8') }),
  })
}

function credentialOf(settings: unknown): unknown {
  if (typeof settings !== 'object' || settings === null) return settings
  const { token, baseUrl } = settings as { token?: unknown; baseUrl?: unknown }
  return token === undefined ? settings : [token, baseUrl]
}
