import { createHash } from 'node:crypto'
import { BadAnswer, CredentialRefused, type Integration, type Page, ScopeUnreadable } from '../../core/sdk/index.ts'
import { createClient } from './client.ts'
import { page, read, type TemplateConfig, templateConfig, thing } from './schema.ts'

/** Partitions are projects. */
export const template: Integration<TemplateConfig> = {
  name: 'template',
  config: templateConfig,
  defaultKinds: ['thing'],
  connect(config, tools) {
    const ask = createClient(config, tools)
    const project = (name: string): string => `/projects/${encodeURIComponent(name)}`

    /** Why a project cannot be read: then what it holds is unknown, and nothing in it is deleted. */
    async function reasonOf(name: string, signal: AbortSignal): Promise<string | undefined> {
      const answer = await ask(project(name), { signal })
      return answer.state === 'refused' ? answer.reason : undefined
    }

    const partitions = (signal: AbortSignal) =>
      Promise.all(
        config.projects.map(async (name) => {
          const unknown = await reasonOf(name, signal)
          return unknown === undefined ? { name } : { name, unknown }
        }),
      )

    return {
      async check(signal) {
        const self = await ask('/self', { signal })
        if (self.state === 'refused') throw new CredentialRefused(`${self.reason}.`, 'Replace `token`.')
        const seen = JSON.stringify([self, await partitions(signal)])
        // The fingerprint changes when the credential sees something else: then absence proves nothing for one scan.
        const fingerprint = createHash('sha256').update(seen).digest('hex')
        return { identity: 'template token', fingerprint, missing: [] }
      },
      kinds: [
        {
          name: 'thing',
          coverage: 'complete',
          // Pages by number: an item that vanishes moves those behind it.
          paging: 'shifting',
          canonical: (item) => read(thing, item, 'thing'),
          key: (item) => read(thing, item, 'thing').id,
          version: (item) => read(thing, item, 'thing').updatedAt,
          locator: () => ({}),
          partitions,
          async *list(request) {
            const { partition, from, signal } = request
            for (let cursor: string | undefined = from ?? '1'; cursor !== undefined; ) {
              const last = request.known(cursor)
              const path = `${project(partition.name)}/things?page=${cursor}`
              const answer = await ask(path, { signal, priority: 'scan', etag: last?.validator })
              if (answer.state === 'refused') throw new ScopeUnreadable(answer.reason)
              if (answer.state === 'ok') {
                const { items, next } = read(page, answer.data, path)
                const validator = answer.etag === undefined ? {} : { validator: answer.etag }
                const given: Page = { cursor, items, ...validator, ...(next === null ? {} : { next: String(next) }) }
                yield given
                cursor = given.next
              } else if (last === undefined) throw new BadAnswer(`${path}: 304 to a question without If-None-Match`)
              else {
                yield { cursor, items: [], notModified: true, ...last }
                cursor = last.next
              }
            }
          },
          async get(key, _locator, partition, signal) {
            const answer = await ask(`${project(partition)}/things/${encodeURIComponent(key)}`, { signal })
            if (answer.state === 'ok') return { state: 'present', body: answer.data }
            if (answer.state === 'notModified') return { state: 'unknown', reason: 'unexpected 304' }
            // A 404 is a word only while the project can be read.
            const unknown = answer.status === 404 ? await reasonOf(partition, signal) : answer.reason
            return unknown === undefined ? { state: 'gone' } : { state: 'unknown', reason: unknown }
          },
        },
      ],
    }
  },
}
