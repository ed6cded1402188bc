import { array, type Cell } from './binary.ts'
import type { Queryable } from './db.ts'
import { storable } from './document.ts'
import { ContributionMoved } from './entities.ts'
import { type EntityRow, nameOf } from './group.ts'
import type { SayingRecord } from './records.ts'
import { refTarget } from './refs.ts'
import { insertRows, table } from './rows.ts'
import type { Wanted } from './stubs.ts'

interface Name {
  readonly blueprint: string
  readonly identifier: string
}

/** What a batch changes about which names are wanted (createMissingRelatedEntities). */
export interface Wanting {
  /** Of each record, what it wants from now on. */
  readonly now: readonly { readonly recordId: bigint; readonly name: Name }[]
  /** Records of which what they wanted before is void. */
  readonly void: readonly bigint[]
  /** Everything whose stub may come or go. Has to be locked. */
  readonly names: readonly Name[]
  /** Entities that had one of these names before. Have to be locked. */
  readonly led: readonly bigint[]
}

const wanted = table('wanted', { record_id: 'int8', target: 'int8', blueprint: 'text', identifier: 'text' })

/** Before entities are locked. `any`: something is wanted already. Undefined: nothing is, neither before nor now. */
export async function wantingOf(
  tx: Queryable,
  any: boolean,
  saying: readonly SayingRecord[],
  replaced: readonly bigint[],
): Promise<Wanting | undefined> {
  const now = saying.flatMap(({ id, write }) =>
    (write.wanted ?? []).map(({ blueprint, identifier }) => ({
      recordId: id,
      name: { blueprint: storable(blueprint), identifier: storable(identifier) },
    })),
  )
  if (!any && now.length === 0) return undefined
  const { rows } = await tx.query<Name>(
    `SELECT blueprint, identifier FROM wanted WHERE record_id = ANY ($1::int8[])
     UNION SELECT a.blueprint, a.identifier FROM contributions c JOIN aliases a ON a.entity_id = c.entity_id
     WHERE c.record_id = ANY ($1::int8[])`,
    [array('int8', replaced)],
    { name: 'wanted_before' },
  )
  const names = [...new Map([...rows, ...now.map(({ name }) => name)].map((name) => [nameOf(name), name])).values()]
  const { rows: led } = await tx.query<{ id: string }>(
    `SELECT DISTINCT a.entity_id AS id FROM unnest($1::text[], $2::text[]) u (blueprint, identifier)
     JOIN aliases a ON a.blueprint = u.blueprint AND a.identifier = u.identifier`,
    columns(names),
    { name: 'wanted_aliases' },
  )
  return { now, void: replaced, names, led: led.map(({ id }) => BigInt(id)) }
}

/** After they are locked: which of these names, and of those that the rows go by, are wanted from now on. */
export async function wantedNames(
  tx: Queryable,
  { now, void: before, names, led }: Wanting,
  rows: readonly EntityRow[],
): Promise<ReadonlyMap<string, Wanted>> {
  const asked = [...new Map([...names, ...rows].map((name) => [nameOf(name), name])).values()]
  const { rows: others } = await tx.query<Name>(
    `SELECT u.blueprint, u.identifier FROM unnest($1::text[], $2::text[], $3::int8[]) u (blueprint, identifier, target)
     WHERE EXISTS (SELECT FROM wanted w WHERE w.target = u.target AND w.blueprint = u.blueprint
       AND w.identifier = u.identifier AND w.record_id <> ALL ($4::int8[]) OFFSET 0)`,
    [...columns(asked), targets(asked), array('int8', before)],
    { name: 'wanted_names' },
  )
  const result = new Map<string, Wanted>()
  for (const name of [...now.map((each) => each.name), ...others]) result.set(nameOf(name), plain(name))
  const { rows: aliases } = await tx.query<Name & { id: string }>(
    `SELECT a.blueprint, a.identifier, a.entity_id AS id FROM unnest($1::text[], $2::text[]) u (blueprint, identifier)
     JOIN aliases a ON a.blueprint = u.blueprint AND a.identifier = u.identifier
     JOIN entities e ON e.id = a.entity_id AND e.deleted IS NULL`,
    columns([...result.values()]),
    { name: 'wanted_led' },
  )
  // Who waited for an entity may find that it is deleted, and that another one goes by its name by now.
  const { rows: named } = await tx.query<{ id: string }>(
    `SELECT e.id FROM unnest($1::text[], $2::text[]) u (blueprint, identifier) CROSS JOIN LATERAL (
       SELECT e.id FROM entities e WHERE e.blueprint = u.blueprint AND e.identifier = u.identifier AND e.deleted IS NULL OFFSET 0) e`,
    columns(names),
    { name: 'wanted_named' },
  )
  const locked = new Set([...rows.map(({ id }) => id), ...led])
  for (const { id } of named) {
    if (!locked.has(BigInt(id))) throw new ContributionMoved(`entity ${id} has to be locked, too`)
  }
  for (const { id, ...name } of aliases) {
    if (!locked.has(BigInt(id))) throw new ContributionMoved(`entity ${id} has to be locked, too`)
    result.set(nameOf(name), { ...plain(name), led: BigInt(id) })
  }
  return result
}

function plain({ blueprint, identifier }: Name): Name {
  return { blueprint, identifier }
}

/** `any`: something was wanted before. */
export async function writeWanted(tx: Queryable, wanting: Wanting | undefined, any: boolean): Promise<void> {
  if (wanting === undefined) return
  if (any && wanting.void.length > 0) {
    await tx.query('DELETE FROM wanted WHERE record_id = ANY ($1::int8[])', [array('int8', wanting.void)], {
      name: 'delete_wanted',
    })
  }
  const once = new Map(wanting.now.map((each) => [`${each.recordId} ${nameOf(each.name)}`, each]))
  const rows = [...once.values()].map(({ recordId, name: { blueprint, identifier } }): Cell[] => [
    recordId,
    refTarget(blueprint, identifier),
    blueprint,
    identifier,
  ])
  await insertRows(tx, wanted, rows)
}

function columns(names: readonly Name[]): [Buffer, Buffer] {
  return [
    array(
      'text',
      names.map(({ blueprint }) => blueprint),
    ),
    array(
      'text',
      names.map(({ identifier }) => identifier),
    ),
  ]
}

function targets(names: readonly Name[]): Buffer {
  return array(
    'int8',
    names.map(({ blueprint, identifier }) => refTarget(blueprint, identifier)),
  )
}
