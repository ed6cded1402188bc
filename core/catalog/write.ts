import type { Batch, Removal } from './batch.ts'
import { array, type Cell } from './binary.ts'
import type { Queryable } from './db.ts'
import { storableJson } from './document.ts'
import type { Fold, Settled } from './fold.ts'
import { type EntityRow, nameOf } from './group.ts'
import { noRules, type Rules } from './refs.ts'
import { deleteRefs, writeAliases, writeContributions, writeRefs } from './relate.ts'
import { insertRows, table, together, updateRows } from './rows.ts'
import { tsvector } from './search.ts'

export type Why = Pick<Batch, 'cause' | 'now' | 'mute'>

/** One line for the change feed. */
export interface Change {
  readonly entityId: bigint
  readonly revision: bigint
  readonly operation: 'created' | 'updated' | 'renamed' | 'deleted' | 'restored'
  readonly blueprint: string
  readonly identifier: string
  /** JSON text. */
  readonly patch: string | null
}

const content = {
  blueprint: 'text',
  identifier: 'text',
  anchor: 'int8',
  title: 'text',
  team: 'text[]',
  properties: 'jsonb',
  relations: 'jsonb',
  failed: 'jsonb',
  revision: 'int8',
  search: 'tsvector',
  derived: 'int4',
  updated_at: 'timestamptz',
  stub: 'bool',
} as const
const entities = table('entities', { id: 'int8', ...content, created_at: 'timestamptz' })
const changed = table('entities', { id: 'int8', ...content, deleted: 'jsonb' })

/** A settled name with the id of its row. */
export interface Placed {
  readonly settled: Settled
  readonly id: bigint
  readonly revision: bigint
  readonly rules: Rules
  /** The row is inserted or updated. */
  readonly write: boolean
}

/**
 * Writes what `fold` found and answers its changes. Names are released before they are taken: the index on them is checked
 * row by row, and an entity whose name another one takes here leaves the index by being deleted for two statements.
 */
export async function writeFold(
  tx: Queryable,
  why: Why,
  plan: Fold,
  placed: readonly Placed[],
  replaced: readonly bigint[],
  gone: ReadonlyMap<bigint, Removal>,
): Promise<readonly Change[]> {
  const written = placed.filter(({ write }) => write)
  const [created, updated] = [
    written.filter(({ settled }) => settled.row === undefined),
    written.filter(({ settled }) => settled.row !== undefined),
  ]
  const taken = new Set(updated.map(({ settled }) => nameOf(settled)))
  const giving = updated.filter(
    ({ settled: { row, identifier } }) => row !== undefined && row.identifier !== identifier && taken.has(nameOf(row)),
  )
  const deletions = await closeEntities(tx, why, plan, gone)
  await releaseNames(tx, giving, plan.dropped)
  const inserts = created.toSorted(byName)
  // In this order on the connection; while it works on one, the rows of the next are made.
  await together(
    () =>
      updateRows(
        tx,
        changed,
        updated.map((each) => [...cells(each, why.now), null]),
      ),
    () =>
      insertRows(
        tx,
        entities,
        inserts.map((each) => [...cells(each, why.now), why.now]),
      ),
    () => writeContributions(tx, placed, plan, replaced),
    () => writeRefs(tx, written),
    () => writeAliases(tx, placed),
  )
  const changes = placed.flatMap(({ settled, id, revision }): Change[] => {
    const { operation, blueprint, identifier, patch } = settled
    if (operation === undefined) return []
    return [{ entityId: id, revision, operation, blueprint, identifier, patch: patch ? storableJson(patch) : null }]
  })
  return [...deletions, ...changes]
}

function byName(left: Placed, right: Placed): number {
  const [a, b] = [left.settled, right.settled]
  if (a.blueprint !== b.blueprint) return a.blueprint < b.blueprint ? -1 : 1
  return a.identifier < b.identifier ? -1 : 1
}

/**
 * Revisions are taken here, under the locks, so that they grow in the order of commits. What readers do not see (a new
 * anchor, a search vector derived by other rules) makes none.
 */
