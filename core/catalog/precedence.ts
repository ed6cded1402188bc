import { writeChanges } from './changes.ts'
import type { Db } from './db.ts'
import { loadContributions, lockEntities } from './entities.ts'
import { fold } from './fold.ts'
import type { Rules } from './refs.ts'
import { place, writeFold } from './write.ts'

const most = 500

/**
 * Merges anew what a source's place in the order decides: entities that it says something about and that somebody does
 * not agree with. Where all say the same the order decides nothing.
 */
export async function mergeAgain(db: Db, sourceId: number, rules: ReadonlyMap<string, Rules>): Promise<void> {
  for (let after = '0'; ; ) {
    const { rows: names } = await db.query<{ id: string; blueprint: string; identifier: string }>(
      `SELECT e.id, e.blueprint, e.identifier FROM entities e
       WHERE e.id > $2 AND e.deleted IS NULL
         AND EXISTS (SELECT FROM contributions c WHERE c.entity_id = e.id AND c.draft IS NOT NULL)
         AND EXISTS (SELECT FROM contributions c JOIN records r ON r.id = c.record_id JOIN kinds k ON k.id = r.kind_id
                     WHERE c.entity_id = e.id AND k.source_id = $1)
       ORDER BY e.id LIMIT ${most}`,
      [sourceId, after],
    )
    const last = names.at(-1)
    if (last === undefined) return
    after = last.id
    await db.transaction(async (tx) => {
      const { rows: clock } = await tx.query<{ now: Date }>('SELECT now()')
      const cause = { type: 'person', who: 'configuration', what: 'precedence of sources' } as const
      const why = { cause, now: clock[0]?.now.getTime() ?? 0 }
      const rows = await lockEntities(tx, { names })
      const stored = await loadContributions(tx, rows, [], [])
      const plan = fold({ rows, stored, replaced: new Set(), said: [], rules })
      const placed = await place(tx, plan, rules)
      await writeChanges(tx, why, await writeFold(tx, why, plan, placed, [], new Map()))
    })
  }
}
