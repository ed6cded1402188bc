import type { Queryable } from '../db.ts'
import { refTarget } from '../refs.ts'

/** Why a stub is there: `service:a refers to it`. */
export async function wantedBecause(
  db: Queryable,
  { blueprint, identifier }: { readonly blueprint: string; readonly identifier: string },
): Promise<string> {
  const { rows } = await db.query<{ reference: string; total: string }>(
    `SELECT e.blueprint || ':' || e.identifier AS reference, count(*) OVER () AS total FROM (
       SELECT DISTINCT c.entity_id FROM wanted w JOIN contributions c ON c.record_id = w.record_id AND c.owning
       WHERE w.target = $1 AND w.blueprint = $2 AND w.identifier = $3
         AND EXISTS (SELECT FROM refs r WHERE r.entity_id = c.entity_id AND r.target = w.target)) n
     JOIN entities e ON e.id = n.entity_id ORDER BY 1 LIMIT 1`,
    [refTarget(blueprint, identifier).toString(), blueprint, identifier],
  )
  const [first] = rows
  if (first === undefined) return 'a record refers to it'
  const others = Number(first.total) - 1
  if (others === 0) return `${first.reference} refers to it`
  return `${first.reference} and ${others} more refer to it`
}
