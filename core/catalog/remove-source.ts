import { randomUUID } from 'node:crypto'
import { CatchmentError } from '../sdk/index.ts'
import type { Batch, Fence } from './batch.ts'
import type { Db, Queryable } from './db.ts'
import { createStore } from './postgres-store.ts'
import { FenceLost } from './refusals.ts'
import { createUndo } from './undo.ts'

export interface Removed {
  readonly source: string
  readonly records: number
  /** Entities that nothing else said anything of. */
  readonly deleted: number
  /** Entities that other sources know, too. */
  readonly updated: number
}

/** Presences ended in one transaction. */
const atATime = 500
const leaseSeconds = 60
/** Under our lease nothing of the source is confirmed any more, so every confirmation is older than this. */
const latest = 2n ** 63n - 1n

/**
 * Takes a source that is no longer configured out of the catalog: its records go as if they were gone from it, so that
 * entities, relations and the change feed follow; then everything that was remembered of it. May be repeated after a
 * crash. Throws `source_unknown`, `source_active`, `source_busy`. `now`: milliseconds since the epoch.
 */
export async function removeSource(
  db: Db,
  name: string,
  by: { readonly who: string; readonly now: number },
): Promise<Removed> {
  const source = await find(db, name)
  const store = createStore(db)
  const fence = await store.acquireLease(`source:${name}`, `remove:${randomUUID()}`, leaseSeconds)
  if (fence === undefined) throw busy(name)
  try {
    const total = { records: 0, deleted: 0, updated: 0 }
    await endPins(db, source.id, by)
    for (const kind of source.kinds) {
      for (;;) {
        const present = await presences(db, kind)
        if (present.length === 0) break
        const end = await store.tick()
        const batch: Batch = {
          sourceId: source.id,
          kindId: kind,
          fence,
          mappingId: source.mappingId,
          cause: { type: 'person', who: by.who, what: `removed the source ${name}` },
          now: by.now,
          removals: present.map((row) => ({
            recordId: BigInt(row.record_id),
            partitionId: row.partition_id,
            confirmed: latest,
            span: { begin: end, end },
            reason: 'approved',
          })),
        }
        const { deleted, updated } = await store.commit(batch)
        total.records += new Set(present.map((row) => row.record_id)).size
        total.deleted += deleted
        total.updated += updated
        if (!(await store.renewLease(fence, leaseSeconds))) throw busy(name)
      }
    }
    await db.transaction((tx) => forget(tx, source.id, fence))
    return { source: name, ...total }
  } catch (error) {
    throw error instanceof FenceLost ? busy(name) : error
  } finally {
    await store.releaseLease(fence)
  }
}

async function find(
  db: Queryable,
  name: string,
): Promise<{ readonly id: number; readonly mappingId: number; readonly kinds: readonly number[] }> {
  const { rows } = await db.query<{ id: number; state: string; mapping_id: number | null; kinds: number[] }>(
    `SELECT s.id, s.state, s.mapping_id, ARRAY(SELECT k.id FROM kinds k WHERE k.source_id = s.id ORDER BY k.id) AS kinds
     FROM sources s WHERE s.name = $1`,
    [name],
  )
  const [row] = rows
  if (row === undefined) {
    const known = await db.query<{ name: string }>('SELECT name FROM sources ORDER BY name LIMIT 100')
    throw new CatchmentError(`There is no source ${name}.`, {
      code: 'source_unknown',
      status: 404,
      exitCode: 2,
      hint: `Sources: ${known.rows.map((one) => one.name).join(', ') || 'none'}`,
    })
  }
  if (row.state === 'active') {
    throw new CatchmentError(`The source ${name} is in the configuration.`, {
      code: 'source_active',
      status: 409,
      hint: 'Take it out of catchment.yaml and start again; then it can be removed.',
    })
  }
  // A source that never had a mapping has no records either: the number is not looked at.
  return { id: row.id, mappingId: row.mapping_id ?? 0, kinds: row.kinds }
}

