import { reference } from '../../model/entity.ts'
import type { Queryable } from '../db.ts'
import { PIN } from '../pins.ts'
import { decodeCursor, encodeCursor, type List, page } from './cursor.ts'

/** Who keeps an entity in the catalog that no source shows. */
export interface Pin {
  readonly who: string
  readonly reason: string | null
  readonly at: string
}

export interface Pinned extends Pin {
  readonly reference: string
  readonly title: string | null
  readonly revision: number
  readonly source: string
  readonly kind: string
  /** Of the record that it was made of. */
  readonly key: string
}

interface Row {
  id: string
  blueprint: string
  identifier: string
  title: string | null
  revision: string
  who: string
  reason: string | null
  at: Date
  source: string
  kind: string
  key: string
}

/** A pin is in force while its contribution is there. */
const select = `SELECT e.id, e.blueprint, e.identifier, e.title, e.revision, p.who, p.reason, p.at, s.name AS source, k.name AS kind, r.key
  FROM pins p JOIN entities e ON e.id = p.entity_id AND e.deleted IS NULL
  JOIN contributions c ON c.record_id = p.record_id AND c.mapping = '${PIN}' AND c.item = e.id::text
  JOIN records r ON r.id = p.record_id JOIN kinds k ON k.id = r.kind_id JOIN sources s ON s.id = k.source_id`

export async function pinnedEntity(db: Queryable, entityId: string): Promise<Pinned | undefined> {
  const { rows } = await db.query<Row>(`${select} WHERE p.entity_id = $1::bigint LIMIT 1`, [entityId], {
    name: 'pinned_entity',
  })
  return rows.map(view)[0]
}

/** The latest first. */
export async function listPinned(
  db: Queryable,
  query: { readonly limit: number; readonly cursor?: string },
): Promise<List<Pinned>> {
  const { limit, cursor } = query
  const [at, id] = cursor === undefined ? [null, null] : decodeCursor({}, cursor, 2)
  const { rows } = await db.query<Row & { place: string }>(
    `${select.replace('SELECT', 'SELECT p.at::text AS place,')}
     WHERE $1::timestamptz IS NULL OR (p.at, e.id) < ($1::timestamptz, $2::bigint) ORDER BY p.at DESC, e.id DESC LIMIT $3`,
    [at, id, limit + 1],
  )
  return page(rows, limit, view, (last) => encodeCursor({}, [last.place, last.id]))
}

function view({ blueprint, identifier, title, revision, who, reason, at, source, kind, key }: Row): Pinned {
  return {
    reference: reference(blueprint, identifier),
    title,
    revision: Number(revision),
    who,
    reason,
    at: at.toISOString(),
    source,
    kind,
    key,
  }
}
