import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { EngineEvent } from '../sync/engine.ts'

export interface Metrics {
  readonly registry: Registry
  /** To be handed to the engine as `Ports.onEvent`. */
  onEvent(event: EngineEvent): void
  /** `route` is the pattern, never the path: paths have no bound. */
  request(method: string, route: string, status: number, seconds: number): void
}

/** What the process itself counts. What the database knows is read at each scrape, see `catalogMetrics`. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const requests = new Histogram({
    name: 'catchment_http_request_seconds',
    help: 'HTTP requests by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  })
  const deliveries = new Counter({
    name: 'catchment_deliveries_total',
    help: 'Webhook deliveries by what became of them.',
    labelNames: ['source', 'outcome'],
    registers,
  })
  const changes = new Counter({
    name: 'catchment_entity_changes_total',
    help: 'Entities created, updated, renamed and deleted.',
    labelNames: ['source', 'operation'],
    registers,
  })
  const scans = new Counter({
    name: 'catchment_scans_total',
    help: 'Scans by the state they came to.',
    labelNames: ['source', 'kind', 'state'],
    registers,
  })
  const held = new Counter({
    name: 'catchment_held_total',
    help: 'Deletions and changes that a guard stopped.',
    labelNames: ['source', 'kind'],
    registers,
  })
  const checks = new Gauge({
    name: 'catchment_source_check_ok',
    help: '1 when the last check of the credential succeeded.',
    labelNames: ['source'],
    registers,
  })

  return {
    registry,
    onEvent(event) {
      switch (event.type) {
        case 'check':
          checks.set({ source: event.source }, event.error === undefined ? 1 : 0)
          return
        case 'scan':
          // A running scan reports each page; only its end is counted.
          if (event.state !== 'running') {
            scans.inc({ source: event.source, kind: event.kind, state: event.state })
          }
          return
        case 'scanned':
          return
        case 'delivery':
          deliveries.inc({ source: event.source, outcome: event.outcome })
          return
        case 'changes':
          for (const operation of ['created', 'updated', 'renamed', 'deleted'] as const) {
            changes.inc({ source: event.source, operation }, event[operation])
          }
          return
        case 'hooks':
          if (event.redelivered > 0)
            deliveries.inc({ source: event.source, outcome: 'asked for again' }, event.redelivered)
          return
        case 'held':
          held.inc({ source: event.source, kind: event.kind }, event.count)
      }
    },
    request(method, route, status, seconds) {
      requests.observe({ method, route, status }, seconds)
    },
  }
}
