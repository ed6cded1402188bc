import { createHash } from 'node:crypto'
import type { z } from 'zod'
import {
  type Integration,
  isObject,
  type Json,
  type JsonObject,
  type Kind,
  ScopeUnreadable,
} from '../../core/sdk/index.ts'
import { createClient } from './client.ts'
import {
  type Common,
  component,
  envelope,
  incident,
  orderable,
  read,
  type StatuspageConfig,
  statuspageConfig,
} from './schema.ts'

/**
 * Public pages of Atlassian Statuspage, and of what speaks its API: https://www.githubstatus.com/api/v2. Partitions are pages
 * by host. Everything of a kind comes in one answer.
 */
export const statuspage: Integration<StatuspageConfig> = {
  name: 'statuspage',
  config: statuspageConfig,
  defaultKinds: ['component', 'incident'],
  connect({ pages }, tools) {
    const ask = createClient(tools)
    const addresses = new Map(pages.map((url) => [new URL(url).host, `${url.replace(/\/+$/, '')}/api/v2`]))

    const partitions: Kind['partitions'] = (signal) => {
      const looks = [...addresses].map(async ([name, address]) => {
        const answer = await ask(`${address}/status.json`, signal)
        return answer.state === 'refused' ? { name, unknown: answer.reason } : { name }
      })
      return Promise.all(looks)
    }

    function kind(name: string, coverage: Kind['coverage'], schema: z.ZodType<JsonObject & Common>) {
      const addressOf = (partition: string): string => `${addresses.get(partition)}/${name}s.json`
      const itemsOf = (answer: Json): readonly JsonObject[] => {
        const named = isObject(answer) ? { page: answer['page'], items: answer[`${name}s`] } : answer
        const { page, items } = read(envelope, named, `${name}s`)
        return items.map((item) => ({ ...item, page }))
      }
      const it = {
        name,
        coverage,
        paging: 'stable',
        canonical: (item) => read(schema, item, name),
        key: (item) => read(schema, item, name).id,
        version: (item) => orderable(read(schema, item, name).updated_at),
        locator: () => ({}),
        partitions,
        async *list(request) {
          const known = request.known('all')
          const answer = await ask(addressOf(request.partition.name), request.signal, 'scan', known?.validator)
          if (answer.state === 'refused') throw new ScopeUnreadable(`${answer.reason}.`, 'Is it still public?')
          if (answer.state === 'notModified') yield { cursor: 'all', items: [], notModified: true, ...known }
          else {
            const validator = answer.validator === undefined ? {} : { validator: answer.validator }
            yield { cursor: 'all', items: itemsOf(answer.data), ...validator }
          }
        },
      } satisfies Kind
      return { ...it, addressOf, itemsOf }
    }

    const componentKind = kind('component', 'complete', component)
    return {
      async check(signal) {
        const fingerprint = createHash('sha256').update(JSON.stringify(await partitions(signal)))
        return { identity: 'nobody: public pages', fingerprint: fingerprint.digest('hex'), missing: [] }
      },
      kinds: [
        {
          ...componentKind,
          async get(key, _locator, partition, signal) {
            const answer = await ask(componentKind.addressOf(partition), signal)
            if (answer.state !== 'ok') return { state: 'unknown', reason: 'it cannot be read' }
            const body = componentKind.itemsOf(answer.data).find((item) => item['id'] === key)
            return body === undefined ? { state: 'gone' } : { state: 'present', body }
          },
        },
        // The last 50: an older one is no longer listed, and cannot be asked for.
        kind('incident', 'window', incident),
      ],
    }
  },
}
