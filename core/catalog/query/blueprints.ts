import type { Blueprint } from '../../model/blueprint.ts'
import type { Queryable } from '../db.ts'
import { visible } from './view.ts'

export interface BlueprintView {
  readonly identifier: string
  readonly title: string | null
  /** The source whose configuration brought it. */
  readonly source: string | null
  readonly entities: number
}

/** With how many entities there are of each; the largest first. */
export async function listBlueprints(db: Queryable): Promise<readonly BlueprintView[]> {
  const { rows } = await db.query<{
    identifier: string
    title: string | null
    source: string | null
    entities: string
  }>(
    `SELECT b.identifier, b.document ->> 'title' AS title, o.name AS source, coalesce(c.entities, 0) AS entities
     FROM blueprints b LEFT JOIN sources o ON o.id = b.source_id
     LEFT JOIN (SELECT e.blueprint, count(*) AS entities FROM entities e WHERE ${visible} GROUP BY e.blueprint) c
       ON c.blueprint = b.identifier
     ORDER BY entities DESC, b.identifier`,
  )
  return rows.map((row) => ({ ...row, entities: Number(row.entities) }))
}

/** The document as the file has it. */
export async function getBlueprint(db: Queryable, identifier: string): Promise<Blueprint | undefined> {
  const { rows } = await db.query<{ document: Blueprint }>('SELECT document FROM blueprints WHERE identifier = $1', [
    identifier,
  ])
  return rows[0]?.document
}
