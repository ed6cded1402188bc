import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { Integration, Json } from '../../core/sdk/index.ts'
import { itemOf, keyOf, versionOf } from './item.ts'
import { filesOf, openFile, reasonOf } from './reader.ts'
import { type FileConfig, fileConfig } from './schema.ts'

const pageSize = 500

/** Rows of JSON, YAML and CSV files. Partitions are files: one that is missing or cannot be read proves nothing. */
export const file: Integration<FileConfig> = {
  name: 'file',
  config: fileConfig,
  defaultKinds: ['item'],
  connect(config, tools) {
    const folder = resolve(tools.folder ?? '')
    const open = (name: string) => openFile(resolve(folder, name), name, config, tools.now())
    const { version } = config

    async function partitions() {
      const looked = (await filesOf(config, folder)).map(async (name) => {
        const unknown = await reasonOf(resolve(folder, name), name)
        return unknown === undefined ? { name } : { name, unknown }
      })
      return Promise.all(looked)
    }

    return {
      async check() {
        const unreadable = (await partitions().catch(() => [])).filter(({ unknown }) => unknown !== undefined)
        const seen = JSON.stringify([process.getuid?.(), unreadable.map(({ name }) => name).sort()])
        const identity = `user ${process.getuid?.() ?? ''} of this machine`
        return { identity, fingerprint: createHash('sha256').update(seen).digest('hex'), missing: [] }
      },
      kinds: [
        {
          name: 'item',
          coverage: 'complete',
          paging: 'stable',
          canonical: itemOf,
          key: (item) => keyOf(item, config.key),
          ...(version === undefined ? {} : { version: (item: Json) => versionOf(item, version) }),
          locator: () => ({}),
          partitions,
          async *list(request) {
            const { partition, from, signal } = request
            const { name } = partition
            signal.throwIfAborted()
            const opened = await open(name)
            try {
              // The stamp is part of the cursor, so that a listing never goes on in another state of the file.
              let cursor = from ?? `0@${opened.stamp}`
              for (let last = request.known(cursor); last?.validator === opened.stamp; last = request.known(cursor)) {
                const { next } = last
                yield {
                  cursor,
                  items: [],
                  notModified: true,
                  validator: opened.stamp,
                  ...(next === undefined ? {} : { next }),
                }
                if (next === undefined) return
                cursor = next
              }
              yield* opened.pages(cursor, pageSize, signal)
            } finally {
              await opened.close()
            }
          },
          async get(key, _locator, name) {
            const unknown = await reasonOf(resolve(folder, name), name)
            if (unknown !== undefined) return { state: 'unknown', reason: unknown }
            const opened = await open(name)
            try {
              return await opened.find(key)
            } finally {
              await opened.close()
            }
          },
        },
      ],
    }
  },
}
