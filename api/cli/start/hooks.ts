import { Redacted, type SourceConfig } from '../../../core/config/index.ts'
import type { SourceRuntime } from '../../../core/sync/engine.ts'
import { ownSecret } from './secrets.ts'

/** Who lets Catchment keep its webhooks need not think of a secret. */
export function withHookSecret(source: SourceConfig, dataDir: string): SourceConfig {
  const { webhooks } = source
  if (!webhooks.manage || webhooks.secret !== undefined) return source
  return { ...source, webhooks: { ...webhooks, secret: new Redacted(ownSecret(dataDir, 'webhook-secret')) } }
}

/** Where deliveries of a source go. `server`: the address it listens on. */
export function hookUrl(source: Pick<SourceConfig, 'name' | 'webhooks'>, server: string): string {
  return `${source.webhooks.url ?? server}/webhooks/${source.name}`
}

/** The engine looks after webhooks only of sources whose configuration says so. */
export function withHooks(
  runtime: SourceRuntime,
  source: SourceConfig | undefined,
  server: () => string,
): SourceRuntime {
  if (source?.webhooks.manage !== true) return runtime
  return { ...runtime, hooks: { url: () => hookUrl(source, server()) } }
}
