import { expect, test } from 'vitest'
import { createMetrics } from './metrics.ts'

test('engine events become counters', async () => {
  const metrics = createMetrics()
  const scan = {
    type: 'scan',
    source: 's',
    kind: 'k',
    partition: 'p',
    scan: 1n,
    items: 1,
    changed: 1,
    pages: 1,
  } as const
  metrics.onEvent({ ...scan, state: 'running' })
  metrics.onEvent({ ...scan, state: 'complete' })
  metrics.onEvent({ type: 'delivery', source: 's', event: 'push', outcome: 'accepted' })
  metrics.onEvent({ type: 'changes', source: 's', created: 3, updated: 0, renamed: 1, deleted: 0 })
  metrics.onEvent({ type: 'held', source: 's', kind: 'k', count: 7, reason: 'half' })
  metrics.onEvent({ type: 'check', source: 's', error: new Error('401') })
  metrics.request('GET', '/x', 200, 0.01)
  const text = await metrics.registry.metrics()
  for (const line of [
    'catchment_scans_total{source="s",kind="k",state="complete"} 1',
    'catchment_deliveries_total{source="s",outcome="accepted"} 1',
    'catchment_entity_changes_total{source="s",operation="created"} 3',
    'catchment_entity_changes_total{source="s",operation="renamed"} 1',
    'catchment_held_total{source="s",kind="k"} 7',
    'catchment_source_check_ok{source="s"} 0',
    'catchment_http_request_seconds_count{method="GET",route="/x",status="200"} 1',
  ]) {
    expect(text).toContain(line)
  }
  expect(text).not.toContain('state="running"')
})

test('two servers in one process do not share numbers', async () => {
  const [one, other] = [createMetrics(), createMetrics()]
  one.onEvent({ type: 'delivery', source: 's', event: 'push', outcome: 'accepted' })
  expect(await other.registry.metrics()).not.toContain('source="s"')
})
