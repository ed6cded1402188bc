import { Gauge, type Registry } from 'prom-client'
import type { Queryable } from '../catalog/db.ts'
import { listBlueprints } from '../catalog/query/blueprints.ts'
import { listSources, type SourceView } from '../catalog/query/sources.ts'

interface Readers {
  readonly db: Queryable
  readonly objectives: Readonly<Record<string, number>>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const freshnessValue = { fresh: 1, stale: 0, unknown: -1 } as const

/** Gauges of what the database knows; `refresh` reads them, before each scrape. Unknown is -1, so that no alert takes it for fresh. */
export function catalogMetrics(registry: Registry, readers: Readers): { refresh(): Promise<void> } {
  const gauge = (name: string, help: string, labelNames: readonly string[]): Gauge =>
    new Gauge({ name: `catchment_${name}`, help, labelNames, registers: [registry] })
  const partition = ['source', 'kind', 'partition']
  const entities = gauge('entities', 'Entities by blueprint.', ['blueprint'])
  const freshness = gauge('freshness', '1 fresh, 0 stale, -1 unknown.', partition)
  const age = gauge('last_complete_scan_age_seconds', 'Age of the last complete scan.', partition)
  const records = gauge('records', 'Live records.', ['source', 'kind'])
  const held = gauge('held_pending', 'What waits for a person.', ['source', 'kind'])
  const quarantined = gauge('quarantined', 'Records that a mapping failed on.', ['source', 'kind'])
  const waiting = gauge('deliveries_waiting', 'Deliveries accepted and not yet applied.', ['source'])
  const lag = gauge('deliveries_lag_seconds', 'Age of the oldest of them.', ['source'])
  const dead = gauge('deliveries_dead', 'Deliveries that were set aside.', ['source'])
  const doubts = gauge('doubts', 'Keys that the source still has to be asked about.', ['source'])

  const observe = (source: SourceView): void => {
    const of = { source: source.name }
    waiting.set(of, source.deliveries.waiting)
    lag.set(of, source.deliveries.lagSeconds)
    dead.set(of, source.deliveries.dead)
    doubts.set(of, source.doubts)
    for (const kind of source.kinds) {
      const ofKind = { ...of, kind: kind.name }
      records.set(ofKind, kind.records)
      held.set(ofKind, kind.held)
      quarantined.set(ofKind, kind.quarantined)
      for (const one of kind.partitions) {
        const labels = { ...ofKind, partition: one.name }
        freshness.set(labels, freshnessValue[one.freshness])
        if (one.ageSeconds !== null) age.set(labels, one.ageSeconds)
      }
    }
  }

  return {
    async refresh() {
      const [sources, blueprints] = await Promise.all([
        listSources(readers.db, readers.objectives, readers.now()),
        listBlueprints(readers.db),
      ])
      for (const each of [entities, freshness, age, records, held, quarantined, waiting, lag, dead, doubts])
        each.reset()
      for (const source of sources) observe(source)
      for (const blueprint of blueprints) entities.set({ blueprint: blueprint.identifier }, blueprint.entities)
    },
  }
}
