import { z } from 'zod'
import { BadAnswer, type Kind } from '../../../core/sdk/index.ts'
import type { Client } from '../client.ts'
import { keyOf, orderable, read, timestamp } from '../schema.ts'
import { reasonOf, type Scope, unreadable } from '../scope.ts'

const text = z.string().nullable().default(null)

/**
 * Mapping files read login, name, description, id, node_id, html_url, created_at and the addresses. Webhooks carry only the
 * short form, so an event is always answered by a `get`. Counts of repositories and followers are left out: they change
 * all the time without moving `updated_at`.
 */
const organization = z.object({
  id: z.int(),
  node_id: z.string(),
  login: z.string(),
  name: text,
  description: text,
  company: text,
  blog: text,
  location: text,
  email: text,
  type: text,
  html_url: z.string(),
  avatar_url: text,
  url: z.string(),
  repos_url: text,
  events_url: text,
  hooks_url: text,
  issues_url: text,
  members_url: text,
  public_members_url: text,
  created_at: timestamp,
  updated_at: timestamp,
})

const versioned = z.object({ updated_at: timestamp })

/** One call per organisation. */
export function organizationKind(client: Client, scope: Scope): Kind {
  return {
    name: 'organization',
    coverage: 'complete',
    paging: 'stable',
    canonical: (item) => read(organization, item, 'organization'),
    key: (item) => keyOf(item, 'organization'),
    version: (item) => {
      const read = versioned.safeParse(item)
      return read.success ? orderable(read.data.updated_at) : undefined
    },
    locator: () => ({}),
    partitions: scope.partitions,
    async *list(request) {
      const org = request.partition.name
      const known = request.known('1')
      const asked = { signal: request.signal, priority: 'scan', etag: known?.validator } as const
      const answer = await client.ask('GET /orgs/{org}', { org }, asked)
      if (answer.state === 'refused') throw unreadable(answer, `organisation ${org}`)
      if (answer.state === 'notModified') {
        if (known === undefined) throw new BadAnswer(`organisation ${org}: 304 to a question without If-None-Match`)
        yield { cursor: '1', items: [], notModified: true, validator: known.validator }
        return
      }
      const etag = answer.header('etag')
      yield { cursor: '1', items: [answer.data], ...(etag === undefined ? {} : { validator: etag }) }
    },
    async get(key, _locator, partition, signal) {
      const answer = await client.ask('GET /orgs/{org}', { org: partition }, { signal })
      if (answer.state === 'refused') return { state: 'unknown', reason: reasonOf(answer, `organisation ${partition}`) }
      if (answer.state === 'notModified') return { state: 'unknown', reason: 'unexpected 304' }
      // The name answers for another organisation now, so the one that was asked about is not here.
      if (keyOf(answer.data, 'organization') !== key) return { state: 'gone' }
      return { state: 'present', body: answer.data }
    },
  }
}
