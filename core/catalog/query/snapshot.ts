import { reference } from '../../model/entity.ts'
import type { Db, Queryable } from '../db.ts'
import type { Told } from '../document.ts'
import { feedBounds, formatPosition } from './changes.ts'
import { type Moment, momentView, resolveMoment } from './moment.ts'
import { documentOfVersion, type Version, versionsAt } from './versions.ts'

export interface SnapshotQuery {
  readonly blueprint?: readonly string[]
  /** Default: now. */
  readonly asOf?: string
}

export type SnapshotPart =
  | { readonly type: 'snapshot'; readonly position: string; readonly at: string | null }
  | ({
      readonly type: 'entity'
      /** As the feed has it. */
      readonly id: string
      readonly reference: string
      readonly blueprint: string
      readonly identifier: string
      readonly revision: number
      readonly createdAt: string
      readonly updatedAt: string
    } & Told)
  | { readonly type: 'end'; readonly entities: number; readonly position: string }

const chunk = 500

/**
 * The catalog behind one transaction of the feed, entity by entity in no particular order, and the position to follow the
 * feed from. What has been committed and has no place in the feed yet is taken back, so that it comes once: with the feed.
 * `take` is awaited, so that a slow reader holds no more than a chunk. Throws what `resolveMoment` throws, before the first part.
 */
export function readSnapshot(db: Db, query: SnapshotQuery, take: (part: SnapshotPart) => Promise<void>): Promise<void> {
  return db.transaction(
    async (tx) => {
      const moment = query.asOf === undefined ? await now(tx) : await resolveMoment(tx, query.asOf)
      const { seq } = moment.position
      const view = momentView(moment)
      await take({ type: 'snapshot', ...view })
      let entities = 0
      for (let after = '0'; ; ) {
        const { rows } = await tx.query<{ id: string }>(
          `SELECT id FROM entities WHERE id > $1::bigint AND NOT stub AND ($2::text[] IS NULL OR blueprint = ANY ($2))
           ORDER BY id LIMIT ${chunk}`,
          [after, query.blueprint ?? null],
        )
        const last = rows.at(-1)
        if (last === undefined) break
        after = last.id
        const versions = await versionsAt(
          tx,
          rows.map((row) => row.id),
          seq,
        )
        for (const version of versions.values()) {
          if (!version.live) continue
          entities += 1
          await take(part(version))
        }
      }
      await take({ type: 'end', entities, position: formatPosition(moment.position) })
    },
    { isolation: 'repeatable read', readOnly: true, attempts: 1 },
  )
}

/** In the form of the feed, so that its patches apply: relations are as they are said. */
function part(version: Version): SnapshotPart {
  const { id, blueprint, identifier, revision, created_at, updated_at } = version.row
  return {
    type: 'entity',
    id,
    reference: reference(blueprint, identifier),
    blueprint,
    identifier,
    ...documentOfVersion(version),
    revision: Number(revision),
    createdAt: created_at.toISOString(),
    updatedAt: updated_at.toISOString(),
  }
}

async function now(tx: Queryable): Promise<Moment> {
  const { end } = await feedBounds(tx)
  return resolveMoment(tx, formatPosition(end))
}
