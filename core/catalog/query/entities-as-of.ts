import { CatchmentError } from '../../sdk/index.ts'
import { array, columnArrays } from '../binary.ts'
import type { Db, Queryable } from '../db.ts'
import { noRules, type Rules, refTarget } from '../refs.ts'
import { selected, table, unnested } from '../rows.ts'
import { tsvector } from '../search.ts'
import { type EntityList, type EntityQuery, listEntities, type Scope } from './entities.ts'
import { type MomentView, momentView, resolveMoment } from './moment.ts'
import { currentNamesAt } from './names.ts'
import type { Parameters } from './sql.ts'
import { blueprintRules, refsOfRow, snapshot, targetsOf } from './then.ts'
import { documentOfVersion, type Version, versionsAt } from './versions.ts'

/**
 * How much may have changed since: so many changes of entities that were there then (each is walked back), and so many in
 * all. What lies further back is asked for one entity at a time, or as a snapshot.
 */
export const mostChanges = 20_000
export const mostChangesInAll = 500_000

/**
 * The same list as it was then: what is in the index now, without what changed since, and with that as it was. Blueprints
 * are those of now. Throws what `resolveMoment` and `listEntities` throw, and `as_of_too_far` (422).
 */
export function listEntitiesAsOf(
  db: Db,
  query: EntityQuery & { readonly asOf: string },
): Promise<EntityList & { readonly asOf: MomentView }> {
  return snapshot(db, async (tx) => {
    const moment = await resolveMoment(tx, query.asOf)
    const { seq } = moment.position
    const changed = await changedSince(tx, seq)
    const rules = await blueprintRules(tx)
    const versions = [...(await versionsAt(tx, changed.there, seq)).values()].filter(({ live }) => live)
    const scope: Scope = {
      with: (parameters) => corrected(parameters, [...changed.there, ...changed.fresh], versions, rules),
      async targets(_, rows) {
        const refs = new Map(rows.map((row) => [row.id, refsOfRow(row, rules)]))
        const resolved = await currentNamesAt(tx, [...refs.values()].flat(), seq)
        return new Map([...refs].map(([id, list]) => [id, targetsOf(list, resolved)]))
      },
    }
    return { ...(await listEntities(tx, query, scope)), asOf: momentView(moment) }
  })
}

/** Behind this place: entities that were there then, and those that came after. */
async function changedSince(
  tx: Queryable,
  seq: bigint,
): Promise<{ readonly there: readonly string[]; readonly fresh: readonly string[] }> {
  const batches = `SELECT id, base FROM change_batches WHERE base IS NULL
    UNION ALL SELECT id, base FROM change_batches
    WHERE base >= coalesce((SELECT max(base) FROM change_batches WHERE base <= $1::bigint + 1), 0)`
  const { rows: sizes } = await tx.query<{ changes: string }>(
    `SELECT coalesce(sum(size), 0) AS changes FROM change_batches WHERE base IS NULL OR base > $1::bigint`,
    [seq.toString()],
  )
  refuseBeyond(Number(sizes[0]?.changes ?? 0), mostChangesInAll)
  const { rows } = await tx.query<{ id: string; fresh: boolean; changes: string }>(
    `SELECT c.entity_id AS id, bool_or(c.operation = 'created') AS fresh, count(*) AS changes
     FROM (${batches}) b JOIN changes c ON c.batch = b.id
     WHERE b.base IS NULL OR b.base + c.position > $1::bigint GROUP BY 1`,
    [seq.toString()],
  )
  const there = rows.filter((row) => !row.fresh)
  refuseBeyond(
    there.reduce((sum, row) => sum + Number(row.changes), 0),
    mostChanges,
  )
  return { there: there.map((row) => row.id), fresh: rows.filter((row) => row.fresh).map((row) => row.id) }
}

function refuseBeyond(changes: number, most: number): void {
  if (changes <= most) return
  throw new CatchmentError(`${changes} changes happened since then; a list takes back ${most} at most.`, {
    code: 'as_of_too_far',
    status: 422,
    hint: 'Ask for a later moment, for one entity (GET /api/v1/entities/BLUEPRINT/IDENTIFIER?asOf=), or for all: GET /api/v1/snapshot?asOf=',
    details: { parameter: 'asOf', changes, most },
  })
}

const { columns } = table('entities', {
  id: 'int8',
  blueprint: 'text',
  identifier: 'text',
  title: 'text',
  team: 'text[]',
  properties: 'jsonb',
  relations: 'jsonb',
  failed: 'jsonb',
  revision: 'int8',
  anchor: 'int8',
  search: 'tsvector',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
})
const refs = table('refs', {
  entity_id: 'int8',
  relation: 'text',
  position: 'int4',
  target: 'int8',
  blueprint: 'text',
  identifier: 'text',
})

/** `entities` and `refs` as they were: the statement behind it reads these instead of the tables of the same name. */
function corrected(
  parameters: Parameters,
  changed: readonly string[],
  versions: readonly Version[],
  rules: ReadonlyMap<string, Rules>,
): string {
  const list = (part: typeof columns): string => part.map(({ name }) => name).join(', ')
  const rows = versions.map((version) => {
    const { row } = version
    const document = documentOfVersion(version)
    return [
      BigInt(row.id),
      row.blueprint,
      row.identifier,
      row.title,
      row.team,
      JSON.stringify(row.properties),
      JSON.stringify(row.relations),
      row.failed === null || row.failed.length === 0 ? null : JSON.stringify(row.failed),
      BigInt(row.revision),
      row.anchor === null ? null : BigInt(row.anchor),
      tsvector(row.identifier, document, (rules.get(row.blueprint) ?? noRules).searchable),
      row.created_at.getTime(),
      row.updated_at.getTime(),
    ]
  })
  const said = versions.flatMap(({ row }) =>
    refsOfRow(row, rules).map(({ relation, position, blueprint, identifier }) => [
      BigInt(row.id),
      relation,
      position,
      refTarget(blueprint, identifier),
      blueprint,
      identifier,
    ]),
  )
  const ids = parameters.add(array('int8', changed.map(BigInt)))
  const place = (values: readonly unknown[]): number => {
    const first = parameters.values.length + 1
    for (const value of values) parameters.add(value)
    return first
  }
  const then = unnested(columns, place(columnArrays(columns, rows)))
  const pointing = unnested(refs.columns, place(columnArrays(refs.columns, said)))
  return `WITH changed AS MATERIALIZED (SELECT unnest(${ids}::int8[]) AS id),
    entities AS NOT MATERIALIZED (
      SELECT ${list(columns)}, deleted, stub FROM entities o
      WHERE deleted IS NULL AND NOT stub AND NOT EXISTS (SELECT FROM changed WHERE changed.id = o.id)
      UNION ALL SELECT ${selected(columns)}, NULL::jsonb, false FROM ${then}),
    refs AS NOT MATERIALIZED (
      SELECT ${list(refs.columns)}, search FROM refs o WHERE NOT EXISTS (SELECT FROM changed WHERE changed.id = o.entity_id)
      UNION ALL SELECT ${selected(refs.columns)}, NULL::bigint FROM ${pointing})`
}
