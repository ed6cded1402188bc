import type { TestSource } from '../../core/testkit/conformance.ts'
import { startFakeApi } from '../../core/testkit/fake-api.ts'

const time = '2026-01-02T03:04:05.678Z'
const page = {
  id: 'kctbh9vrtdwd',
  name: 'Acme',
  url: 'https://status.acme.example',
  time_zone: 'Etc/UTC',
  updated_at: time,
}
const times = { created_at: time, updated_at: '2026-01-02T04:04:05.678+01:00' }

const common = { position: 1, showcase: false, start_date: null, page_id: page.id, only_show_if_degraded: false }
const components = [
  { ...common, ...times, id: 'g1', name: 'API', status: 'operational', description: null, group_id: null, group: true },
  {
    ...common,
    ...times,
    id: 'c1',
    name: 'Reads',
    status: 'operational',
    description: '',
    group_id: 'g1',
    group: false,
  },
  {
    ...common,
    ...times,
    id: 'c2',
    name: 'Writes',
    status: 'major_outage',
    description: '',
    group_id: 'g1',
    group: false,
  },
]
const incidents = Array.from({ length: 50 }, (_, index) => ({
  ...times,
  id: `i${index}`,
  name: `Incident ${index}`,
  status: 'resolved',
  impact: 'minor',
  shortlink: `https://stspg.io/i${index}`,
  started_at: time,
  monitoring_at: null,
  resolved_at: time,
  page_id: page.id,
  incident_updates: [{ id: `u${index}`, status: 'resolved', body: 'Over.', incident_id: `i${index}`, ...times }],
  // Only where some were named.
  ...(index % 2 === 0 ? { components: components.slice(1, 2) } : {}),
}))

const status = { indicator: 'major', description: 'Partial System Outage' }
const files: Readonly<Record<string, object>> = {
  '/api/v2/status.json': { page, status },
  '/api/v2/components.json': { page, components },
  '/api/v2/incidents.json': { page, incidents },
}

/** A page of the shape that https://www.githubstatus.com/api/v2 documents. What it does not know fails the test. */
export async function openSource(): Promise<TestSource & { readonly url: string }> {
  const api = await startFakeApi((request) => {
    const body = files[request.path]
    if (body === undefined || [...request.query].length > 0) return undefined
    if (request.isLost(new URL(api.url).host)) return { status: 404, body: null }
    // Written above as JSON.
    return { body: structuredClone(body) as never }
  })
  return { ...api, unknownKey: () => 'nobody' }
}
