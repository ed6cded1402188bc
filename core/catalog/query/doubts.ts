import type { Queryable } from '../db.ts'

/** A sentence for each key of this name that a source still has to be asked about: why, and how often it was in vain. */
export async function askedAbout(db: Queryable, name: string): Promise<readonly string[]> {
  const parts = name.split(/[/:]/u).filter((part) => part !== '')
  const { rows } = await db.query<{ source: string; kind: string; key: string; reason: string; attempts: number }>(
    `SELECT o.name AS source, k.name AS kind, d.key, d.reason, d.attempts
     FROM doubts d JOIN kinds k ON k.id = d.kind_id JOIN sources o ON o.id = k.source_id
     CROSS JOIN LATERAL (SELECT array_agg(v.value) AS texts FROM jsonb_each_text(d.locator) v) l
     WHERE d.key = $1 OR $1 = ANY(l.texts) OR (cardinality($2::text[]) > 0 AND l.texts @> $2::text[])
     ORDER BY 1, 2, 3 LIMIT 5`,
    [name, parts],
  )
  return rows.map(({ source, kind, key, reason, attempts }) => {
    const tried = attempts === 0 ? '' : `, ${attempts} ${attempts === 1 ? 'time' : 'times'} in vain so far`
    return `${source} is asked about the ${kind} ${key}${tried}: ${reason.replace(/\.$/, '')}.`
  })
}
