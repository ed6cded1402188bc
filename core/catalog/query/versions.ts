import type { Relation } from '../../model/entity.ts'
import type { Json } from '../../model/json.ts'
import type { Queryable } from '../db.ts'
import type { Document, Patch, Told } from '../document.ts'
import { type EntityRow, entityColumns } from './view.ts'

/** What a change did: `restored` is a deletion undone. */
export const operations = ['created', 'updated', 'renamed', 'deleted', 'restored'] as const
export type Operation = (typeof operations)[number]

/** One version of an entity, rebuilt: the row as it stood then, and what made it so. */
export interface Version {
  readonly row: EntityRow
  /** Place in the feed of the change that made it. */
  readonly seq: bigint
  readonly operation: Operation
  readonly cause: Json
  /** False: deleted then. */
  readonly live: boolean
}

interface Found extends EntityRow {
  readonly number: string
  readonly seq: string
  readonly head_revision: string
  readonly operation: Operation
  readonly cause: Json
  readonly at: Date
  /** Newest first. */
  readonly later: readonly Patch[] | null
}

/**
 * Entities as they stood at places of the feed: each is walked back from what it is now, or was when it was deleted,
 * change by change, those included that have no place yet. One answer for each place; undefined: it was not there yet, or
 * is a stub. One statement, so that no change comes between.
 */
export async function versionsOf(
  db: Queryable,
  places: readonly { readonly id: string; readonly seq: bigint }[],
): Promise<readonly (Version | undefined)[]> {
  if (places.length === 0) return []
  const { rows } = await db.query<Found>(
    `SELECT i.number, ${entityColumns}, h.seq, h.revision AS head_revision, h.operation, h.cause, h.at, (
       SELECT jsonb_agg(c.patch ORDER BY c.revision DESC) FROM changes c LEFT JOIN change_batches b ON b.id = c.batch
       WHERE c.entity_id = i.id AND c.patch IS NOT NULL AND (b.base IS NULL OR b.base + c.position > i.seq)) AS later
     FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY i (id, seq, number)
     CROSS JOIN LATERAL (
       (SELECT b.base + c.position AS seq, c.revision, c.operation, b.cause, c.at
        FROM changes c LEFT JOIN change_batches b ON b.id = c.batch
        WHERE c.entity_id = i.id AND b.base + c.position <= i.seq ORDER BY c.revision DESC LIMIT 1)
       UNION ALL
       SELECT k.seq, k.revision, k.operation, k.cause, k.at FROM keyframes k WHERE k.entity_id = i.id AND k.seq <= i.seq
       ORDER BY revision DESC LIMIT 1) h
     JOIN entities e ON e.id = i.id AND NOT e.stub`,
    [places.map(({ id }) => id), places.map(({ seq }) => seq.toString())],
  )
  const found = new Map(rows.map((row) => [Number(row.number), version(row)]))
  return places.map((_, index) => found.get(index + 1))
}

/** The same of several at one place, by id. */
export async function versionsAt(
  db: Queryable,
  ids: readonly string[],
  seq: bigint,
): Promise<ReadonlyMap<string, Version>> {
  const versions = await versionsOf(
    db,
    ids.map((id) => ({ id, seq })),
  )
  return new Map(versions.flatMap((each) => (each === undefined ? [] : [[each.row.id, each] as const])))
}

function version({ seq, head_revision, operation, cause, at, later, ...row }: Found): Version {
  const { identifier, stub, document } = walkBack(row, later ?? [])
  return {
    row: { ...row, ...document, identifier, anchor: stub ? null : row.anchor, revision: head_revision, updated_at: at },
    seq: BigInt(seq),
    operation,
    cause,
    live: operation !== 'deleted',
  }
}

/** `changes`: newest first. */
function walkBack(
  row: EntityRow,
  changes: readonly Patch[],
): { identifier: string; stub: boolean; document: Document } {
  let { identifier, title, team } = row
  let stub = row.anchor === null
  let failed: Document['failed'] = row.failed ?? []
  const properties = new Map<string, Json>(Object.entries(row.properties))
  const relations = new Map<string, Relation>(Object.entries(row.relations))
  const put = <T>(into: Map<string, T>, name: string, value: T | null): void => {
    if (value === null) into.delete(name)
    else into.set(name, value)
  }
  for (const patch of changes) {
    for (const [field, [before]] of Object.entries(patch)) {
      // Patches are written by `difference`, so each field has the type of its place.
      if (field === 'identifier') identifier = before as string
      else if (field === 'stub') stub = before as boolean
      else if (field === 'title') title = before as string | null
      else if (field === 'team') team = before as readonly string[]
      else if (field === 'failed') failed = before as unknown as Document['failed']
      else if (field.startsWith('properties.')) put(properties, field.slice(11), before)
      else if (field.startsWith('relations.')) put(relations, field.slice(10), before as Relation)
    }
  }
  return {
    identifier,
    stub,
    document: {
      title,
      team,
      failed,
      properties: Object.fromEntries(properties),
      relations: Object.fromEntries(relations),
    },
  }
}

/** What a version says, without its name. */
export function documentOfVersion({ row }: Version): Told {
  const { title, team, properties, relations, failed } = row
  const document = { title, team, properties, relations: relations as Document['relations'], failed: failed ?? [] }
  return row.anchor === null ? { ...document, stub: true } : document
}
