import type { Queryable } from '../db.ts'

export interface Readiness {
  readonly ready: boolean
  readonly reason: string
}

/**
 * Ready once a scanned catalog can be served: at least one partition was listed completely, and no configured kind still
 * waits for the outcome of its first scan. Kinds that failed do not keep the rest from being served; one of which not even the
 * partitions could be read has a next time to be tried. `kinds`: what the
 * configuration wants, by source.
 */
export async function readiness(
  db: Queryable,
  kinds: readonly { readonly source: string; readonly kind: string }[],
): Promise<Readiness> {
  const { rows } = await db.query<{ source: string; kind: string; complete: boolean; settled: boolean }>(
    `SELECT o.name AS source, k.name AS kind,
       coalesce(bool_or(p.complete_scan IS NOT NULL), false) AS complete,
       coalesce(bool_and(p.complete_scan IS NOT NULL OR p.state = 'unknown'
         OR EXISTS (SELECT FROM scans s WHERE s.partition_id = p.id AND s.ended_at IS NOT NULL)),
         o.problem IS NOT NULL OR EXISTS (SELECT FROM schedules t WHERE t.source_id = o.id AND t.kind = k.name AND NOT t.requested)
       ) AS settled
     FROM sources o JOIN kinds k ON k.source_id = o.id LEFT JOIN partitions p ON p.kind_id = k.id AND p.state <> 'dropped'
     GROUP BY o.id, k.id`,
  )
  if (!rows.some((row) => row.complete)) return { ready: false, reason: 'Nothing has been scanned completely yet.' }
  const waiting = kinds.find(
    ({ source, kind }) => !rows.some((row) => row.source === source && row.kind === kind && row.settled),
  )
  if (waiting !== undefined) {
    return { ready: false, reason: `The first scan of ${waiting.source}/${waiting.kind} is not done yet.` }
  }
  return { ready: true, reason: 'A scanned catalog can be served.' }
}
