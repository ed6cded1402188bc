import type { Config } from '../../../core/config/index.ts'
import { didYouMean } from '../../../core/mapping/diagnostic.ts'
import type { Connection, Integration } from '../../../core/sdk/index.ts'

/**
 * Throws a ConfigError at the first kind that its source does not have. Only the connection knows them, and connecting calls
 * nothing: so this needs neither a database nor the tool.
 */
export function checkKinds(config: Config, integrations: Readonly<Record<string, Integration>>): void {
  for (const [index, source] of config.sources.entries()) {
    const integration = integrations[source.integration]
    const objectives = Object.keys(source.schedule.freshnessByKind ?? {})
    const kept = Object.keys(source.keep).filter((kind) => kind !== 'default')
    const dropped = Object.keys(source.drop)
    const none = source.kinds === undefined && objectives.length + kept.length + dropped.length === 0
    if (none || integration === undefined) continue
    const known = connectNowhere(integration, source.config.reveal()).kinds.map((kind) => kind.name)
    const named = [
      ...(source.kinds ?? []).map((kind, place) => ({ kind, path: ['kinds', place] })),
      ...kept.map((kind) => ({ kind, path: ['keep', kind] })),
      ...dropped.map((kind) => ({ kind, path: ['drop', kind] })),
      ...objectives.map((kind) => ({ kind, path: ['schedule', 'freshness', kind] })),
    ]
    for (const { kind, path } of named) {
      if (known.includes(kind) || Object.hasOwn(integration.aliases ?? {}, kind)) continue
      throw config.problem(['sources', index, ...path], {
        code: 'kind_unknown',
        message: `${source.integration} has no kind "${kind}"`,
        hint: didYouMean(kind, known) ?? `kinds of ${source.integration}: ${known.join(', ')}`,
      })
    }
  }
}

/** A connection that calls nothing: for its kinds and what they are. */
export function connectNowhere(integration: Integration, settings: unknown): Connection {
  return integration.connect(settings, {
    fetch: () => Promise.reject(new Error('nothing is called while the configuration is checked')),
    log: () => undefined,
    now: () => 0,
  })
}
