import type { Queryable } from '../../db.ts'
import { visible } from '../view.ts'
import type { Node } from './parse.ts'

/** So many entities of each family are looked at. */
const sample = 1000

/**
 * Those of the names that entities have as properties although no blueprint declares them: rows of a file, for one, become
 * entities with all of their fields. `blueprints`: where to look.
 */
export async function undeclaredAmong(
  db: Queryable,
  names: readonly string[],
  blueprints: readonly string[],
): Promise<ReadonlySet<string>> {
  if (names.length === 0) return new Set()
  const { rows } = await db.query<{ name: string }>(
    `SELECT n.name FROM unnest($1::text[]) n (name) WHERE EXISTS (
       SELECT FROM unnest($2::text[]) b (blueprint), LATERAL (
         SELECT e.properties FROM entities e WHERE e.blueprint = b.blueprint AND ${visible} LIMIT ${sample}) s
       WHERE s.properties ? n.name)`,
    [names, blueprints],
  )
  return new Set(rows.map(({ name }) => name))
}

/** Names that a line searches or sorts by, as they are written. */
export function namesIn(node: Node): readonly string[] {
  switch (node.type) {
    case 'and':
    case 'or':
      return node.parts.flatMap(namesIn)
    case 'not':
      return namesIn(node.part)
    case 'field':
      return ['has', 'sort'].includes(node.name.toLowerCase())
        ? node.values.map(({ text }) => text.replace(/^-/, ''))
        : [node.name]
    case 'text':
      return /^[\p{L}_$][\p{L}\p{N}_.$-]*(?=[<>!=])/u.exec(node.text) ?? []
  }
}
