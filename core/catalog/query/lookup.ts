import { reference } from '../../model/entity.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { MappingOutput, Part } from '../../model/mapping.ts'
import type { Problem } from '../../model/problem.ts'
import { decodeBody } from '../bodies.ts'
import type { Db, Queryable } from '../db.ts'
import { type Evaluate, type ExplainedMapping, type ExplainedRecord, type Insight, noInsight } from './explanation.ts'

interface Row {
  id: string
  source: string
  kind: string
  key: string
  state: 'live' | 'gone'
  locator: JsonObject
  gone: Json
  /** Null: only the hash is kept. */
  body: Buffer | null
}

const select = `SELECT r.id, o.name AS source, k.name AS kind, r.key, r.state, r.locator, r.gone, b.body
  FROM records r JOIN kinds k ON k.id = r.kind_id JOIN sources o ON o.id = k.source_id LEFT JOIN bodies b ON b.record_id = r.id`

/**
 * Records that go by this name: their key is it, or their locator has it, whole or in its parts (`acme/checkout` as
 * `{ owner: acme, name: checkout }`). Locators are indexed by containment, which wants their fields by name: those of a
 * kind are read from one of its records.
 */
export async function recordsNamed(
  db: Db,
  name: string,
  evaluate: Evaluate,
  insight: Insight = noInsight,
): Promise<readonly ExplainedRecord[]> {
  const parts = name.split(/[/:]/u).filter((part) => part !== '')
  const last = parts.at(-1) ?? name
  const wanted = [...new Set([name, last])]
  const conditions = (await locatorFields(db)).flatMap((field) =>
    wanted.map((value) => JSON.stringify({ [field]: value })),
  )
  const { rows } = await db.query<Row>(
    `${select} CROSS JOIN LATERAL (SELECT array_agg(v.value) AS texts FROM jsonb_each_text(r.locator) v) l
     WHERE r.id IN (
       SELECT r.id FROM kinds k JOIN records r ON r.kind_id = k.id AND r.key = $1
       UNION ALL SELECT r.id FROM unnest($3::jsonb[]) w (locator) CROSS JOIN LATERAL (
         SELECT id FROM records WHERE records.locator @> w.locator LIMIT 100) r)
       AND (r.key = $1 OR $1 = ANY(l.texts) OR (cardinality($2::text[]) > 0 AND l.texts @> $2::text[]))
     ORDER BY r.state DESC, r.id DESC LIMIT 10`,
    [name, parts, conditions],
    { name: 'records_named' },
  )
  return explained(db, rows, evaluate, insight)
}

async function locatorFields(db: Queryable): Promise<readonly string[]> {
  const { rows } = await db.query<{ field: string }>(
    `SELECT DISTINCT f.field FROM kinds k
     CROSS JOIN LATERAL (SELECT locator FROM records r WHERE r.kind_id = k.id ORDER BY r.key LIMIT 5) r
     CROSS JOIN LATERAL jsonb_object_keys(r.locator) f (field)`,
  )
  return rows.map(({ field }) => field)
}

/** Another live record of the kind under the very locator of one that is gone: re-created, with a new id. */
export async function successor(
  db: Queryable,
  id: { readonly source: string; readonly kind: string; readonly key: string },
): Promise<{ readonly key: string; readonly feeds: readonly string[] } | undefined> {
  const { rows } = await db.query<{ key: string; feeds: string[] }>(
    `SELECT n.key, ARRAY(SELECT DISTINCT e.blueprint || ':' || e.identifier FROM contributions c
         JOIN entities e ON e.id = c.entity_id WHERE c.record_id = n.id AND e.deleted IS NULL ORDER BY 1) AS feeds
     FROM records r JOIN kinds k ON k.id = r.kind_id JOIN sources o ON o.id = k.source_id
     JOIN records n ON n.kind_id = r.kind_id AND n.locator @> r.locator AND n.state = 'live' AND n.key <> r.key
     WHERE o.name = $1 AND k.name = $2 AND r.key = $3 AND r.state = 'gone' AND r.locator <> '{}' LIMIT 1`,
    [id.source, id.kind, id.key],
  )
  return rows[0]
}

/** By `source`, `kind`, `key`. */
export async function recordExplained(
  db: Queryable,
  id: { readonly source: string; readonly kind: string; readonly key: string },
  evaluate: Evaluate,
  insight: Insight = noInsight,
): Promise<ExplainedRecord | undefined> {
  const { rows } = await db.query<Row>(`${select} WHERE o.name = $1 AND k.name = $2 AND r.key = $3`, [
    id.source,
    id.kind,
    id.key,
  ])
  return (await explained(db, rows, evaluate, insight))[0]
}

async function explained(
  db: Queryable,
  rows: readonly Row[],
  evaluate: Evaluate,
  insight: Insight,
): Promise<readonly ExplainedRecord[]> {
  const ids = rows.map((row) => row.id)
  const fed = await db.query<{ record_id: string; name: string }>(
    `SELECT DISTINCT c.record_id, e.blueprint || ':' || e.identifier AS name FROM contributions c
     JOIN entities e ON e.id = c.entity_id WHERE c.record_id = ANY($1::bigint[]) ORDER BY 2`,
    [ids],
    { name: 'records_feed' },
  )
  const quarantined = await db.query<{ record_id: string; mapping: string; problem: Problem }>(
    'SELECT record_id, mapping, problem FROM quarantine WHERE record_id = ANY($1::bigint[]) ORDER BY mapping, item',
    [ids],
    { name: 'records_quarantined' },
  )
  return rows.map(({ id, body, ...row }) => {
    const kept = row.state === 'live' && body !== null ? decodeBody(body) : undefined
    const text = kept ?? 'null'
    const outputs = kept === undefined ? undefined : evaluate(row.source, row.kind, kept)
    // A record was stored as the text of a JSON value.
    const read = JSON.parse(text) as Json
    const parts = (mapping: string): readonly Part[] =>
      insight.about(row.source)?.selector(mapping, read, { now: Math.floor(insight.now / 1000) }) ?? []
    const stored = quarantined.rows
      .filter((entry) => entry.record_id === id)
      .map(({ mapping, problem }) => ({ mapping, outcome: 'quarantined' as const, entities: [], problem }))
    return {
      ...row,
      feeds: fed.rows.filter((entry) => entry.record_id === id).map((entry) => entry.name),
      mappings: outputs === undefined ? stored : outputs.map((output) => outcome(output, parts)),
    }
  })
}

function outcome(output: MappingOutput, parts: (mapping: string) => readonly Part[]): ExplainedMapping {
  const { mapping } = output
  switch (output.state) {
    case 'deselected':
      return { mapping, outcome: 'deselected', entities: [], expression: output.expression, parts: parts(mapping) }
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
