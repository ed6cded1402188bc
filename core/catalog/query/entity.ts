import { reference } from '../../model/entity.ts'
import type { Queryable } from '../db.ts'
import { refTarget } from '../refs.ts'
import { type Claim, listConflicts } from './conflicts.ts'
import { type DanglingView, danglingOf } from './dangling.ts'
import { type Pin, pinnedEntity } from './pinned.ts'
import { type EntityRow, type EntityView, entityColumns, entityView, relationTargets, visible } from './view.ts'

export interface LinkOut {
  readonly relation: string
  readonly reference: string
  readonly title: string | null
  /** `missing`: nothing of that name is in the catalog (now). */
  readonly state: 'present' | 'missing'
}

export interface LinkIn {
  readonly relation: string
  readonly reference: string
  readonly title: string | null
}

export interface EntityDetail extends EntityView {
  /** The name that was asked for, when the entity has another one by now. */
  readonly askedAs?: string
  readonly aliases: readonly string[]
  readonly links: { readonly out: readonly LinkOut[]; readonly in: readonly LinkIn[]; readonly inTotal: number }
  /** Records that claim its name, if only one may have it. Absent: there is no conflict. */
  readonly conflict?: readonly Claim[]
  /** Its relations that lead nowhere although they must. */
  readonly dangling: readonly DanglingView[]
  /** Deletions and changes of it that a guard stopped. */
  readonly held: number
  /** A person keeps it although its source does not show it. */
  readonly pinned?: Pin
}

const shownLinks = 100

/** By its current name or a former one. Undefined when it is not in the catalog; `explain` knows why. */
export async function getEntity(
  db: Queryable,
  blueprint: string,
  identifier: string,
): Promise<EntityDetail | undefined> {
  const { rows } = await db.query<EntityRow>(
    `SELECT ${entityColumns} FROM entities e WHERE e.blueprint = $1 AND e.identifier = $2 AND ${visible}
     UNION ALL
     SELECT ${entityColumns} FROM aliases a JOIN entities e ON e.id = a.entity_id
     WHERE a.blueprint = $1 AND a.identifier = $2 AND ${visible}
     LIMIT 1`,
    [blueprint, identifier],
    { name: 'get_entity' },
  )
  const row = rows[0]
  if (row === undefined) return undefined
  const targets = (await relationTargets(db, [row.id])).get(row.id)
  const view = entityView(row, targets)
  const aliases = await formerNames(db, row.id)
  const asked = reference(blueprint, identifier)
  const pinned = await pinnedEntity(db, row.id)
  const [conflict] = await listConflicts(db, row.id)
  return {
    ...view,
    ...(asked === view.reference ? {} : { askedAs: asked }),
    aliases: aliases.map((name) => reference(name.blueprint, name.identifier)),
    links: { out: await linksOut(db, row.id), ...(await linksIn(db, row.id, [row, ...aliases])) },
    ...(conflict === undefined ? {} : { conflict: conflict.claims }),
    dangling: await danglingOf(db, row.id),
    held: await heldCount(db, row.id),
    ...(pinned === undefined ? {} : { pinned: { who: pinned.who, reason: pinned.reason, at: pinned.at } }),
  }
}

interface Name {
  readonly blueprint: string
  readonly identifier: string
}

async function formerNames(db: Queryable, entityId: string): Promise<readonly Name[]> {
  const { rows } = await db.query<Name>(
    'SELECT blueprint, identifier FROM aliases WHERE entity_id = $1 ORDER BY since DESC',
    [entityId],
    { name: 'former_names' },
  )
  return rows
}

async function linksOut(db: Queryable, entityId: string): Promise<readonly LinkOut[]> {
  const { rows } = await db.query<LinkOut>(
    `SELECT r.relation, coalesce(t.title, n.title) AS title,
       coalesce(t.blueprint || ':' || t.identifier, r.blueprint || ':' || r.identifier) AS reference,
       CASE WHEN t.id IS NULL AND n.id IS NULL THEN 'missing' ELSE 'present' END AS state,
     r.position::bigint AS place FROM refs r
     LEFT JOIN entities n ON n.blueprint = r.blueprint AND n.identifier = r.identifier AND n.deleted IS NULL AND NOT n.stub
     LEFT JOIN aliases a ON a.blueprint = r.blueprint AND a.identifier = r.identifier
     LEFT JOIN entities t ON t.id = a.entity_id AND t.deleted IS NULL AND NOT t.stub
     WHERE r.entity_id = $1 AND r.search IS NULL
     UNION ALL
     SELECT r.relation, t.title, t.blueprint || ':' || t.identifier, 'present', f.place
     FROM refs r JOIN searches s ON s.id = r.search AND (r.position = 0 OR cardinality(s.found) = 1)
     CROSS JOIN LATERAL unnest(s.found) WITH ORDINALITY f (id, place) JOIN entities t ON t.id = f.id AND t.deleted IS NULL AND NOT t.stub
     WHERE r.entity_id = $1 ORDER BY relation, place`,
    [entityId],
    { name: 'links_out' },
  )
  return rows.map(({ relation, reference: target, title, state }) => ({ relation, reference: target, title, state }))
}

/** What points at any of these names; by name, because a relation is kept as it was said. */
async function linksIn(
  db: Queryable,
  entityId: string,
  names: readonly Name[],
): Promise<{ readonly in: readonly LinkIn[]; readonly inTotal: number }> {
  const { rows } = await db.query<LinkIn & { total: string }>(
    `SELECT r.relation, e.blueprint || ':' || e.identifier AS reference, e.title, count(*) OVER () AS total
     FROM (
       SELECT entity_id, relation FROM refs WHERE target = ANY($1::bigint[]) AND search IS NULL
         AND (blueprint, identifier) IN (SELECT * FROM unnest($2::text[], $3::text[]))
       UNION ALL
       SELECT r.entity_id, r.relation FROM searches s
       JOIN refs r ON r.search = s.id AND (r.position = 0 OR cardinality(s.found) = 1) WHERE s.found @> ARRAY[$4::bigint]
     ) r JOIN entities e ON e.id = r.entity_id AND ${visible}
     ORDER BY e.blueprint, e.identifier, r.relation LIMIT ${shownLinks}`,
    [
      names.map((name) => refTarget(name.blueprint, name.identifier).toString()),
      names.map((name) => name.blueprint),
      names.map((name) => name.identifier),
      entityId,
    ],
  )
  return {
    in: rows.map(({ relation, reference, title }) => ({ relation, reference, title })),
    inTotal: Number(rows[0]?.total ?? 0),
  }
}

async function heldCount(db: Queryable, entityId: string): Promise<number> {
  const { rows } = await db.query<{ count: string }>(
    `SELECT count(*) FROM held h WHERE h.state = 'pending'
       AND h.record_id IN (SELECT c.record_id FROM contributions c WHERE c.entity_id = $1)`,
    [entityId],
  )
  return Number(rows[0]?.count ?? 0)
}
