import type { JsonObject } from '../model/json.ts'
import type { Db } from './db.ts'
import { storable } from './document.ts'
import { checkLease, writeFenced } from './leases.ts'
import type { Store } from './store.ts'
import type { PartitionRow } from './stored.ts'

type Methods = Pick<
  Store,
  'savePartition' | 'partitions' | 'setPartition' | 'renamePartition' | 'dropPartition' | 'orphans' | 'children'
>

interface PartitionColumns {
  readonly id: number
  readonly kind_id: number
  readonly name: string
  readonly state: PartitionRow['state']
  readonly reason: string | null
  readonly complete_scan: string | null
  readonly complete_at: Date | null
  readonly fingerprint: string | null
  readonly parent_kind: string | null
  readonly parent_key: string | null
}

function partitionRow(row: PartitionColumns): PartitionRow {
  const { parent_kind: kind, parent_key: key } = row
  return {
    id: row.id,
    kindId: row.kind_id,
    name: row.name,
    state: row.state,
    reason: row.reason ?? undefined,
    completeScan: row.complete_scan === null ? undefined : BigInt(row.complete_scan),
    completeAt: row.complete_at ?? undefined,
    fingerprint: row.fingerprint ?? undefined,
    parent: kind === null || key === null ? undefined : { kind, key },
  }
}

const partitionsSql = `
  SELECT p.id, p.kind_id, p.name, p.state, p.reason, p.complete_scan, p.complete_at, s.fingerprint, p.parent_kind, p.parent_key
  FROM partitions p LEFT JOIN scans s ON s.id = p.complete_scan WHERE p.kind_id = $1`

/** A live presence of a partition that nobody was asked about. */
const open = `p.partition_id = $1 AND NOT p.ended AND NOT EXISTS (
  SELECT FROM held h WHERE h.record_id = p.record_id AND h.what = 'presence' AND h.partition_id = p.partition_id
    AND h.state IN ('pending', 'approved', 'rejected'))`

/** The scopes of each kind, and what they hang on. */
export function partitioning(db: Db): Methods {
  return {
    async savePartition(fence, kindId, name, parent) {
      const [kind, key] = parent === undefined ? [null, null] : [storable(parent.kind), storable(parent.key)]
      return db.transaction(async (tx) => {
        await tx.query(
          `INSERT INTO partitions (kind_id, name, state, parent_kind, parent_key) VALUES ($1, $2, 'unseen', $3, $4)
           ON CONFLICT DO NOTHING`,
          [kindId, name, kind, key],
        )
        const { rows } = await tx.query<PartitionColumns>(`${partitionsSql} AND p.name = $2`, [kindId, name])
        const [row] = rows
        if (row === undefined) throw new Error(`partition ${name} was not stored`)
        if (row.state === 'dropped' || row.parent_kind !== kind || row.parent_key !== key) {
          await tx.query(
            `UPDATE partitions SET state = CASE state WHEN 'dropped' THEN 'unseen' ELSE state END, parent_kind = $2, parent_key = $3
             WHERE id = $1`,
            [row.id, kind, key],
          )
        }
        if (fence !== undefined) await checkLease(tx, fence)
        return { ...partitionRow(row), parent }
      })
    },

    async partitions(kindId) {
      const { rows } = await db.query<PartitionColumns>(`${partitionsSql} AND p.state <> 'dropped' ORDER BY p.name`, [
        kindId,
      ])
      return rows.map(partitionRow)
    },

    setPartition: (fence, partitionId, state, reason) =>
      writeFenced(db, fence, 'UPDATE partitions SET state = $4, reason = $5 FROM fence WHERE id = $3', [
        partitionId,
        state,
        reason === undefined ? null : storable(reason),
      ]),

    async renamePartition(fence, partitionId, name) {
      await db.transaction(async (tx) => {
        // One of that name that was dropped keeps its tombstones under a name that nobody has.
        await tx.query(
          `UPDATE partitions o SET name = o.name || ' (' || o.id || ')' FROM partitions p
           WHERE p.id = $1 AND o.kind_id = p.kind_id AND o.name = $2 AND o.id <> p.id AND o.state = 'dropped'`,
          [partitionId, name],
        )
        await tx.query('UPDATE partitions SET name = $2 WHERE id = $1', [partitionId, name])
        await checkLease(tx, fence)
      })
    },

    dropPartition: (fence, partitionId) =>
      db.transaction(async (tx) => {
        const { rowCount } = await tx.query(
          `UPDATE partitions SET state = 'dropped', reason = NULL WHERE id = $1
             AND NOT EXISTS (SELECT FROM presences p WHERE p.partition_id = $1 AND NOT p.ended)
             AND NOT EXISTS (SELECT FROM scans s WHERE s.partition_id = $1 AND s.ended_at IS NULL)`,
          [partitionId],
        )
        for (const what of rowCount > 0 ? ['doubts', 'set_aside'] : []) {
          await tx.query(`DELETE FROM ${what} WHERE partition_id = $1`, [partitionId])
        }
        await checkLease(tx, fence)
        return rowCount > 0
      }),

    async orphans(sourceId) {
      const { rows } = await db.query<{
        kind: string
        partition: string
        parent_kind: string
        parent_key: string
        locator: JsonObject
        end_tick: string
      }>(
        `SELECT k.name AS kind, p.name AS partition, p.parent_kind, p.parent_key, r.locator, r.end_tick
         FROM partitions p JOIN kinds k ON k.id = p.kind_id AND k.source_id = $1
         JOIN kinds o ON o.source_id = k.source_id AND o.name = p.parent_kind
         JOIN records r ON r.kind_id = o.id AND r.key = p.parent_key AND r.state = 'gone'
         WHERE p.parent_key IS NOT NULL AND p.state <> 'dropped'
           AND EXISTS (SELECT FROM presences q WHERE q.partition_id = p.id AND NOT q.ended)
         ORDER BY p.id`,
        [sourceId],
      )
      return rows.map(({ parent_kind, parent_key, end_tick, ...row }) => ({
        ...row,
        parent: { kind: parent_kind, key: parent_key },
        goneAt: BigInt(end_tick),
      }))
    },

    async children(partitionId, after, limit) {
      const { rows } = await db.query<{ id: string; confirmed: string }>(
        `SELECT p.record_id AS id, greatest(p.end_tick, (
           SELECT max(g.end_tick) FROM partitions t JOIN scans s ON s.partition_id = t.id AND s.id >= coalesce(t.complete_scan, 0)
           JOIN scan_pages g ON g.scan_id = s.id AND g.records @> ARRAY[p.record_id] WHERE t.id = $1)) AS confirmed
         FROM presences p WHERE ${open} AND p.record_id > $2 ORDER BY p.record_id LIMIT $3`,
        [partitionId, after, limit],
      )
      return rows.map(({ id, confirmed }) => ({ recordId: BigInt(id), confirmed: BigInt(confirmed) }))
    },
  }
}
