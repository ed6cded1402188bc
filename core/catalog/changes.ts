import type { Queryable } from './db.ts'
import { storableJson } from './document.ts'
import { insertRows, table } from './rows.ts'
import type { Change, Why } from './write.ts'

const changes = table('changes', {
  batch: 'int8',
  position: 'int4',
  entity_id: 'int8',
  revision: 'int8',
  operation: 'text',
  blueprint: 'text',
  identifier: 'text',
  patch: 'jsonb',
  at: 'timestamptz',
})

/**
 * The batch's id is taken after every lock of the transaction was waited for, so that of two transactions that touch the
 * same entity or name the one that commits later has the greater id.
 */
export async function writeChanges(
  tx: Queryable,
  { cause, now }: Why,
  list: readonly Change[],
): Promise<bigint | undefined> {
  if (list.length === 0) return undefined
  const { rows } = await tx.query<{ id: string }>(
    `WITH batch AS (INSERT INTO change_batches (size, cause, at) VALUES ($1, $2, $3) RETURNING id)
     SELECT id, pg_notify('catchment_batches', '') FROM batch`,
    [list.length, storableJson(cause), new Date(now)],
    { name: 'insert_batch' },
  )
  const id = BigInt(rows[0]?.id ?? 0)
  await insertRows(
    tx,
    changes,
    list.map((each, position) => [
      id,
      position,
      each.entityId,
      each.revision,
      each.operation,
      each.blueprint,
      each.identifier,
      each.patch,
      now,
    ]),
  )
  return id
}
