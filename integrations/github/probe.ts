import { z } from 'zod'
import type { Check } from '../../core/sdk/index.ts'
import type { Client } from './client.ts'
import { permissions } from './permissions.ts'
import { read } from './schema.ts'

/** A page of one of each permission's kinds; below a repository. */
const routes: Readonly<Record<string, string>> = {
  pull_requests: 'pulls',
  issues: 'issues',
  contents: 'branches',
  actions: 'actions/workflows',
  deployments: 'deployments',
  vulnerability_alerts: 'dependabot/alerts',
  security_events: 'code-scanning/alerts',
  secret_scanning_alerts: 'secret-scanning/alerts',
}

const first = z.array(z.object({ id: z.int() }))

/**
 * What a fine-grained token may not do: it does not say, but GitHub names the permission when it refuses. Of a private
 * repository, since everybody may read most of a public one. Eight questions, once for each process.
 */
export async function probe(client: Client, org: string, signal: AbortSignal): Promise<Check['missing']> {
  const params = { org, type: 'private', per_page: 1 }
  const listed = await client.recall('GET /orgs/{org}/repos', params, signal)
  const [repository] = listed.state === 'ok' ? read(first, listed.data, `repositories of ${org}`) : []
  if (repository === undefined) return []
  const missing: { kind: string; permission: string }[] = []
  for (const [fine, path] of Object.entries(routes)) {
    const route = `GET /repositories/{id}/${path}`
    const answer = await client.recall(route, { id: repository.id, per_page: 1 }, signal)
    // Without the header it is something else: alerts that are switched off, an Actions policy.
    if (answer.state !== 'refused' || answer.header('x-accepted-github-permissions') === undefined) continue
    for (const [kind, { fine: needed, label }] of Object.entries(permissions))
      if (needed === fine) missing.push({ kind, permission: label })
  }
  return missing
}
