import type { Blueprint } from '../model/blueprint.ts'
import type { Queryable } from './db.ts'
import { type Rules, rulesOf } from './refs.ts'

/** By mapping version; emptied when one is activated. */
export type RulesCache = Map<number, ReadonlyMap<string, Rules>>

/** By blueprint, those of other sources included. */
export async function rulesFor(
  tx: Queryable,
  mappingId: number,
  cache: RulesCache,
): Promise<ReadonlyMap<string, Rules>> {
  const cached = cache.get(mappingId)
  if (cached !== undefined) return cached
  const { rows } = await tx.query<{ identifier: string; document: Blueprint }>(
    'SELECT identifier, document FROM blueprints',
  )
  const teams = teamBlueprint(rows.map(({ identifier }) => identifier))
  const rules = new Map(rows.map(({ identifier, document }) => [identifier, rulesOf(document, teams)]))
  cache.set(mappingId, rules)
  return rules
}

/** What a team by search query is searched among. */
export function teamBlueprint(blueprints: readonly string[]): string {
  return blueprints.includes('_team') ? '_team' : 'team'
}
