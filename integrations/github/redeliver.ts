import { z } from 'zod'
import type { HookKeeper } from '../../core/sdk/index.ts'
import type { Client } from './client.ts'
import { idOf, type Place } from './places.ts'
import { read } from './schema.ts'
import { unreadable } from './scope.ts'

const deliveries = z.array(
  z.object({
    id: z.int(),
    guid: z.string(),
    delivered_at: z.string(),
    status_code: z.int(),
    event: z.string(),
  }),
)
type Attempt = z.output<typeof deliveries>[number]

/** GitHub keeps three days of deliveries. */
const kept = 3 * 24 * 3600_000
/** A delivery may end a while after it was begun; so much of the last look is looked at again. */
const overlap = 15 * 60_000
/** What failed so often would fail again. */
const attemptsAtMost = 3
/** A longer gap is closed by several looks, and by the scan that comes meanwhile. */
const atOnce = 300
const pagesAtMost = 40

/** Deliveries none of whose attempts was answered with success, oldest first, by the attempt to repeat. Pure. */
export function missedIn(attempts: readonly Attempt[], asked: (guid: string) => boolean): readonly Attempt[] {
  const byGuid = Map.groupBy(attempts, ({ guid }) => guid)
  const missed = [...byGuid.values()].flatMap((all) => {
    const [first] = all
    if (first === undefined || first.event === 'ping' || all.length >= attemptsAtMost || asked(first.guid)) return []
    return all.some(({ status_code: status }) => status >= 200 && status < 300) ? [] : [first]
  })
  return missed.sort((one, other) => one.id - other.id)
}

/**
 * Asks GitHub to send again what it could not deliver. What it sends has the number that it had: were it here after all,
 * it has no second effect.
 */
export function redeliver(
  client: Client,
  placeOf: (scope: string) => Pick<Place, 'path' | 'params'>,
  now: () => number,
): HookKeeper['redeliver'] {
  const looked = new Map<string, number>()
  const asked = new Map<string, number>()

  async function attemptsOf(scope: string, hook: string, signal: AbortSignal): Promise<readonly Attempt[]> {
    const { path, params } = placeOf(scope)
    const since = Math.max(now() - kept, (looked.get(hook) ?? 0) - overlap)
    const found: Attempt[] = []
    let cursor: string | undefined
    for (let page = 0; page < pagesAtMost; page += 1) {
      const place = { ...params, hook, per_page: 100, ...(cursor === undefined ? {} : { cursor }) }
      const answer = await client.recall(`GET ${path}/{hook}/deliveries`, place, signal)
      if (answer.state === 'refused') throw unreadable(answer, `deliveries of webhook ${hook} of ${scope}`)
      const some = read(deliveries, answer.data, `deliveries of ${scope}`)
      found.push(...some)
      cursor = nextCursor(answer.header('link'))
      const last = some.at(-1)
      if (cursor === undefined || last === undefined || Date.parse(last.delivered_at) < since) break
    }
    return found
  }

  return async (hooks, signal) => {
    let count = 0
    for (const [guid, at] of asked) if (now() - at > kept) asked.delete(guid)
    for (const [scope, remembered] of Object.entries(hooks)) {
      const hook = idOf(remembered)
      const { path, params } = placeOf(scope)
      const began = now()
      const attempts = await attemptsOf(scope, hook, signal)
      const missed = missedIn(attempts, (guid) => now() - (asked.get(guid) ?? 0) < overlap)
      for (const { id, guid } of missed.slice(0, atOnce)) {
        const route = `POST ${path}/{hook}/deliveries/{delivery}/attempts`
        const answer = await client.ask(route, { ...params, hook, delivery: id }, { signal })
        if (answer.state === 'refused') throw unreadable(answer, `delivery ${id} of ${scope}`)
        asked.set(guid, now())
        count += 1
      }
      if (missed.length <= atOnce) looked.set(hook, began)
    }
    return count
  }
}

function nextCursor(link: string | undefined): string | undefined {
  const address = /<([^<>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? '')?.[1]
  // Only the cursor is taken, never the address: that could lead the token anywhere.
  return address !== undefined && URL.canParse(address)
    ? (new URL(address).searchParams.get('cursor') ?? undefined)
    : undefined
}
