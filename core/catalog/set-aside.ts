import { hash } from 'node:crypto'
import type { JsonObject } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import type { ItemSetAside, PageWrite } from './batch.ts'
import { array } from './binary.ts'
import type { Db, Queryable } from './db.ts'
import { storable, storableJson } from './document.ts'
import { checkLease, writeFenced } from './leases.ts'
import type { Store } from './store.ts'

/** Kept of each partition. */
export const mostSetAside = 100
/** Of a key of more bytes than this, so many characters are shown. */
const longestKey = 1000
const shown = 200
/** Bytes of a locator: only to find it by a name that people know. */
const longestLocator = 2000

/** Where and when: `since` is the tick from which on what is there counts against the most that are kept. */
interface Place {
  readonly partitionId: number
  readonly tick: bigint
  readonly since: bigint
  readonly inboxId?: bigint
  /** Milliseconds. */
  readonly now: number
}

/** Notes objects that were set aside; one that is there already keeps its first moment. */
export async function writeSetAside(tx: Queryable, items: readonly ItemSetAside[], place: Place): Promise<void> {
  const each = new Map(items.map((item) => [digestOf(item), item]))
  if (each.size === 0) return
  await tx.query(
    `INSERT INTO set_aside AS a (partition_id, digest, key, locator, problem, tick, inbox_id, since)
     SELECT $1, u.digest, u.key, u.locator, u.problem, $2, $3, $4
     FROM unnest($5::bytea[], $6::text[], $7::jsonb[], $8::jsonb[]) WITH ORDINALITY u (digest, key, locator, problem, place)
     WHERE u.place <= ${mostSetAside} - (SELECT count(*) FROM set_aside n WHERE n.partition_id = $1 AND n.tick >= $9 AND n.digest <> u.digest)
     ON CONFLICT (partition_id, digest) DO UPDATE SET key = excluded.key, locator = excluded.locator, problem = excluded.problem,
       tick = excluded.tick, inbox_id = excluded.inbox_id`,
    [
      place.partitionId,
      place.tick,
      place.inboxId ?? null,
      new Date(place.now),
      array('hex', [...each.keys()]),
      array(
        'text',
        [...each.values()].map(({ key }) => storable(Buffer.byteLength(key) > longestKey ? key.slice(0, shown) : key)),
      ),
      array(
        'jsonb',
        [...each.values()].map(({ locator }) => locatorOf(locator)),
      ),
      array(
        'jsonb',
        [...each.values()].map((item) => storableJson(problemOf(item))),
      ),
      place.since,
    ],
    { name: 'set_aside' },
  )
}

/** Of a page, in the commit that writes it. */
export async function setAsideOf(
  tx: Queryable,
  { setAside = [], scan, span }: PageWrite,
  at: Pick<Place, 'partitionId' | 'now'>,
) {
  if (setAside.length === 0) return
  const { rows } = await tx.query<{ begin_tick: string }>('SELECT begin_tick FROM scans WHERE id = $1', [scan])
  await writeSetAside(tx, setAside, { ...at, tick: span.end, since: BigInt(rows[0]?.begin_tick ?? 0) })
}

function digestOf({ key, place }: ItemSetAside): string {
  // In UTF-16, which tells apart also what UTF-8 cannot write.
  return hash('md5', Buffer.from(key === '' ? `place ${place}` : `key ${key}`, 'utf16le'), 'hex')
}

function locatorOf(locator: JsonObject): string {
  const text = storableJson(locator)
  return text.length > longestLocator ? '{}' : text
}

function problemOf({ field, message }: ItemSetAside): Problem {
  return { code: 'item_refused', mapping: '', field, expression: '', message: message.slice(0, 1000) }
}

export function settingAside(db: Db): Pick<Store, 'setAside' | 'forgetSetAside'> {
  return {
    setAside: (fence, inboxId, error, about) =>
      db.transaction(async (tx) => {
        await tx.query(
          `UPDATE inbox SET state = 'dead', error = $2, attempts = attempts + 1, settled_at = now() WHERE id = $1`,
          [inboxId, storableJson(error)],
        )
        if (about !== undefined) {
          const { rows } = await tx.query<{ tick: string }>(`SELECT nextval('tick') AS tick`)
          const place = { partitionId: about.partitionId, tick: BigInt(rows[0]?.tick ?? 0), since: 0n, inboxId }
          await writeSetAside(tx, [about.item], { ...place, now: about.now })
        }
        await checkLease(tx, fence)
      }),

    forgetSetAside: (fence, scanId) =>
      writeFenced(
        db,
        fence,
        'DELETE FROM set_aside a USING fence, scans s WHERE s.id = $3 AND a.partition_id = s.partition_id AND a.tick < s.begin_tick',
        [scanId],
      ),
  }
}
