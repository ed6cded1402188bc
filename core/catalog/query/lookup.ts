import { reference } from '../../model/entity.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { MappingOutput } from '../../model/mapping.ts'
import type { Problem } from '../../model/problem.ts'
import { decodeBody } from '../body.ts'
import type { Db, Queryable } from '../db.ts'
import type { Evaluate, ExplainedMapping, ExplainedRecord } from './explanation.ts'

interface Row {
  id: string
  source: string
  kind: string
  key: string
  state: 'live' | 'gone'
  locator: JsonObject
  gone: Json
  body: Buffer
}

const select = `SELECT r.id, o.name AS source, k.name AS kind, r.key, r.state, r.locator, r.gone, r.body
  FROM records r JOIN kinds k ON k.id = r.kind_id JOIN sources o ON o.id = k.source_id`

/**
 * Records that go by this name: their key is it, or their locator has it, whole or in its parts (`acme/checkout` as
 * `{ owner: acme, name: checkout }`). No index knows locators, so the search is given three seconds; undefined: it took longer.
 */
export async function recordsNamed(
  db: Db,
  name: string,
  evaluate: Evaluate,
): Promise<readonly ExplainedRecord[] | undefined> {
  const parts = name.split(/[/:]/u).filter((part) => part !== '')
  // Looking for a text is ten times cheaper than taking locators apart; only where JSON writes it as it is.
  const last = parts.at(-1) ?? ''
  const hint = /^[\w.-]*$/.test(last) ? last : ''
  try {
    return await db.transaction(
      async (tx) => {
        await tx.query(`SET LOCAL statement_timeout = '3s'`)
        const { rows } = await tx.query<Row>(
          `${select} CROSS JOIN LATERAL (SELECT array_agg(v.value) AS texts FROM jsonb_each_text(r.locator) v) l
           WHERE (r.key = $1 OR strpos(r.locator::text, $3) > 0)
             AND (r.key = $1 OR $1 = ANY(l.texts) OR (cardinality($2::text[]) > 0 AND l.texts @> $2::text[]))
           ORDER BY r.state DESC, r.id DESC LIMIT 10`,
          [name, parts, hint],
        )
        return explained(tx, rows, evaluate)
      },
      { readOnly: true, attempts: 1 },
    )
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '57014') return undefined
    throw error
  }
}

/** By `source`, `kind`, `key`. */
export async function recordExplained(
  db: Queryable,
  id: { readonly source: string; readonly kind: string; readonly key: string },
  evaluate: Evaluate,
): Promise<ExplainedRecord | undefined> {
  const { rows } = await db.query<Row>(`${select} WHERE o.name = $1 AND k.name = $2 AND r.key = $3`, [
    id.source,
    id.kind,
    id.key,
  ])
  return (await explained(db, rows, evaluate))[0]
}

async function explained(db: Queryable, rows: readonly Row[], evaluate: Evaluate): Promise<readonly ExplainedRecord[]> {
  const ids = rows.map((row) => row.id)
  const fed = await db.query<{ record_id: string; name: string }>(
    `SELECT DISTINCT c.record_id, e.blueprint || ':' || e.identifier AS name FROM contributions c
     JOIN entities e ON e.id = c.entity_id WHERE c.record_id = ANY($1::bigint[]) ORDER BY 2`,
    [ids],
  )
  const quarantined = await db.query<{ record_id: string; mapping: string; problem: Problem }>(
    'SELECT record_id, mapping, problem FROM quarantine WHERE record_id = ANY($1::bigint[]) ORDER BY mapping, item',
    [ids],
  )
  return rows.map(({ id, body, ...row }) => {
    const outputs = row.state === 'live' ? evaluate(row.source, row.kind, JSON.parse(decodeBody(body))) : undefined
    const stored = quarantined.rows
      .filter((entry) => entry.record_id === id)
      .map(({ mapping, problem }) => ({ mapping, outcome: 'quarantined' as const, entities: [], problem }))
    return {
      ...row,
      feeds: fed.rows.filter((entry) => entry.record_id === id).map((entry) => entry.name),
      mappings: outputs === undefined ? stored : outputs.map(outcome),
    }
  })
}

function outcome(output: MappingOutput): ExplainedMapping {
  const { mapping } = output
  switch (output.state) {
    case 'deselected':
      return { mapping, outcome: 'deselected', entities: [], expression: output.expression }
    case 'quarantined':
      return { mapping, outcome: 'quarantined', entities: [], problem: output.problem }
    case 'selected': {
      const entities = output.drafts.map(({ draft }) => reference(draft.blueprint, draft.identifier))
      const problem = output.quarantined[0]?.problem
      if (problem === undefined) return { mapping, outcome: 'selected', entities }
      return { mapping, outcome: 'quarantined', entities, problem }
    }
  }
}
