import { Gauge, type Registry } from 'prom-client'
import type { Queryable } from '../catalog/db.ts'
import { listBlueprints } from '../catalog/query/blueprints.ts'
import type { Objectives } from '../catalog/query/freshness.ts'
import { listSources, type SourceView } from '../catalog/query/sources.ts'

interface Readers {
  readonly db: Queryable
  readonly objectives: Objectives
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const freshnessValue = { fresh: 1, stale: 0, unknown: -1 } as const

/**
 * Gauges of what the database knows; `refresh` reads them, before each scrape. Unknown is -1, so that no alert takes it for
 * fresh. When the database cannot be read they are gone, instead of going on to say what once was so, and `refresh` throws.
 */
export function catalogMetrics(registry: Registry, readers: Readers): { refresh(): Promise<void> } {
  const all: Gauge[] = []
  const gauge = (name: string, help: string, labelNames: readonly string[]): Gauge => {
    const made = new Gauge({ name: `catchment_${name}`, help, labelNames, registers: [registry] })
    all.push(made)
    return made
  }
  const kindOf = ['source', 'kind']
  const partition = [...kindOf, 'partition']
  const readable = gauge('catalog_readable', '1 while the database answers; 0: the other gauges are missing.', [])
  const entities = gauge('entities', 'Entities by blueprint.', ['blueprint'])
  const freshness = gauge('freshness', '1 fresh, 0 stale, -1 unknown.', partition)
  const partitions = gauge('partitions', 'Partitions by freshness.', [...kindOf, 'freshness'])
  const objective = gauge('freshness_objective_seconds', 'After so long without a complete scan: stale.', kindOf)
  const age = gauge('last_complete_scan_age_seconds', 'Age of the last complete scan.', partition)
  const incomplete = gauge('incomplete_scans', 'Partitions of which the last scan is incomplete.', kindOf)
  const records = gauge('records', 'Live records.', kindOf)
  const held = gauge('held_pending', 'What waits for a person.', kindOf)
  const quarantined = gauge(
    'quarantined',
    'Records that a mapping failed on, and objects that could not be read or kept.',
    kindOf,
  )
  const frozen = gauge('source_frozen', '1: not in the configuration any more, and kept.', ['source'])
  const refused = gauge('source_refused', '1: the last check of its credential failed.', ['source'])
  const parked = gauge('source_parked_seconds', 'The source asked to wait for so long.', ['source'])
  const waiting = gauge('deliveries_waiting', 'Deliveries accepted and not yet applied.', ['source'])
  const lag = gauge('deliveries_lag_seconds', 'Age of the oldest of them.', ['source'])
  const dead = gauge('deliveries_dead', 'Deliveries that were set aside.', ['source'])
  const doubts = gauge('doubts', 'Keys that the source still has to be asked about.', ['source'])

  const observe = (source: SourceView): void => {
    const of = { source: source.name }
    frozen.set(of, source.state === 'frozen' ? 1 : 0)
    refused.set(of, source.problem === null ? 0 : 1)
    parked.set(
      of,
      source.pausedUntil === null ? 0 : Math.max(0, (Date.parse(source.pausedUntil) - readers.now()) / 1000),
    )
    waiting.set(of, source.deliveries.waiting)
    lag.set(of, source.deliveries.lagSeconds)
    dead.set(of, source.deliveries.dead)
    doubts.set(of, source.doubts)
    for (const kind of source.kinds) {
      const ofKind = { ...of, kind: kind.name }
      records.set(ofKind, kind.records)
      held.set(ofKind, kind.held)
      quarantined.set(ofKind, kind.quarantined)
      if (kind.objectiveSeconds !== null) objective.set(ofKind, kind.objectiveSeconds)
      incomplete.set(ofKind, kind.partitions.filter(({ scan }) => scan?.state === 'incomplete').length)
      for (const state of ['fresh', 'stale', 'unknown'] as const)
        partitions.set({ ...ofKind, freshness: state }, kind.partitions.filter((one) => one.freshness === state).length)
      // A kind that was never listed has no partition to say so.
      if (kind.partitions.length === 0) partitions.set({ ...ofKind, freshness: kind.freshness }, 1)
      for (const one of kind.partitions) {
        const labels = { ...ofKind, partition: one.name }
        freshness.set(labels, freshnessValue[one.freshness])
        if (one.ageSeconds !== null) age.set(labels, one.ageSeconds)
      }
    }
  }

  return {
    async refresh() {
      const known = await Promise.all([
        listSources(readers.db, readers.objectives, readers.now()),
        listBlueprints(readers.db),
      ]).catch((error: unknown) => {
        for (const each of all) each.reset()
        readable.set(0)
        throw error
      })
      // From here on nothing is awaited: a scrape sees all of it or what was before.
      const [sources, blueprints] = known
      for (const each of all) each.reset()
      for (const source of sources) observe(source)
      for (const blueprint of blueprints) entities.set({ blueprint: blueprint.identifier }, blueprint.entities)
      readable.set(1)
    },
  }
}
