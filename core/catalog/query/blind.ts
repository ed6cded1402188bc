import type { Queryable } from '../db.ts'
import { MANUAL } from '../store.ts'
import type { Insight } from './explanation.ts'

/** Where we cannot look: it may be there. */
export interface Blind {
  readonly source: string
  readonly frozen: boolean
  readonly text: string
}

export async function blindSpots(
  db: Queryable,
  blueprint: string | undefined,
  insight: Insight,
): Promise<readonly Blind[]> {
  const { rows } = await db.query<{ source: string; kind: string; partition: string; frozen: boolean; reason: string }>(
    `SELECT o.name AS source, k.name AS kind, p.name AS partition, o.state = 'frozen' AS frozen,
       coalesce(p.reason, 'it has never been listed completely') AS reason
     FROM partitions p JOIN kinds k ON k.id = p.kind_id JOIN sources o ON o.id = k.source_id
     WHERE o.name <> $1 AND p.state <> 'dropped' AND (o.state = 'frozen' OR p.state <> 'known' OR p.complete_scan IS NULL)
     ORDER BY 1, 2, 3 LIMIT 100`,
    [MANUAL],
  )
  // A kind that makes no such entity hides none.
  const may = rows.filter(({ source, kind }) => {
    const kinds = blueprint === undefined ? undefined : insight.about(source)?.kindsOf(blueprint)
    return kinds === undefined || kinds.includes(kind)
  })
  return may.slice(0, 10).map(({ source, kind, partition, frozen, reason }) => ({
    source,
    frozen,
    text: frozen
      ? `${source}/${kind} ${partition}: the source is not in the configuration.`
      : `${source}/${kind} ${partition} is unknown: ${reason.replace(/\.$/, '')}.`,
  }))
}