export async function place(tx: Queryable, plan: Fold, rules: ReadonlyMap<string, Rules>): Promise<readonly Placed[]> {
  const rulesFor = plan.settled.map(({ blueprint }) => rules.get(blueprint) ?? noRules)
  const writes = plan.settled.map(({ dirty, row }, index) => dirty || row?.derived !== rulesFor[index]?.digest)
  const fresh = plan.settled.filter(({ row }) => row === undefined).length
  const [ids, revisions] = await next(tx, fresh, plan.settled.filter(isNewState).length)
  return plan.settled.map((settled, index): Placed => {
    const write = writes[index] ?? true
    const id = settled.row?.id ?? ids.pop()
    const revision = isNewState(settled) ? revisions.pop() : settled.row?.revision
    if (id === undefined || revision === undefined)
      throw new Error('the database gave fewer numbers than it was asked for')
    return { settled, id, revision, rules: rulesFor[index] ?? noRules, write }
  })
}

function isNewState({ row, operation }: Settled): boolean {
  return row === undefined || operation !== undefined
}

async function next(tx: Queryable, ids: number, revisions: number): Promise<[ids: bigint[], revisions: bigint[]]> {
  if (ids + revisions === 0) return [[], []]
  const { rows } = await tx.query<{ ids: string[] | null; revisions: string[] | null }>(
    `SELECT (SELECT array_agg(nextval('entities_id_seq') ORDER BY n DESC) FROM generate_series(1, $1::int) n) AS ids,
       (SELECT array_agg(nextval('revision') ORDER BY n DESC) FROM generate_series(1, $2::int) n) AS revisions`,
    [ids, revisions],
    { name: 'entity_numbers' },
  )
  return [rows[0]?.ids?.map(BigInt) ?? [], rows[0]?.revisions?.map(BigInt) ?? []]
}

function cells({ settled, id, revision, rules }: Placed, now: number): Cell[] {
  const { blueprint, identifier, anchor, document, hidden } = settled
  return [
    id,
    blueprint,
    identifier,
    anchor,
    document.title,
    document.team,
    JSON.stringify(document.properties),
    JSON.stringify(document.relations),
    document.failed.length === 0 ? null : JSON.stringify(document.failed),
    revision,
    tsvector(identifier, document, rules.searchable),
    rules.digest,
    isNewState(settled) ? now : (settled.row?.updatedAt ?? now),
    hidden,
  ]
}

async function closeEntities(
  tx: Queryable,
  why: Why,
  plan: Fold,
  gone: ReadonlyMap<bigint, Removal>,
): Promise<readonly Change[]> {
  if (plan.closed.length === 0) return []
  const at = new Date(why.now).toISOString()
  const [, revisions] = await next(tx, 0, plan.closed.length)
  const taken = new Set(plan.settled.filter(({ hidden }) => !hidden).map(nameOf))
  const deleted = plan.closed.map(({ row, owners }) => {
    const removal = owners.map(({ recordId }) => gone.get(recordId)).find((each) => each !== undefined)
    const reason = row.anchor === null ? (taken.has(nameOf(row)) ? 'replaced' : 'unreferenced') : undefined
    return storableJson({
      reason: reason ?? removal?.reason ?? (why.mute === undefined ? 'withdrawn' : 'dependency'),
      cause: why.cause,
      at,
    })
  })
  const ids = plan.closed.map(({ row }) => row.id)
  await tx.query(
    `UPDATE entities e SET deleted = u.deleted, revision = u.revision, updated_at = u.at
     FROM unnest($1::int8[], $2::jsonb[], $3::int8[], $4::timestamptz[]) u (id, deleted, revision, at) WHERE e.id = u.id`,
    [
      array('int8', ids),
      array('jsonb', deleted),
      array('int8', revisions),
      array(
        'timestamptz',
        ids.map(() => why.now),
      ),
    ],
    { name: 'close_entities' },
  )
  await deleteRefs(tx, ids)
  return plan.closed.map(({ row }, index): Change => {
    const { id, blueprint, identifier } = row
    return { entityId: id, revision: revisions[index] ?? 0n, operation: 'deleted', blueprint, identifier, patch: null }
  })
}

async function releaseNames(tx: Queryable, giving: readonly Placed[], dropped: readonly EntityRow[]): Promise<void> {
  if (dropped.length > 0) {
    const ids = array(
      'int8',
      dropped.map(({ id }) => id),
    )
    await tx.query('DELETE FROM entities WHERE id = ANY ($1::int8[])', [ids], { name: 'drop_stubs' })
  }
  if (giving.length === 0) return
  const ids = array(
    'int8',
    giving.map(({ id }) => id),
  )
  await tx.query(`UPDATE entities SET deleted = '{}' WHERE id = ANY ($1::int8[])`, [ids], { name: 'release_names' })
}
