import type { Relation } from '../../model/entity.ts'
import type { Json } from '../../model/json.ts'
import type { Queryable } from '../db.ts'
import type { Document, Patch } from '../document.ts'
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

interface Later {
  readonly entity_id: string
  readonly patch: Patch | null
}

interface Head {
  readonly entity_id: string
  readonly seq: string
  readonly revision: string
  readonly operation: Operation
  readonly cause: Json
  readonly at: Date
}

/**
 * The entities as they stood at this place of the feed, by id: each is walked back from what it is now, or was when it
 * was deleted, change by change. Not in the answer: what was not there yet, and stubs. Read it in one snapshot (a
 * repeatable read), or a change may come between. `seq` null: now, changes included that have no place yet.
 */
export async function versionsAt(
  db: Queryable,
  ids: readonly string[],
  seq: bigint,
): Promise<ReadonlyMap<string, Version>> {
  if (ids.length === 0) return new Map()
  const heads = await db.query<Head>(
    `SELECT i.id AS entity_id, h.* FROM unnest($1::bigint[]) i (id) CROSS JOIN LATERAL (
       (SELECT b.base + c.position AS seq, c.revision, c.operation, b.cause, c.at
        FROM changes c JOIN change_batches b ON b.id = c.batch
        WHERE c.entity_id = i.id AND b.base + c.position <= $2::bigint ORDER BY c.revision DESC LIMIT 1)
       UNION ALL
       SELECT k.seq, k.revision, k.operation, k.cause, k.at FROM keyframes k WHERE k.entity_id = i.id AND k.seq <= $2::bigint
       ORDER BY revision DESC LIMIT 1) h`,
    [ids, seq.toString()],
  )
  const there = heads.rows.map((head) => head.entity_id)
  if (there.length === 0) return new Map()
  const { rows } = await db.query<EntityRow>(
    `SELECT ${entityColumns} FROM entities e WHERE e.id = ANY ($1::bigint[]) AND NOT e.stub`,
    [there],
  )
  const later = await db.query<Later>(
    `SELECT c.entity_id, c.patch FROM changes c JOIN change_batches b ON b.id = c.batch
     WHERE c.entity_id = ANY ($1::bigint[]) AND c.patch IS NOT NULL AND (b.base IS NULL OR b.base + c.position > $2::bigint)
     ORDER BY c.entity_id, c.revision DESC`,
    [there, seq.toString()],
  )
  const patches = Map.groupBy(later.rows, (each) => each.entity_id)
  const now = new Map(rows.map((row) => [row.id, row]))
  return new Map(
    heads.rows.flatMap((head) => {
      const row = now.get(head.entity_id)
      if (row === undefined) return []
      const { identifier, document } = walkBack(row, patches.get(row.id) ?? [])
      const version: Version = {
        row: { ...row, ...document, identifier, revision: head.revision, updated_at: head.at },
        seq: BigInt(head.seq),
        operation: head.operation,
        cause: head.cause,
        live: head.operation !== 'deleted',
      }
      return [[row.id, version] as const]
    }),
  )
}

/** `changes`: newest first. */
function walkBack(row: EntityRow, changes: readonly Later[]): { identifier: string; document: Document } {
  let { identifier, title, team } = row
  let failed: Document['failed'] = row.failed ?? []
  const properties = new Map<string, Json>(Object.entries(row.properties))
  const relations = new Map<string, Relation>(Object.entries(row.relations))
  const put = <T>(into: Map<string, T>, name: string, value: T | null): void => {
    if (value === null) into.delete(name)
    else into.set(name, value)
  }
  for (const { patch } of changes) {
    for (const [field, [before]] of Object.entries(patch ?? {})) {
      // Patches are written by `difference`, so each field has the type of its place.
      if (field === 'identifier') identifier = before as string
      else if (field === 'title') title = before as string | null
      else if (field === 'team') team = before as readonly string[]
      else if (field === 'failed') failed = before as unknown as Document['failed']
      else if (field.startsWith('properties.')) put(properties, field.slice(11), before)
      else if (field.startsWith('relations.')) put(relations, field.slice(10), before as Relation)
    }
  }
  return {
    identifier,
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
export function documentOfVersion({ row }: Version): Document {
  const { title, team, properties, relations, failed } = row
  return { title, team, properties, relations: relations as Document['relations'], failed: failed ?? [] }
}
