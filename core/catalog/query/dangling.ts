import type { Queryable } from '../db.ts'
import { unsettled } from '../settling.ts'
import { decodeCursor, encodeCursor, type List } from './cursor.ts'

export const danglingProblems = ['empty', 'missing', 'none', 'many', 'refused'] as const

/** A relation that leads nowhere although it must. */
export interface DanglingView {
  readonly reference: string
  readonly relation: string
  readonly required: boolean
  readonly problem: (typeof danglingProblems)[number]
  /** In words, with the names in question. */
  readonly detail: string
}

interface Row {
  readonly reference: string
  readonly relation: string
  readonly required: boolean
  readonly problem: DanglingView['problem']
  readonly names: readonly string[] | null
  readonly blueprint: string | null
  readonly found: number | null
  readonly refusal: string | null
}

const select = `SELECT e.blueprint || ':' || e.identifier AS reference, d.relation, d.required, d.problem,
   (SELECT array_agg(r.blueprint || ':' || r.identifier ORDER BY r.position) FROM refs r
    WHERE r.entity_id = e.id AND r.relation = d.relation AND r.search IS NULL) AS names,
   s.blueprint, cardinality(s.found) AS found, s.problem AS refusal
 FROM dangling d JOIN entities e ON e.id = d.entity_id
 LEFT JOIN LATERAL (SELECT s.* FROM refs r JOIN searches s ON s.id = r.search
   WHERE r.entity_id = e.id AND r.relation = d.relation LIMIT 1) s ON true`

/** In the order of the references. `settled`: false while changes wait to be looked at. */
export async function listDangling(
  db: Queryable,
  query: { readonly blueprint?: string; readonly required?: boolean; readonly limit: number; readonly cursor?: string },
): Promise<List<DanglingView>> {
  const { blueprint, required } = query
  const [after = '', relation = ''] =
    query.cursor === undefined ? [] : decodeCursor({ blueprint, required }, query.cursor, 2)
  const { rows } = await db.query<Row>(
    `${select} WHERE ($1::text IS NULL OR e.blueprint = $1) AND ($2::boolean IS NULL OR d.required = $2)
       AND (e.blueprint || ':' || e.identifier, d.relation) > ($3::text, $4::text)
     ORDER BY e.blueprint || ':' || e.identifier, d.relation LIMIT ${query.limit + 1}`,
    [query.blueprint ?? null, query.required ?? null, after, relation],
  )
  const items = rows.slice(0, query.limit).map(viewOf)
  const last = items.at(-1)
  const next =
    rows.length > query.limit && last !== undefined
      ? { next: encodeCursor({ blueprint, required }, [last.reference, last.relation]) }
      : {}
  return { items, ...next }
}

export async function danglingOf(db: Queryable, entityId: string): Promise<readonly DanglingView[]> {
  const { rows } = await db.query<Row>(`${select} WHERE d.entity_id = $1 ORDER BY d.relation`, [entityId], {
    name: 'dangling_of',
  })
  return rows.map(viewOf)
}

export interface Relations {
  /** Changes and searches that have not been looked at. */
  readonly behind: number
  readonly dangling: { readonly required: number; readonly other: number }
}

export async function relationsState(db: Queryable): Promise<Relations> {
  const { rows } = await db.query<{ required: string; other: string }>(
    'SELECT count(*) FILTER (WHERE required) AS required, count(*) FILTER (WHERE NOT required) AS other FROM dangling',
  )
  return {
    behind: await unsettled(db),
    dangling: { required: Number(rows[0]?.required ?? 0), other: Number(rows[0]?.other ?? 0) },
  }
}

function viewOf(row: Row): DanglingView {
  const { reference, relation, required, problem } = row
  return { reference, relation, required, problem, detail: detailOf(row) }
}

function detailOf({ relation, problem, names, blueprint, found, refusal }: Row): string {
  const what = relation === '$team' ? 'The team' : `The relation "${relation}"`
  switch (problem) {
    case 'empty':
      return `${what} is required, and nothing says where it leads.`
    case 'missing':
      return `${what} leads to ${(names ?? []).join(', ')}, which is not in the catalog.`
    case 'none':
      return `The search of ${what.toLowerCase()} finds no ${blueprint ?? 'entity'}.`
    case 'many':
      return `The search of ${what.toLowerCase()} finds ${found ?? 'several'} of ${blueprint ?? 'them'}, and it takes one.`
    case 'refused':
      return `The search of ${what.toLowerCase()} cannot be answered: ${refusal ?? ''}`
  }
}
