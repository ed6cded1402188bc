import { array, type Cell } from './binary.ts'
import type { Queryable } from './db.ts'
import { type Document, same } from './document.ts'
import { type Fold, keepsDraft } from './fold.ts'
import { queriesOf, refsOf, refTarget } from './refs.ts'
import { insertRows, table } from './rows.ts'
import { searchIds } from './searches.ts'
import type { Placed } from './write.ts'

const contributions = table('contributions', {
  record_id: 'int8',
  mapping: 'text',
  item: 'text',
  entity_id: 'int8',
  owning: 'bool',
  draft: 'jsonb',
})
const refs = table('refs', {
  entity_id: 'int8',
  relation: 'text',
  position: 'int4',
  target: 'int8',
  blueprint: 'text',
  identifier: 'text',
})
/**
 * Replaced rather than updated: one plan for what is new, moved, or gets or loses its own draft. `replaced`: the records
 * whose contributions `plan` knows one by one.
 */
export async function writeContributions(
  tx: Queryable,
  placed: readonly Placed[],
  plan: Fold,
  replaced: readonly bigint[],
): Promise<void> {
  if (plan.former.length > 0) {
    const keys = plan.former.map(({ recordId, rank }): Cell[] => [recordId, rank.mapping, rank.item])
    await tx.query(
      `DELETE FROM contributions c USING unnest($1::int8[], $2::text[], $3::text[]) u (record, mapping, item)
       WHERE c.record_id = u.record AND c.mapping = u.mapping AND c.item = u.item`,
      [column('int8', keys, 0), column('text', keys, 1), column('text', keys, 2)],
      { name: 'delete_contributions' },
    )
  }
  const ids = new Map(placed.map(({ settled, id }) => [settled, id]))
  for (const { row, settled } of plan.rests) {
    const agreed = same(settled.document, row.document)
    if (settled.row?.id === row.id && agreed) continue
    await tx.query(
      `UPDATE contributions SET entity_id = $2, draft = $3
       WHERE entity_id = $1 AND draft IS NULL AND record_id <> ALL ($4::int8[])`,
      [row.id, ids.get(settled), agreed ? null : draftText(row.document), array('int8', replaced)],
      { name: 'move_contributions' },
    )
  }
  const rows = placed.flatMap(({ settled, id }) =>
    settled.moved.map((each): Cell[] => [
      each.recordId,
      each.rank.mapping,
      each.rank.item,
      id,
      each.owning,
      keepsDraft(each, settled.document) ? draftText(each.document) : null,
    ]),
  )
  await insertRows(tx, contributions, rows)
}

function column(type: 'int8' | 'int4' | 'text', rows: readonly (readonly Cell[])[], index: number): Buffer {
  return array(
    type,
    rows.map((row) => row[index] ?? null),
  )
}

/** Without the name, which is the entity's. */
function draftText({ title, team, properties, relations, failed }: Document): string {
  return JSON.stringify({ title, team, properties, relations, ...(failed.length > 0 ? { failed } : {}) })
}

export async function deleteRefs(tx: Queryable, entities: readonly bigint[]): Promise<void> {
  if (entities.length === 0) return
  const ids = array('int8', entities)
  await tx.query('DELETE FROM refs WHERE entity_id = ANY ($1::int8[])', [ids], { name: 'delete_refs' })
}

/** Of entities whose relations changed, or that were derived by other rules. Hidden stubs have none: they do not exist for readers. */
export async function writeRefs(tx: Queryable, written: readonly Placed[]): Promise<void> {
  const stale = written.filter(
    ({ settled, rules }) => settled.related || (!settled.hidden && settled.row?.derived !== rules.digest),
  )
  await deleteRefs(
    tx,
    stale.filter(({ settled }) => settled.row !== undefined).map(({ id }) => id),
  )
  const rows: Cell[][] = []
  // Entities of one batch point at the same few things.
  const targets = new Map<string, bigint>()
  for (const { settled, id, rules } of stale) {
    for (const { relation, position, blueprint, identifier } of refsOf(settled.document.relations, rules)) {
      const name = `${blueprint}:${identifier}`
      const target = targets.get(name) ?? refTarget(blueprint, identifier)
      targets.set(name, target)
      rows.push([id, relation, position, target, blueprint, identifier])
    }
  }
  await insertRows(tx, refs, rows)
  const asked = stale.flatMap(({ settled, id, rules }) =>
    queriesOf(settled.document.relations, rules).map((query) => ({ id, query })),
  )
  if (asked.length === 0) return
  const ids = await searchIds(
    tx,
    asked.map(({ query }) => query),
  )
  const search = asked.map(({ id, query: { relation, position } }, index): Cell[] => [
    id,
    relation,
    position,
    ids[index] ?? null,
  ])
  await tx.query(
    `INSERT INTO refs (entity_id, relation, position, target, blueprint, identifier, search)
     SELECT u.id, u.relation, u.position, 0, '', '', u.search
     FROM unnest($1::int8[], $2::text[], $3::int4[], $4::int8[]) u (id, relation, position, search)`,
    [column('int8', search, 0), column('text', search, 1), column('int4', search, 2), column('int8', search, 3)],
    { name: 'insert_search_refs' },
  )
}

/** A former name leads to its latest holder until a live entity takes it. */
export async function writeAliases(tx: Queryable, placed: readonly Placed[]): Promise<void> {
  const taken = placed.filter(
    ({ settled: { operation } }) => operation === 'created' || operation === 'renamed' || operation === 'restored',
  )
  if (taken.length === 0) return
  const names = taken.map(({ settled, id, revision }): Cell[] => [settled.blueprint, settled.identifier, id, revision])
  await tx.query(
    `WITH ended AS (
       DELETE FROM aliases a USING unnest($1::text[], $2::text[], $3::int8[], $4::int8[]) u (blueprint, identifier, id, revision)
       WHERE a.blueprint = u.blueprint AND a.identifier = u.identifier
       RETURNING a.blueprint, a.identifier, a.entity_id, a.revision, u.id, u.revision)
     INSERT INTO former_aliases (blueprint, identifier, entity_id, revision, taken_by, taken_revision) SELECT * FROM ended`,
    [column('text', names, 0), column('text', names, 1), column('int8', names, 2), column('int8', names, 3)],
    { name: 'end_aliases' },
  )
  const live = new Set(
    placed.flatMap(({ settled: { hidden, blueprint, identifier } }) => (hidden ? [] : [`${blueprint}:${identifier}`])),
  )
  const former = placed.flatMap(({ settled: { row, operation }, id, revision }): Cell[][] => {
    if (operation !== 'renamed' || row === undefined || live.has(`${row.blueprint}:${row.identifier}`)) return []
    return [[row.blueprint, row.identifier, id, revision]]
  })
  if (former.length === 0) return
  await tx.query(
    `INSERT INTO aliases (blueprint, identifier, entity_id, revision)
     SELECT * FROM unnest($1::text[], $2::text[], $3::int8[], $4::int8[])
     ON CONFLICT (blueprint, identifier) DO UPDATE SET entity_id = excluded.entity_id, revision = excluded.revision, since = now()`,
    [column('text', former, 0), column('text', former, 1), column('int8', former, 2), column('int8', former, 3)],
    { name: 'write_aliases' },
  )
}
