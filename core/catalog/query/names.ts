import { reference } from '../../model/entity.ts'
import type { Queryable } from '../db.ts'
import { type Version, versionsAt } from './versions.ts'

export interface Name {
  readonly blueprint: string
  readonly identifier: string
}

/**
 * Every entity that ever went by this name, as far as history is kept: those whose last name it is, and those that were
 * renamed from it.
 */
export async function everNamed(db: Queryable, { blueprint, identifier }: Name): Promise<readonly string[]> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT id FROM entities WHERE blueprint = $1 AND identifier = $2 AND deleted IS NULL AND NOT stub
     UNION SELECT id FROM entities WHERE blueprint = $1 AND identifier = $2 AND deleted IS NOT NULL AND NOT stub
     UNION SELECT entity_id FROM changes WHERE operation = 'renamed' AND blueprint = $1 AND patch #>> '{identifier,0}' = $2
     UNION SELECT entity_id FROM aliases WHERE blueprint = $1 AND identifier = $2
     UNION SELECT entity_id FROM former_aliases WHERE blueprint = $1 AND identifier = $2`,
    [blueprint, identifier],
  )
  return rows.map((row) => row.id)
}

/** What went by this name then, or had gone by it and was still led to. Undefined: nothing. */
export async function namedAt(db: Queryable, name: Name, seq: bigint): Promise<Version | undefined> {
  const versions = [...(await versionsAt(db, await everNamed(db, name), seq)).values()]
  const own = versions.find(({ live, row }) => live && row.identifier === name.identifier)
  if (own !== undefined) return own
  const [alias] = await aliasesAt(db, [name], seq)
  return alias === undefined ? undefined : versions.find(({ live, row }) => live && row.id === alias.entityId)
}

/** The aliases among these names that led to an entity then, whether it still lived or not. */
export async function aliasesAt(
  db: Queryable,
  names: readonly Name[],
  seq: bigint,
): Promise<readonly (Name & { readonly entityId: string })[]> {
  if (names.length === 0) return []
  const place = (entity: string, revision: string): string =>
    // A revision of which no change is kept was made in front of all that is kept; one without a place comes after it.
    `coalesce((SELECT coalesce(b.base + c.position, 9223372036854775807) FROM changes c JOIN change_batches b ON b.id = c.batch
       WHERE c.entity_id = ${entity} AND c.revision = ${revision}), 0)`
  const { rows } = await db.query<{ blueprint: string; identifier: string; entity_id: string }>(
    `WITH names AS MATERIALIZED (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) n (blueprint, identifier))
     SELECT a.blueprint, a.identifier, a.entity_id FROM names n JOIN aliases a USING (blueprint, identifier)
     WHERE ${place('a.entity_id', 'a.revision')} <= $3::bigint
     UNION ALL
     SELECT a.blueprint, a.identifier, a.entity_id FROM names n JOIN former_aliases a USING (blueprint, identifier)
     WHERE ${place('a.entity_id', 'a.revision')} <= $3::bigint AND ${place('a.taken_by', 'a.taken_revision')} > $3::bigint`,
    [names.map((name) => name.blueprint), names.map((name) => name.identifier), seq.toString()],
  )
  return rows.map(({ entity_id, ...name }) => ({ ...name, entityId: entity_id }))
}

/** What these names led to then, where that was another one: by reference, the name it had then. */
export async function currentNamesAt(
  db: Queryable,
  names: readonly Name[],
  seq: bigint,
): Promise<ReadonlyMap<string, Version>> {
  const aliases = await aliasesAt(db, names, seq)
  const ids = [...new Set(aliases.map((alias) => alias.entityId))]
  const versions = await versionsAt(db, ids, seq)
  return new Map(
    aliases.flatMap(({ blueprint, identifier, entityId }) => {
      const version = versions.get(entityId)
      return version?.live === true ? [[reference(blueprint, identifier), version] as const] : []
    }),
  )
}
