import { z } from 'zod'
import type { Got, Json, JsonObject, Kind, ListRequest, Page } from '../../../core/sdk/index.ts'
import { atOnce, codeownersOf, itemOf } from '../codeowners.ts'
import { type Home, homeOf } from '../directory.ts'
import { reasonOf, type Scope } from '../scope.ts'
import { numberIn, objectOf, pickObject } from '../shape.ts'
import { type ChildParts, gateOf, stampOf } from './child.ts'

const what = 'CODEOWNERS'

const shape = {
  path: true,
  sha: true,
  owners: true,
  default_owners: true,
  teams: true,
  owning_teams: true,
  rules: [{ pattern: true, owners: true }],
  __repository: true,
  __organization: true,
  __repository_object: true,
} as const

/**
 * Who owns what in a repository, of all repositories of an organisation: a query for fifty of them, and none for fifty in
 * which nothing was pushed. The key is the repository's: it has one such file at most.
 */
export function codeownersKind(parts: ChildParts, scope: Scope): Kind {
  const { client, config, directory } = parts
  const pageSize = Math.min(config.pageSize, atOnce)
  const keyIn = (item: JsonObject): string => numberIn(item, ['__repository_object', 'id'], what)

  return {
    name: 'codeowners',
    coverage: 'complete',
    paging: 'shifting',
    canonical(item) {
      const object = objectOf(item, what)
      keyIn(object)
      return pickObject(object, shape)
    },
    key: (item) => keyIn(objectOf(item, what)),
    locator: () => ({}),
    partitions: scope.partitions,
    list: (request) => list(request),
    async get(key, _locator, partition, signal): Promise<Got> {
      const answer = await client.ask('GET /repositories/{id}', { id: key }, { signal })
      if (answer.state === 'notModified') return { state: 'unknown', reason: 'unexpected 304' }
      if (answer.state === 'refused') {
        if (answer.status !== 404) return { state: 'unknown', reason: reasonOf(answer, `repository ${key}`) }
        const seen = await scope.look(partition, signal)
        return typeof seen === 'string' ? { state: 'unknown', reason: seen } : { state: 'gone' }
      }
      const home = homeOf(answer.data)
      if (home.id !== key) return { state: 'unknown', reason: `repository ${key} answered as ${home.id}` }
      const at = scope.partitionOf(home.owner)
      if (at === undefined) return { state: 'gone' }
      const found = await codeownersOf(client, at, [home], { now: parts.now(), signal, priority: 'live' })
      if (found.incomplete !== undefined) return { state: 'unknown', reason: found.incomplete }
      const file = found.files.get(home.id)
      return file === undefined ? { state: 'gone' } : { state: 'present', body: itemOf(file, home), partitions: [at] }
    },
  }

  /** A page of repositories is one or more of ours: the cursor is its number and the place in it. */
  async function* list(request: ListRequest): AsyncGenerator<Page> {
    const { signal, partition } = request
    const org = partition.name
    let [number, at = '0'] = (request.from ?? '1.0').split('.')
    for (let from = Number(at); number !== undefined; from = 0) {
      const { homes, next: following } = await directory.page(org, number, signal)
      const places = Math.max(1, Math.ceil(homes.length / pageSize))
      for (let place = from; place < places; place += 1) {
        const some = homes.slice(place * pageSize, (place + 1) * pageSize)
        const next = place + 1 < places ? `${number}.${place + 1}` : following && `${following}.0`
        const page = await onePage(request, org, `${number}.${place}`, some)
        yield next === undefined ? page : { ...page, next }
      }
      number = following
    }
  }

  async function onePage(request: ListRequest, org: string, cursor: string, homes: readonly Home[]): Promise<Page> {
    const now = parts.now()
    const stamp = stampOf(homes.map((home) => [home.body, gateOf(home, now) ?? null]))
    // One that was pushed to just now is looked at again: another push within the second would not show.
    const settled = homes.every((home) => home.pushedAt === undefined || gateOf(home, now) !== undefined)
    const validator = settled ? { validator: JSON.stringify({ stamp }) } : {}
    if (settled && remembered(request.known(cursor)?.validator) === stamp) {
      return { cursor, items: [], notModified: true, ...validator }
    }
    const { files, incomplete } = await codeownersOf(client, org, homes, {
      now,
      signal: request.signal,
      priority: 'scan',
    })
    const items = homes.flatMap((home): readonly Json[] => {
      const file = files.get(home.id)
      return file === undefined ? [] : [itemOf(file, home)]
    })
    return incomplete === undefined ? { cursor, items, ...validator } : { cursor, items, incomplete }
  }
}

const validatorSchema = z.object({ stamp: z.string() })

function remembered(text: string | undefined): string | undefined {
  if (text === undefined || !text.startsWith('{')) return undefined
  // Written by `onePage`, perhaps of another version: what does not fit is nothing known.
  const read = validatorSchema.safeParse(JSON.parse(text))
  return read.success ? read.data.stamp : undefined
}