/** What was kept of it goes with it. */
async function endPins(
  db: Db,
  source: number,
  { who, now }: { readonly who: string; readonly now: number },
): Promise<void> {
  const { rows } = await db.query<{ blueprint: string; identifier: string }>(
    `SELECT e.blueprint, e.identifier FROM pins p JOIN records r ON r.id = p.record_id JOIN kinds k ON k.id = r.kind_id
     JOIN entities e ON e.id = p.entity_id AND e.deleted IS NULL WHERE k.source_id = $1`,
    [source],
  )
  const undo = createUndo({ db, now: () => now })
  for (const name of rows) {
    try {
      await undo.unpin(name, { who })
    } catch (error) {
      // It ended by itself meanwhile.
      if (!(error instanceof CatchmentError)) throw error
    }
  }
}

async function presences(
  db: Queryable,
  kind: number,
): Promise<readonly { readonly record_id: string; readonly partition_id: number }[]> {
  const { rows } = await db.query<{ record_id: string; partition_id: number }>(
    `SELECT p.record_id, p.partition_id FROM presences p JOIN partitions t ON t.id = p.partition_id
     WHERE t.kind_id = $1 AND NOT p.ended ORDER BY p.record_id, p.partition_id LIMIT ${atATime}`,
    [kind],
  )
  return rows
}

/** Deleted entities and the feed stay: they are the history of the catalog, not of the source. */
async function forget(tx: Queryable, source: number, fence: Fence): Promise<void> {
  const { rows } = await tx.query('SELECT FROM leases WHERE name = $1 AND token = $2 FOR UPDATE', [
    fence.lease,
    fence.token,
  ])
  if (rows.length === 0) throw new FenceLost(`the lease ${fence.lease} is held by somebody else`)
  const kinds = 'SELECT id FROM kinds WHERE source_id = $1'
  const records = `SELECT id FROM records WHERE kind_id IN (${kinds})`
  const partitions = `SELECT id FROM partitions WHERE kind_id IN (${kinds})`
  for (const statement of [
    `DELETE FROM quarantine WHERE record_id IN (${records})`,
    `DELETE FROM pins WHERE record_id IN (${records})`,
    `DELETE FROM wanted WHERE record_id IN (${records})`,
    `DELETE FROM muted WHERE record_id IN (${records})`,
    `DELETE FROM held WHERE kind_id IN (${kinds})`,
    `DELETE FROM doubts WHERE kind_id IN (${kinds})`,
    `DELETE FROM set_aside WHERE partition_id IN (${partitions})`,
    `DELETE FROM presences WHERE partition_id IN (${partitions})`,
    `DELETE FROM bodies WHERE record_id IN (${records})`,
    `DELETE FROM records WHERE kind_id IN (${kinds})`,
    `DELETE FROM scan_pages WHERE scan_id IN (SELECT id FROM scans WHERE partition_id IN (${partitions}))`,
    `DELETE FROM scans WHERE partition_id IN (${partitions})`,
    `DELETE FROM partitions WHERE kind_id IN (${kinds})`,
    `DELETE FROM guard_hours WHERE kind_id IN (${kinds})`,
    'DELETE FROM kinds WHERE source_id = $1',
    'DELETE FROM inbox WHERE source_id = $1',
    'DELETE FROM schedules WHERE source_id = $1',
    // Others may describe their entities with it: it goes with the last of them.
    `DELETE FROM blueprint_documents b WHERE source_id = $1
       AND NOT EXISTS (SELECT FROM entities e WHERE e.blueprint = b.identifier AND e.deleted IS NULL AND NOT e.stub)`,
    'UPDATE blueprint_documents SET source_id = NULL WHERE source_id = $1',
    'UPDATE sources SET mapping_id = NULL WHERE id = $1',
    'DELETE FROM plans WHERE source_id = $1',
    'DELETE FROM activations WHERE source_id = $1',
    'DELETE FROM mappings WHERE source_id = $1',
    'DELETE FROM sources WHERE id = $1',
  ]) {
    await tx.query(statement, [source])
  }
}

function busy(name: string): CatchmentError {
  return new CatchmentError(`Another process works on the source ${name}.`, {
    code: 'source_busy',
    status: 409,
    hint: 'Every Catchment on this database must have been started without it; then try again.',
  })
}
