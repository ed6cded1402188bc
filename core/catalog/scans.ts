import type { Db, Queryable } from './db.ts'
import { storable } from './document.ts'
import { checkLease, writeFenced } from './leases.ts'
import { stillThere } from './sealed.ts'
import type { Store } from './store.ts'
import type { ScanRow, StoredPage } from './stored.ts'

type Methods = Pick<
  Store,
  'beginScan' | 'openScan' | 'setScan' | 'countCalls' | 'completeScan' | 'seesSince' | 'lastPages' | 'validPages'
>

interface ScanColumns {
  readonly id: string
  readonly partition_id: number
  readonly state: string
  readonly reason: string | null
  readonly begin_tick: string
  readonly fingerprint: string | null
  readonly pages: number
  readonly parked_until: Date | null
  readonly expected: string | null
}

const scanColumns = 'id, partition_id, state, reason, begin_tick, fingerprint, pages, parked_until, expected'

function scanRow(row: ScanColumns): ScanRow {
  return {
    id: BigInt(row.id),
    partitionId: row.partition_id,
    state: row.state,
    reason: row.reason ?? undefined,
    begin: BigInt(row.begin_tick),
    fingerprint: row.fingerprint ?? undefined,
    pages: row.pages,
    parkedUntil: row.parked_until ?? undefined,
    expected: row.expected === null ? undefined : Number(row.expected),
  }
}

interface PageColumns {
  readonly page: number
  readonly cursor: string
  readonly next: string | null
  readonly validator: string | null
  readonly items: number
}

function pageRow({ next, validator, ...row }: PageColumns): StoredPage {
  return { ...row, next: next ?? undefined, validator: validator ?? undefined }
}

export function scanning(db: Db): Methods {
  return {
    beginScan: (fence, { partitionId, fingerprint, now }) =>
      db.transaction(async (tx) => {
        await dropPages(tx, partitionId)
        const { rows } = await tx.query<ScanColumns>(
          `INSERT INTO scans (partition_id, state, begin_tick, fingerprint, started_at, expected)
           SELECT $1, 'running', nextval('tick'), $2, $3,
             (SELECT s.items FROM partitions p JOIN scans s ON s.id = p.complete_scan WHERE p.id = $1)
           RETURNING ${scanColumns}`,
          [partitionId, fingerprint ?? null, new Date(now)],
        )
        const [row] = rows
        if (row === undefined) throw new Error('the scan was not stored')
        await checkLease(tx, fence)
        return scanRow(row)
      }),

    async openScan(partitionId) {
      const { rows } = await db.query<ScanColumns>(
        `SELECT ${scanColumns} FROM scans WHERE partition_id = $1 AND ended_at IS NULL ORDER BY id DESC LIMIT 1`,
        [partitionId],
      )
      return rows[0] && scanRow(rows[0])
    },

    setScan: (fence, scanId, { state, reason, parkedUntil, ended, held, removed }) =>
      writeFenced(
        db,
        fence,
        `UPDATE scans SET state = $4, reason = coalesce($5, reason), parked_until = $6, ended_at = coalesce($7, ended_at),
           held = coalesce($8, held), removed = coalesce($9, removed) FROM fence WHERE id = $3`,
        [
          scanId,
          state,
          reason === undefined ? null : storable(reason),
          parkedUntil === undefined ? null : new Date(parkedUntil),
          ended === undefined ? null : new Date(ended),
          held ?? null,
          removed ?? null,
        ],
      ),

    countCalls: (fence, scanId, { calls, quota }) =>
      writeFenced(db, fence, 'UPDATE scans SET calls = calls + $4, quota = quota + $5 FROM fence WHERE id = $3', [
        scanId,
        calls,
        quota,
      ]),

    completeScan: (fence, scanId, now) =>
      db.transaction(async (tx) => {
        const scan = await tx.query<{ partition_id: number }>(
          `UPDATE scans SET state = 'complete', ended_at = $2, parked_until = NULL WHERE id = $1 RETURNING partition_id`,
          [scanId, new Date(now)],
        )
        const partition = scan.rows[0]?.partition_id
        await tx.query(
          `UPDATE partitions SET complete_scan = $2, complete_at = $3, state = 'known', reason = NULL WHERE id = $1`,
          [partition, scanId, new Date(now)],
        )
        await tx.query(
          'DELETE FROM scan_pages g USING scans s WHERE s.id = g.scan_id AND s.partition_id = $1 AND s.id < $2',
          [partition, scanId],
        )
        await checkLease(tx, fence)
      }),

    async seesSince(partitionId, fingerprint) {
      const { rows } = await db.query<{ since: string | null }>(
        `SELECT min(s.begin_tick) AS since FROM scans s WHERE s.partition_id = $1 AND s.id > coalesce((
           SELECT max(o.id) FROM scans o WHERE o.partition_id = $1 AND o.fingerprint IS DISTINCT FROM $2), 0)`,
        [partitionId, fingerprint],
        { name: 'sees_since' },
      )
      const since = rows[0]?.since ?? null
      return since === null ? undefined : BigInt(since)
    },

    async lastPages(scanId, limit) {
      const { rows } = await db.query<PageColumns>(
        `SELECT page, cursor, next, validator, cardinality(records) AS items FROM scan_pages WHERE scan_id = $1
         ORDER BY page DESC LIMIT $2`,
        [scanId, limit],
      )
      return rows.map(pageRow).toReversed()
    },

    async validPages(partitionId, from, limit) {
      const { rows } = await db.query<PageColumns>(
        `SELECT g.page, g.cursor, g.next, g.validator, cardinality(g.records) AS items
         FROM partitions p JOIN kinds k ON k.id = p.kind_id JOIN scan_pages g ON g.scan_id = p.complete_scan
         WHERE p.id = $1 AND g.page >= $2 AND g.page < $2 + $3 AND g.validator IS NOT NULL
           AND CASE WHEN g.as_of = k.writes THEN true ELSE ${stillThere('g', 'p.id', 'true')} END
         ORDER BY g.page`,
        [partitionId, from, limit],
      )
      return rows.map(pageRow)
    },
  }
}

/**
 * Pages of scans that ended incomplete pile up while a source is in trouble. Only those of the last complete scan and the
 * two newest matter: no observation that is still under way began before them.
 */
async function dropPages(tx: Queryable, partitionId: number): Promise<void> {
  await tx.query(
    `DELETE FROM scan_pages g USING scans s, partitions p
     WHERE p.id = $1 AND s.partition_id = p.id AND g.scan_id = s.id AND s.id <> coalesce(p.complete_scan, 0) AND s.ended_at IS NOT NULL
       AND s.id NOT IN (SELECT id FROM scans WHERE partition_id = $1 ORDER BY id DESC LIMIT 2)`,
    [partitionId],
  )
}
